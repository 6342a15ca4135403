"""The forms in which Redis keeps small collections in one string: listpack, ziplist, intset and zipmap.

The numbers are the signs with which an entry begins, as listpack.c, ziplist.c and zipmap.c describe them.
"""

# ruff: noqa: PLR2004 - each sign stands once, beside what it means

from __future__ import annotations

from collections.abc import Iterator

from console.core.keys.rdb.cursor import Cursor, UnreadableValueError

_END = 0xFF
_LISTPACK_HEADER, _ZIPLIST_HEADER = 6, 10
_LONG_PREVIOUS = 0xFE
_LISTPACK_NUMBERS = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}
_ZIPLIST_NUMBERS = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}
_INTSET_WIDTHS = (2, 4, 8)
_BACKLENGTHS = ((127, 1), (16_383, 2), (2_097_151, 3), (268_435_455, 4))
"""Up to this size of an entry → bytes in which its size stands behind it."""


def listpack(blob: bytes) -> Iterator[bytes]:
    """The entries of a listpack (from Redis 7.0 on, and in streams)."""
    cursor = Cursor(blob, _LISTPACK_HEADER)
    while (first := cursor.byte()) != _END:
        start = cursor.at - 1
        yield _listpack_entry(cursor, first)
        used = cursor.at - start
        cursor.take(1 if used <= _BACKLENGTHS[0][0] else _backlength(used))


def _backlength(used: int) -> int:
    # lpEncodeBacklen compares the first limit with <=, the others with <
    return next((size for most, size in _BACKLENGTHS[1:] if used < most), 5)


def _listpack_entry(cursor: Cursor, first: int) -> bytes:
    if first < 0x80:
        return b"%d" % first
    if first < 0xC0:
        return cursor.take(first & 0x3F)
    if first < 0xE0:
        number = (first & 0x1F) << 8 | cursor.byte()
        return b"%d" % (number - (1 << 13) if number >= 1 << 12 else number)
    if first < 0xF0:
        return cursor.take((first & 0x0F) << 8 | cursor.byte())
    if first == 0xF0:
        return cursor.take(cursor.unsigned(4))
    if first in _LISTPACK_NUMBERS:
        return _signed(cursor, _LISTPACK_NUMBERS[first])
    raise UnreadableValueError("a listpack is damaged")


def ziplist(blob: bytes) -> Iterator[bytes]:
    """The entries of a ziplist (before Redis 7.0)."""
    cursor = Cursor(blob, _ZIPLIST_HEADER)
    while (previous := cursor.byte()) != _END:
        if previous == _LONG_PREVIOUS:
            cursor.take(4)
        yield _ziplist_entry(cursor, cursor.byte())


def _ziplist_entry(cursor: Cursor, first: int) -> bytes:
    kind = first >> 6
    if kind == 0:
        return cursor.take(first)
    if kind == 1:
        return cursor.take((first & 0x3F) << 8 | cursor.byte())
    if kind == 2:
        return cursor.take(int.from_bytes(cursor.take(4), "big"))
    if first in _ZIPLIST_NUMBERS:
        return _signed(cursor, _ZIPLIST_NUMBERS[first])
    if 0xF1 <= first <= 0xFD:
        return b"%d" % (first - 0xF1)
    raise UnreadableValueError("a ziplist is damaged")


def _signed(cursor: Cursor, size: int) -> bytes:
    return b"%d" % int.from_bytes(cursor.take(size), "little", signed=True)


def intset(blob: bytes) -> Iterator[bytes]:
    """The numbers of a set of whole numbers."""
    cursor = Cursor(blob)
    width, count = cursor.unsigned(4), cursor.unsigned(4)
    if width not in _INTSET_WIDTHS:
        raise UnreadableValueError("a set of numbers is damaged")
    for _ in range(count):
        yield _signed(cursor, width)


def zipmap(blob: bytes) -> Iterator[bytes]:
    """Fields and values in turn, as Redis before 2.6 kept small hashes."""
    cursor = Cursor(blob, 1)
    while (first := cursor.byte()) != _END:
        yield cursor.take(_zipmap_length(cursor, first))
        size = _zipmap_length(cursor, cursor.byte())
        unused = cursor.byte()
        yield cursor.take(size)
        cursor.take(unused)


def _zipmap_length(cursor: Cursor, first: int) -> int:
    return cursor.unsigned(4) if first == 0xFE else first
