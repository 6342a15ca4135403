"""Reads the parts of which a payload is made: lengths, strings, numbers. As in Redis's rdb.c."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

_ENCODED, _LONG, _LONGEST = 3, 0x80, 0x81
_INT8, _INT16, _INT32, _LZF = range(4)
_SIGNED = {_INT8: 1, _INT16: 2, _INT32: 4}
_DOUBLE = Struct("<d")
_MOST_UNPACKED = 1 << 30
"""Bytes. A string has at most half of that."""


class UnreadableValueError(ValueError):
    """A payload that cannot be read here: it is damaged, or its form is newer, or it belongs to a module."""


@dataclass(slots=True)
class Cursor:
    """A place in a payload. Each method reads the next part. Raises UnreadableValueError where the bytes end."""

    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        """The next bytes as they are."""
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise UnreadableValueError("the payload ends too early")
        part = self.data[self.at : end]
        self.at = end
        return part

    def byte(self) -> int:
        return self.take(1)[0]

    def unsigned(self, size: int) -> int:
        """A number of so many bytes, the lowest first."""
        return int.from_bytes(self.take(size), "little")

    def double(self) -> float:
        number: float = _DOUBLE.unpack(self.take(8))[0]
        return number

    def length(self) -> int:
        """A length, or another number that is written as one."""
        number, encoded = self._length()
        if encoded:
            raise UnreadableValueError("a length is none")
        return number

    def string(self) -> bytes:
        """A string. Numbers become their digits, and compressed strings are unpacked."""
        number, encoded = self._length()
        if not encoded:
            return self.take(number)
        if number in _SIGNED:
            return b"%d" % int.from_bytes(self.take(_SIGNED[number]), "little", signed=True)
        if number == _LZF:
            packed, size = self.length(), self.length()
            return unpack_lzf(self.take(packed), size)
        raise UnreadableValueError(f"a string has the unknown encoding {number}")

    def _length(self) -> tuple[int, bool]:
        first = self.byte()
        kind = first >> 6
        if kind == _ENCODED:
            return first & 0x3F, True
        if kind == 0:
            return first, False
        if kind == 1:
            return (first & 0x3F) << 8 | self.byte(), False
        if first in (_LONG, _LONGEST):
            return int.from_bytes(self.take(4 if first == _LONG else 8), "big"), False
        raise UnreadableValueError("a length is none")


def unpack_lzf(packed: bytes, size: int) -> bytes:
    """The string that LZF has compressed. `size`: its length in bytes."""
    if size > _MOST_UNPACKED:
        raise UnreadableValueError("a compressed string is too long")
    out = bytearray()
    source = Cursor(packed)
    while source.at < len(packed):
        control = source.byte()
        if control < 32:  # noqa: PLR2004 - a run of literal bytes
            out += source.take(control + 1)
            continue
        count = control >> 5
        if count == 7:  # noqa: PLR2004 - the length goes on in the next byte
            count += source.byte()
        start = len(out) - ((control & 0x1F) << 8) - source.byte() - 1
        _copy_again(out, start, count + 2)
        if len(out) > size:
            break
    if len(out) != size:
        raise UnreadableValueError("a compressed string is damaged")
    return bytes(out)


def _copy_again(out: bytearray, start: int, count: int) -> None:
    """Appends bytes that are in the output already. The part may reach into what it appends."""
    if start < 0:
        raise UnreadableValueError("a compressed string is damaged")
    part = bytes(out[start : start + count])
    while len(part) < count:
        part += part
    out += part[:count]
