"""Which runbooks there are: those that come with the program, and the operator's own beside the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from console.core.runbooks.document import Runbook, UnusableRunbook
from console.documents.errors import DocumentError
from console.documents.runbooks.runbook import load_runbook

OWN_FOLDER = "runbooks"
"""The operator's own stand in this folder, next to the inventory file."""


@dataclass(frozen=True, slots=True)
class RunbookLibrary:
    """All runbooks that can be used, the shipped ones first, and the files that cannot."""

    runbooks: tuple[Runbook, ...]
    unusable: tuple[UnusableRunbook, ...]


def shipped_folder() -> Path:
    """The folder of the shipped runbooks: inside the package, in a wheel and in a checkout."""
    return Path(str(files("console") / "runbooks"))


def load_runbooks(beside: Path | None) -> RunbookLibrary:
    """The shipped runbooks and the operator's own. A file that is wrong disables only itself. Raises nothing."""
    found: list[Runbook] = []
    unusable: list[UnusableRunbook] = []
    for path, result in read_runbooks(_files(beside)):
        if isinstance(result, DocumentError):
            unusable.append(UnusableRunbook(str(path), result.problems))
        else:
            found.append(result)
    return RunbookLibrary(tuple(found), tuple(unusable))


def check_runbooks(named: tuple[Path, ...], beside: Path | None) -> Iterator[tuple[Path, Runbook | DocumentError]]:
    """Each of the named files, or each of the library if none is named, with its runbook or what is wrong with it."""
    shipped = tuple(_shipped_files())
    chosen = {path.resolve() for path in named}
    before = [path for path in shipped if path.resolve() not in chosen]
    checked = dict(read_runbooks((*before, *named) if named else _files(beside)))
    yield from ((path, result) for path, result in checked.items() if not named or path in named)


def read_runbooks(paths: Iterable[Path]) -> Iterator[tuple[Path, Runbook | DocumentError]]:
    """Each file with its runbook or what is wrong with it. Of two with one name only the first can be used."""
    names: dict[str, str] = {}
    for path in paths:
        try:
            runbook = load_runbook(path)
        except DocumentError as error:
            yield path, error
            continue
        first = names.setdefault(runbook.name, runbook.path)
        yield path, runbook if first == runbook.path else _same_name(runbook, first)


def _same_name(runbook: Runbook, first: str) -> DocumentError:
    kind = "a shipped runbook" if Path(first).parent == shipped_folder() else "another runbook"
    text = f"{runbook.name} is the name of {kind}, {first}, which is used; give this one another name"
    return DocumentError(f"{runbook.path}:1: name: {text}")


def _shipped_files() -> Iterator[Path]:
    yield from sorted(shipped_folder().glob("*.yaml"))


def _files(beside: Path | None) -> Iterator[Path]:
    """Every runbook document: the shipped ones, then the operator's own."""
    yield from _shipped_files()
    own = beside / OWN_FOLDER if beside is not None else None
    if own is not None and own.is_dir() and own.resolve() != shipped_folder().resolve():
        yield from sorted((*own.glob("*.yaml"), *own.glob("*.yml")))
