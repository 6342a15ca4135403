"""Imports a library without its optional parts: they take longest to load, and nothing here uses them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any


@contextlib.contextmanager
def light(*optional: str, without: Mapping[str, Sequence[str]] | None = None) -> Iterator[None]:
    """Inside the block the named modules count as not installed, and no version of a package is looked up.

    `without`: modules that the library imports and of which nothing here is used, each with the names that it takes
    from them. An empty module with these names stands in for each.

    Looking up a version loads the standard library's e-mail, zip and CSV modules and searches every installed package.
    A module that is loaded already stays loaded. After the block every module can be imported as usual.
    """
    # The import system takes a None in sys.modules for a module that is not installed.
    held: dict[str, ModuleType | None] = dict.fromkeys(optional)
    held["importlib.metadata"] = _stand_in("importlib.metadata", {"version": lambda _name: "0"})
    for module, names in (without or {}).items():
        held[module] = _stand_in(module, {name: type(name, (Exception,), {}) for name in names})
    held = {name: module for name, module in held.items() if name not in sys.modules}
    sys.modules.update(held)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in held:
            sys.modules.pop(name, None)


def _stand_in(name: str, content: dict[str, Any]) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(content)
    return made
