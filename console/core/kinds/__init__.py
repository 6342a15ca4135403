"""The kinds of clusters. A kind is a module that names its rules, its protection and its facts; nothing else asks."""

from __future__ import annotations

from console.core.kinds import keepalived, sentinel_consul, sentinel_vip
from console.core.kinds.kind import Kind

__all__ = ["KINDS", "Kind", "kind_of"]

KINDS: tuple[Kind, ...] = (keepalived.KIND, sentinel_vip.KIND, sentinel_consul.KIND)


def kind_of(name: str) -> Kind:
    """The kind of this name. Raises KeyError where there is none: an inventory that was checked has none such."""
    return {kind.name: kind for kind in KINDS}[name]
