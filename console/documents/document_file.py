"""The bytes of a document. It imports no YAML: a known inventory is looked up without that."""

from __future__ import annotations

import stat
from pathlib import Path

from console.documents.errors import DocumentError

MAX_BYTES = 1024 * 1024


def bytes_of(path: Path) -> bytes:
    """What is in a file. Raises DocumentError, also for a pipe in a folder: nobody may ever write to it.

    What the shell makes for `<(command)` stands in /dev, and is read.
    """
    try:
        if not (stat.S_ISREG(path.stat().st_mode) or path.is_dir() or path.parts[:2] == ("/", "dev")):
            raise DocumentError(f"{path}: is no regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentError(f"{path}: {_REASONS.get(type(error), error.strerror or 'cannot be read')}") from None
    if len(data) > MAX_BYTES:
        raise DocumentError(f"{path}: is larger than 1 MiB: not a document of this program")
    return data


_REASONS: dict[type[OSError], str] = {
    FileNotFoundError: "does not exist",
    IsADirectoryError: "is a folder, not a file",
    NotADirectoryError: "does not exist: a part of its path is a file",
    PermissionError: "may not be read by this user",
}
