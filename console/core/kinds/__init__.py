"""The kinds of clusters. A kind is a module that names its rules, its protection and its facts; nothing else asks."""

from __future__ import annotations

from importlib import import_module

from console.core.kinds.kind import Kind

__all__ = ["Kind", "all_kinds", "kind_of"]

_MODULES = {"keepalived": "keepalived", "sentinel-vip": "sentinel_vip", "sentinel-consul": "sentinel_consul"}


def kind_of(name: str) -> Kind:
    """The kind of this name, imported when it is first asked for: `status` of a pair has no time for the others' rules.

    Raises KeyError where there is none: an inventory that was checked has none such.
    """
    kind: Kind = import_module(f"{__name__}.{_MODULES[name]}").KIND
    return kind


def all_kinds() -> tuple[Kind, ...]:
    """In the order in which documents name them."""
    return tuple(kind_of(name) for name in _MODULES)
