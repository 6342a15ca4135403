"""How a file of kept keys shows that it is whole: it ends with a line that has the number of its keys, and its SHA-256.

The first line has a mark (or counts, where the first part is empty), so that a file whose end is missing can be told
from one of an older version, which has neither. A file that grows has a line that counts behind each part; the last one
is true.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import BinaryIO

from console.core.quantities import counted

MARK = "counted"
"""A field of the first line."""
_COUNT, _DIGEST = "count", "sha256"
_BEGINS = b'{"count": '
_LONGEST = 200
"""Bytes of a line that counts, at most."""
_PART = 1 << 20


class Standing(StrEnum):
    """Whether a file is whole."""

    WHOLE = "whole"
    OLDER = "of an older version"
    """It has no count. Whether something is missing is not known."""
    NOT_WHOLE = "not whole"


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What the end of a file says about it."""

    digest: str
    """SHA-256 of all of it, in hex."""
    standing: Standing
    keys: int | None = None
    """As its last line says."""
    why: str = ""
    """Why it is not whole."""
    content: str = ""
    """SHA-256 of all before its last line, in hex, as that line says."""

    def with_keys(self, found: int, written: int | None = None, digest: str = "") -> FileCheck:
        """The same, after its keys were counted.

        `written`, `digest`: so many the run wrote, and how their SHA-256 begins, by its journal. None or empty: not
        known.
        """
        if self.standing is Standing.NOT_WHOLE:
            return self
        if self.standing is Standing.WHOLE and found != self.keys:
            why = f"it has {counted(found, 'key')}, its end says {self.keys}"
        elif written is not None and found != written:
            why = f"it has {counted(found, 'key')}, and the run that wrote it says {written:,}: it may be another file"
        elif digest and not self.content.startswith(digest):
            why = "its SHA-256 is not the one that the run wrote: it is another file"
        else:
            return self
        return FileCheck(self.digest, Standing.NOT_WHOLE, self.keys, why)


class Counting:
    """Makes the lines of such a file, and those that count."""

    def __init__(self) -> None:
        self.keys = 0
        self.size = 0
        """Bytes so far."""
        self.digest = ""
        """SHA-256 of all before the last line that counts, in hex."""
        self._digest = sha256()

    def line(self, fields: Mapping[str, object]) -> str:
        """A key as a line."""
        mark = {} if self.size else {MARK: True}
        self.keys += 1
        return self._taken(json.dumps({**fields, **mark}) + "\n")

    def count(self) -> str:
        """The line that counts all lines so far."""
        self.digest = self._digest.hexdigest()
        return self._taken(json.dumps({_COUNT: self.keys, _DIGEST: self.digest}) + "\n")

    def take(self, lines: Iterable[bytes]) -> None:
        """Lines that stand in the file already."""
        for line in lines:
            self.keys += not may_count(line)
            self.size += len(line)
            self._digest.update(line)

    def _taken(self, line: str) -> str:
        coded = line.encode()
        self.size += len(coded)
        self._digest.update(coded)
        return line


def warning(file: str, check: FileCheck) -> str:
    """What is to be known before keys of the file are used. Empty: it is whole."""
    match check.standing:
        case Standing.WHOLE:
            return ""
        case Standing.OLDER:
            return f"{file} is of an older version, without a count: lines that are missing would not be noticed"
        case Standing.NOT_WHOLE:
            return f"{file} is not whole: {check.why}. Keys may be missing in it"


def is_count(line: Mapping[str, object]) -> bool:
    """Whether the line counts, and is no key."""
    return _COUNT in line


def may_count(line: bytes) -> bool:
    """Whether a line that is not read yet begins as one that counts."""
    return line.startswith(_BEGINS)


def check_kept(file: BinaryIO) -> FileCheck:
    """Reads all of a file, which was opened to be read and is at its beginning. Raises OSError."""
    first = file.readline()
    start, last = _last_line(file)
    file.seek(0)
    digest, left = sha256(), start
    while left and (part := file.read(min(left, _PART))):
        digest.update(part)
        left -= len(part)
    before = digest.hexdigest()
    while part := file.read(_PART):
        digest.update(part)
    return _judged(first, last, before, digest.hexdigest())


def _last_line(file: BinaryIO) -> tuple[int, bytes]:
    """Where the last line begins, and the line. It may be cut at its beginning: then it is too long to count."""
    size = file.seek(0, 2)
    place = max(0, size - _LONGEST)
    file.seek(place)
    end = file.read()
    inside = end.rfind(b"\n", 0, -1) + 1
    return place + inside, end[inside:]


def _judged(first: bytes, last: bytes, before: str, digest: str) -> FileCheck:
    if not first:
        return FileCheck(digest, Standing.NOT_WHOLE, None, "it is empty")
    said = _said(last)
    if last and not last.endswith(b"\n"):
        return FileCheck(digest, Standing.NOT_WHOLE, None, "its last line is cut off")
    if said is not None:
        keys, expected = said
        if expected == before:
            return FileCheck(digest, Standing.WHOLE, keys, content=before)
        why = f"it is not as it was written: its end says {counted(keys, 'key')}, and its SHA-256 does not fit"
        return FileCheck(digest, Standing.NOT_WHOLE, keys, why)
    if b'"%b": true' % MARK.encode() in first or first.startswith(_BEGINS):
        return FileCheck(digest, Standing.NOT_WHOLE, None, "its end is missing, which says how many keys it has")
    return FileCheck(digest, Standing.OLDER)


def _said(last: bytes) -> tuple[int, str] | None:
    """The number of keys and the SHA-256 that the line has. None: it is none that counts."""
    if not may_count(last):
        return None
    try:
        found = json.loads(last)
        return int(found[_COUNT]), str(found[_DIGEST])
    except (ValueError, KeyError, TypeError):
        return None
