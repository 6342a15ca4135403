"""The files of an inventory: one, or one with a folder beside it, or the files of a folder."""

from __future__ import annotations

from pathlib import Path

from console.documents.errors import DocumentError

FOLDER_SUFFIX = ".d"
"""`inventory.d` belongs to `inventory.yaml`."""
_SUFFIXES = frozenset({".yaml", ".yml"})


def folder_beside(path: Path) -> Path:
    """The folder whose files belong to this file: `inventory.d` for `inventory.yaml`."""
    return path.with_suffix(FOLDER_SUFFIX)


def file_paths(path: Path) -> tuple[Path, ...]:
    """The files, in the order in which they are joined: the file itself, then those of the folder by their names.

    Files of other suffixes and hidden files are left out. Raises DocumentError if a folder has no file that can be one.
    """
    if not path.is_dir():
        folder = folder_beside(path)
        return (path, *(_listed(folder) if folder.is_dir() else ()))
    found = _listed(path)
    if not found:
        raise DocumentError(f"{path}: has no file *.yaml: write one there, or name a file")
    return found


def runbook_folder(path: Path) -> Path:
    """The folder in which the operator's own `runbooks/` are: that of the inventory's file, or the folder named."""
    return path if path.is_dir() and path.suffix != FOLDER_SUFFIX else path.parent


def _listed(folder: Path) -> tuple[Path, ...]:
    try:
        names = sorted(one.name for one in folder.iterdir() if _is_inventory(one))
    except OSError as error:
        raise DocumentError(f"{folder}: cannot be listed: {error.strerror}") from None
    return tuple(folder / name for name in names)


def _is_inventory(path: Path) -> bool:
    return path.suffix in _SUFFIXES and not path.name.startswith(".")
