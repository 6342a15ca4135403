"""The laboratory: a real pair on hosts made of Linux namespaces, for tests, demos and drills.

The names are imported when first used: the command line imports this package each time it starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.lab.host import Host as Host
    from console.lab.options import LabError as LabError
    from console.lab.options import LabOptions as LabOptions
    from console.lab.pair import Laboratory as Laboratory
    from console.lab.pair import laboratory as laboratory

_HOMES = {"Host": "host", "LabError": "options", "LabOptions": "options", "Laboratory": "pair", "laboratory": "pair"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
