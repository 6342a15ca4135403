"""A stream in a payload of DUMP: listpacks of entries, then groups. As in Redis's rdb.c and t_stream.c."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.keys.rdb.compact import listpack
from console.core.keys.rdb.cursor import Cursor, UnreadableValueError
from console.core.keys.values import PendingEntry, StreamGroup, StreamId, StreamValue

_DELETED, _SAME_FIELDS = 1, 2
_NOT_KNOWN = 2**64 - 1
"""How -1 is written where a number of entries is not known."""


def stream(cursor: Cursor, form: int) -> StreamValue:
    """Reads a stream. `form`: 1 from Redis 5.0 on, 2 from 7.0 on, 3 from 7.2 on."""
    entries: list[tuple[StreamId, tuple[bytes, ...]]] = []
    for _ in range(cursor.length()):
        first = _raw_id(cursor.string())
        try:
            entries += _entries(first, cursor.string())
        except (StopIteration, RuntimeError, ValueError):
            raise UnreadableValueError("a part of a stream is damaged") from None
    cursor.length()  # how many entries there are
    last_id = cursor.length(), cursor.length()
    added, last_deleted = None, (0, 0)
    if form > 1:
        cursor.length(), cursor.length()  # the first id
        last_deleted = cursor.length(), cursor.length()
        added = cursor.length()
    groups = dict(_group(cursor, form) for _ in range(cursor.length()))
    return StreamValue(tuple(entries), last_id, groups, added, last_deleted)


def _raw_id(raw: bytes) -> StreamId:
    if len(raw) != 16:  # noqa: PLR2004 - two numbers of 64 bits
        raise UnreadableValueError("an id of a stream is damaged")
    return int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:], "big")


def _entries(first: StreamId, blob: bytes) -> Iterator[tuple[StreamId, tuple[bytes, ...]]]:
    """The entries of one listpack. Its first entry names the fields that most others have."""
    parts = listpack(blob)

    def number() -> int:
        return int(next(parts))

    number(), number()  # how many entries there are, and how many deleted ones
    fields = [next(parts) for _ in range(number())]
    number()  # the end of the first entry
    for word in parts:
        flags = int(word)
        entry_id = first[0] + number(), first[1] + number()
        same = bool(flags & _SAME_FIELDS)
        count = len(fields) if same else number()
        pairs: list[bytes] = []
        for place in range(count):
            pairs += (fields[place] if same else next(parts), next(parts))
        number()  # how many parts the entry has, for reading backwards
        if not flags & _DELETED:
            yield entry_id, tuple(pairs)


def _group(cursor: Cursor, form: int) -> tuple[bytes, StreamGroup]:
    name = cursor.string()
    last_id = cursor.length(), cursor.length()
    read = cursor.length() if form > 1 else _NOT_KNOWN
    delivered: dict[StreamId, tuple[int, int]] = {}
    for _ in range(cursor.length()):
        entry_id = _raw_id(cursor.take(16))
        delivered[entry_id] = cursor.unsigned(8), cursor.length()
    consumers: set[bytes] = set()
    pending: dict[StreamId, PendingEntry] = {}
    for _ in range(cursor.length()):
        consumer = cursor.string()
        consumers.add(consumer)
        cursor.take(8 if form < 3 else 16)  # noqa: PLR2004 - when it was seen, and from form 3 on when it was active
        for _ in range(cursor.length()):
            entry_id = _raw_id(cursor.take(16))
            if entry_id not in delivered:
                raise UnreadableValueError("a group of a stream is damaged")
            pending[entry_id] = PendingEntry(consumer, *delivered[entry_id])
    known = None if read == _NOT_KNOWN else read
    return name, StreamGroup(last_id, frozenset(consumers), pending, known)
