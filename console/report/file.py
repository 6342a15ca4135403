"""Writes a report to a file, in the run's folder or where the operator wants it. No file is replaced unasked."""

from __future__ import annotations

import os
from pathlib import Path


def write_report(path: Path, text: str, *, replace: bool = False) -> None:
    """Readable by the operator only, because a report names servers, commands and keys.

    Raises FileExistsError where a file is there and `replace` does not say that it may go; OSError for the rest.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if replace else os.O_EXCL)
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
