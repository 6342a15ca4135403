"""Files of keys on this machine: those that a run kept are read, those that a run replaces or leaves are written."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BufferedReader
from itertools import accumulate
from pathlib import Path
from typing import Any

_AT_ONCE = 1_000_000
"""Bytes of lines that are read together."""


class LocalKeyFiles:
    """Implements the engine's KeyFiles."""

    def digest(self, path: str) -> str:
        with _opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def lines(self, path: str) -> Iterator[list[tuple[int, Mapping[str, Any]]]]:
        """The lines, many at a time: the place of each in the file, and what it says. Raises OSError, ValueError."""
        place, number = 0, 0
        with _opened(path) as file:
            while lines := file.readlines(_AT_ONCE):
                places = list(accumulate(map(len, lines), initial=place))
                place = places.pop()
                yield list(zip(places, _parsed(path, lines, number), strict=True))
                number += len(lines)

    def lines_at(self, path: str, places: Sequence[int]) -> list[Mapping[str, Any]]:
        """What the lines say that begin at these places. Raises OSError, ValueError."""
        found = []
        with _opened(path) as file:
            for place in places:
                if file.tell() != place:
                    file.seek(place)
                found.append(file.readline())
        return _parsed(path, found, 0)

    def append(self, path: str, lines: Iterable[str]) -> None:
        """Adds lines. They are on the disk when this returns. Raises OSError."""
        new = not Path(path).exists()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        if new:
            _sync(Path(path).parent)

    def write(self, path: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Writes rows as JSON, in place of what stood there. Raises OSError."""
        part = f"{path}.part"
        Path(part).unlink(missing_ok=True)
        self.append(part, (json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        Path(part).replace(path)


def _opened(path: str) -> BufferedReader:
    """The file, to be read. Raises OSError, also where it is none: a pipe would be waited for without an end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb")
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(f"{path} is no regular file")


def _parsed(path: str, lines: Sequence[bytes], before: int) -> list[Mapping[str, Any]]:
    """The lines as JSON objects, all at once: this is several times faster than one by one. Raises ValueError."""
    try:
        found = json.loads(b"[" + b",".join(lines) + b"]")
        if len(found) == len(lines) and all(type(one) is dict for one in found):
            return found  # type: ignore[no-any-return]
    except ValueError:
        pass
    for number, line in enumerate(lines, start=before + 1):
        try:
            if type(json.loads(line)) is dict:
                continue
        except ValueError:
            pass
        raise ValueError(f"{path}: line {number} is none of an export of keys")
    raise ValueError(f"{path} is none of an export of keys")


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
