"""Which runbooks there are: those that come with the program, and the operator's own beside the inventory."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from console.core.runbooks.document import Runbook
from console.documents.errors import DocumentError
from console.documents.runbook import load_runbook

OWN_FOLDER = "runbooks"
"""The operator's own stand in this folder, next to the inventory file."""


def shipped_folder() -> Path:
    """The folder of the shipped runbooks: inside the package, in a wheel and in a checkout."""
    return Path(str(files("console") / "runbooks"))


def runbook_files(beside: Path | None) -> Iterator[Path]:
    """Every runbook document: the shipped ones, then the operator's own."""
    shipped = shipped_folder()
    yield from sorted(shipped.glob("*.yaml"))
    own = beside / OWN_FOLDER if beside is not None else None
    if own is not None and own.is_dir() and own.resolve() != shipped.resolve():
        yield from sorted((*own.glob("*.yaml"), *own.glob("*.yml")))


def load_runbooks(beside: Path | None) -> tuple[Runbook, ...]:
    """All of them. Raises DocumentError at the first that is wrong, or that has the name of another."""
    found: dict[str, Runbook] = {}
    for path in runbook_files(beside):
        runbook = load_runbook(path)
        if runbook.name in found:
            other = found[runbook.name].path
            raise DocumentError(f"{path}:1: name: {runbook.name} is the name of {other} already; give it another")
        found[runbook.name] = runbook
    return tuple(found.values())
