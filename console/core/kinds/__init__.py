"""The kinds of clusters. The module of a kind names its rules, its protection and its facts."""

from __future__ import annotations

from importlib import import_module

from console.core.kinds.kind import Kind

__all__ = ["Kind", "all_kinds", "kind_of"]

_MODULES = {"keepalived": "keepalived", "sentinel-vip": "sentinel_vip", "sentinel-consul": "sentinel_consul"}


def kind_of(name: str) -> Kind:
    """The kind of this name. It is imported on first use: importing the other kinds would slow `status` down.

    Raises KeyError if there is none. A checked inventory names only kinds that exist.
    """
    kind: Kind = import_module(f"{__name__}.{_MODULES[name]}").KIND
    return kind


def all_kinds() -> tuple[Kind, ...]:
    """All kinds, in the order of the documents."""
    return tuple(kind_of(name) for name in _MODULES)
