"""Files of keys on this machine: those that a run kept are read, those that a run replaces or leaves are written."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BufferedReader
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any

import msgspec

from console.core.keys.counted import Counting, FileCheck, check_kept, may_count
from console.core.keys.exported import LAST_DATABASE, WITHOUT_IT, KeyLines


class _Other(msgspec.Struct, gc=False):
    dump_base64: bytes = b""


class _Line(msgspec.Struct, gc=False):
    """A key in the form in which it is exported, its base64 decoded. Other forms are read in the slower way."""

    db: Annotated[int, msgspec.Meta(ge=0, le=LAST_DATABASE)]
    key_base64: bytes
    dump_base64: bytes
    pttl: Annotated[int, msgspec.Meta(ge=0)]
    at: int | None = None
    idle: int | None = None
    there: _Other | None = None


_usual = msgspec.json.Decoder(_Line)
_AT_ONCE = 2_000_000
"""Bytes of lines that are read together."""


class LocalKeyFiles:
    """Implements the engine's KeyFiles."""

    def __init__(self) -> None:
        self._growing: dict[str, Counting] = {}

    def check(self, path: str) -> FileCheck:
        with _opened(path) as file:
            return check_kept(file)

    def lines(self, path: str) -> Iterator[tuple[Sequence[int], KeyLines]]:
        """The lines, many at a time: their places in the file, and what they say. Raises OSError, ValueError.

        A last line that is cut off is left out: `check` tells that it is.
        """
        place, number = 0, 0
        with _opened(path) as file:
            while lines := file.readlines(_AT_ONCE):
                if not lines[-1].endswith(b"\n"):
                    lines.pop()
                places = list(accumulate(map(len, lines), initial=place))
                place = places.pop()
                keys = len(lines) - (len(lines) > 1 and may_count(lines[-1]))
                yield places[:keys], _parsed(path, lines[:keys], number)
                if keys < len(lines):
                    yield places[keys:], _one_by_one(path, lines[keys:], number + keys)
                number += len(lines)

    def lines_at(self, path: str, places: Sequence[int]) -> KeyLines:
        """What the lines say that begin at these places. Raises OSError, ValueError."""
        found = []
        with _opened(path) as file:
            for place in places:
                if file.tell() != place:
                    file.seek(place)
                found.append(file.readline())
        return _parsed(path, found, 0)

    def keep(self, path: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Adds keys to a file that shows that it is whole. They are on the disk when this returns. Raises OSError."""
        counting = self._growing.pop(path, None)
        if counting is None or not Path(path).exists() or Path(path).stat().st_size != counting.size:
            counting = _taken_up(path)
        self._append(path, [*map(counting.line, rows), counting.count()])
        self._growing[path] = counting

    def _append(self, path: str, lines: Iterable[str]) -> None:
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
        self._append(part, (json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        Path(part).replace(path)


def _taken_up(path: str) -> Counting:
    """What stands in a file that grows, without a last line that was cut off: its key was never replaced."""
    counting = Counting()
    if Path(path).exists():
        with _opened(path) as file:
            counting.take(line for line in file if line.endswith(b"\n"))
        os.truncate(path, counting.size)
    return counting


def _opened(path: str) -> BufferedReader:
    """The file, to be read. Raises OSError, also where it is none: a pipe would be waited for without an end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb")
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(f"{path} is no regular file")


def _parsed(path: str, lines: Sequence[bytes], before: int) -> KeyLines:
    """The lines as they are, or decoded at once where all of them are keys in the usual form. Raises ValueError.

    All at once is several times faster than one by one. Each line must be one object: a line is known by its number.
    """
    together = b"".join(lines)
    try:
        found = _usual.decode_lines(together)
    except ValueError:
        found = []
    if len(found) == len(lines) == together.count(b"}\n{") + 1:
        return found
    return _one_by_one(path, lines, before)


def _one_by_one(path: str, lines: Sequence[bytes], before: int) -> Sequence[Mapping[str, Any]]:
    """The same for lines of any form, which are JSON objects. Raises ValueError, which names the line."""
    found = []
    for number, line in enumerate(lines, start=before + 1):
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError):
            found.append(None)
        if type(found[-1]) is not dict:
            raise ValueError(f"{path}: line {number} is none of an export of keys. {WITHOUT_IT}")
    return found


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
