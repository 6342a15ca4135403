"""An inventory of several files: `inventory.yaml` and `inventory.d/*.yaml` beside it, or all files of a folder.

Each file is valid by itself, with a version and defaults of its own. A file that is wrong disables only its own
clusters, and is named once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from console.core.inventory import Inventory, UnusableCluster
from console.documents.errors import DocumentError
from console.documents.inventories.inventory import inventory_of
from console.documents.inventories.overlaps import overlaps
from console.documents.inventories.paths import file_paths
from console.documents.inventories.usable import addresses_of, cluster_lines, usable_inventory_of
from console.documents.yaml_text import Document, read_document


@dataclass(frozen=True, slots=True)
class _File:
    """One file, and what came of reading it."""

    path: Path
    document: Document | None
    problems: tuple[str, ...] = ()


def load_usable_files(path: Path) -> Inventory:
    """The clusters of all files that can be used. Raises DocumentError if there is none."""
    files = tuple(_read(path))
    parts = [_usable(one, files) for one in files]
    twice = _in_several_files(files)
    usable = tuple(one for part in parts for one in part.clusters if one.name not in twice)
    unusable = [one for part in parts for one in part.unusable if one.name not in twice]
    unusable += [UnusableCluster(name, (problem,)) for name, problem in twice.items()]
    if not usable:
        raise DocumentError(*dict.fromkeys(problem for one in unusable for problem in one.problems))
    return Inventory(str(path), usable, tuple(unusable))


def check_files(path: Path, warn: Callable[[str], None] = lambda _: None) -> tuple[Inventory, ...]:
    """The inventory of each file. Raises DocumentError with everything that is wrong with any of them.

    `warn` gets a line for each thing that may be wrong.
    """
    files = tuple(_read(path))
    found: list[tuple[Document, Inventory]] = []
    problems: list[str] = []
    for one in files:
        try:
            document = _document(one)
            found.append((document, inventory_of(document, _elsewhere(one, files))))
        except DocumentError as error:
            problems += error.problems
    problems += _in_several_files(files).values()
    shared = overlaps(found)
    problems += [one.text for one in shared if one.is_error]
    for one_shared in shared:
        if not one_shared.is_error:
            warn(one_shared.text)
    if problems:
        raise DocumentError(*problems)
    return tuple(inventory for _, inventory in found)


def _read(path: Path) -> Iterator[_File]:
    for one in file_paths(path):
        try:
            yield _File(one, read_document(one, apart="clusters"))
        except DocumentError as error:
            yield _File(one, None, error.problems)


def _document(file: _File) -> Document:
    if file.document is None:
        raise DocumentError(*file.problems)
    return file.document


def _usable(file: _File, files: tuple[_File, ...]) -> Inventory:
    """What can be used of one file. One that is wrong as a whole is one unusable cluster with the file's name."""
    try:
        return usable_inventory_of(_document(file), _elsewhere(file, files))
    except DocumentError as error:
        return Inventory(str(file.path), (), (UnusableCluster(file.path.name, error.problems, is_file=True),))


def _elsewhere(file: _File, files: tuple[_File, ...]) -> frozenset[str]:
    """The addresses of nodes in the other files: none of them can be a virtual IP of this one."""
    others = [one.document for one in files if one is not file and one.document is not None]
    return frozenset().union(*map(addresses_of, others))


def _in_several_files(files: tuple[_File, ...]) -> dict[str, str]:
    """Name → what is wrong: clusters that several files name. It is not known which of them a call means."""
    places: dict[str, dict[Path, int]] = defaultdict(dict)
    for one in files:
        if one.document is not None:
            for name, line in cluster_lines(one.document):
                places[name].setdefault(one.path, line)
    return {name: _said(name, found) for name, found in places.items() if len(found) > 1}


def _said(name: str, places: dict[Path, int]) -> str:
    first, *others = (f"{path}:{line}" for path, line in places.items())
    return f"{first}: there is another cluster {name} in {' and '.join(others)}; names are typed at gates, so keep one"
