"""Importing a library without what nothing here uses of it and what takes longer to load than all the rest."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType


@contextlib.contextmanager
def light(*optional: str) -> Iterator[None]:
    """Meanwhile the named optional modules count as not installed, and no version of a package is looked up.

    Looking up a version loads the standard library's e-mail, zip and CSV, and searches every installed package. What is
    loaded already is left alone, and afterwards everything can be imported as ever.
    """
    versions = ModuleType("importlib.metadata")
    vars(versions)["version"] = lambda _name: "0"
    # None is the import system's own way to say that a module is not there.
    held: dict[str, ModuleType | None] = {**dict.fromkeys(optional), "importlib.metadata": versions}
    held = {name: module for name, module in held.items() if name not in sys.modules}
    sys.modules.update(held)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in held:
            sys.modules.pop(name, None)
