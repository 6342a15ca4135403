"""Imports a library without its optional parts: they take longest to load, and nothing here uses them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType


@contextlib.contextmanager
def light(*optional: str) -> Iterator[None]:
    """Inside the block the named modules count as not installed, and no version of a package is looked up.

    Looking up a version loads the standard library's e-mail, zip and CSV modules and searches every installed package.
    A module that is loaded already stays loaded. After the block every module can be imported as usual.
    """
    versions = ModuleType("importlib.metadata")
    vars(versions)["version"] = lambda _name: "0"
    # The import system takes a None in sys.modules for a module that is not installed.
    held: dict[str, ModuleType | None] = {**dict.fromkeys(optional), "importlib.metadata": versions}
    held = {name: module for name, module in held.items() if name not in sys.modules}
    sys.modules.update(held)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in held:
            sys.modules.pop(name, None)
