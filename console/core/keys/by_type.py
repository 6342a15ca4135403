"""A value as commands by its type, for a server that does not understand the payload of DUMP.

They are those with which a server writes its own append-only file (rewriteAppendOnlyFileRio in Redis's aof.c). They are
for a key that does not exist: what stands there before must be deleted in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from console.core.keys.values import (
    HashValue,
    ListValue,
    SetValue,
    SortedSetValue,
    StreamGroup,
    StreamId,
    StreamValue,
    StringValue,
    Value,
)

Command = tuple[bytes, ...]
MOST_ITEMS = 256
"""Items in one command."""
_STREAMS_SINCE, _CONSUMERS_SINCE, _COUNTERS_SINCE = (5, 0), (6, 2), (7, 0)
_SEVERAL_FIELDS_SINCE = (4, 0)


class NotWritableError(Exception):
    """No command of this version writes the value as it is. The text says why."""


def commands_by_type(key: bytes, value: Value, version: Sequence[int]) -> list[Command]:
    """The commands that write the value. `version`: of the server. Raises NotWritableError."""
    match value:
        case StringValue():
            return [(b"SET", key, value.data)]
        case ListValue():
            return [(b"RPUSH", key, *some) for some in _portions(value.items)]
        case SetValue():
            return [(b"SADD", key, *some) for some in _portions(value.members)]
        case HashValue():
            return _hash(key, value, version)
        case SortedSetValue():
            pairs = ((score, member) for member, score in value.scores.items())
            return [(b"ZADD", key, *_flat((_double(score), one) for score, one in some)) for some in _portions(pairs)]
        case StreamValue():
            if tuple(version[:2]) < _STREAMS_SINCE:
                raise NotWritableError("streams need Redis 5.0")
            return list(_stream(key, value, tuple(version[:2])))


def _hash(key: bytes, value: HashValue, version: Sequence[int]) -> list[Command]:
    if value.expiries:
        raise NotWritableError("its fields have expiries, and this server does not understand the payload with them")
    name = b"HSET" if tuple(version[:2]) >= _SEVERAL_FIELDS_SINCE else b"HMSET"
    return [(name, key, *_flat(some)) for some in _portions(value.fields.items())]


def _portions(items: Iterable[object]) -> Iterator[list]:  # type: ignore[type-arg]
    waiting = iter(items)
    while some := list(islice(waiting, MOST_ITEMS)):
        yield some


def _flat(pairs: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    return (part for pair in pairs for part in pair)


def _double(score: float) -> bytes:
    """17 digits: the same number is read back."""
    return b"%.17g" % score


# --- streams --------------------------------------------------------------------------------------------------------


def _stream(key: bytes, value: StreamValue, version: tuple[int, ...]) -> Iterator[Command]:
    for entry_id, pairs in value.entries:
        yield (b"XADD", key, _id(entry_id), *pairs)
    if not value.entries:  # an entry that is gone at once makes an empty stream
        yield (b"XADD", key, b"MAXLEN", b"0", _id(max(value.last_id, (0, 1))), b"x", b"y")
    added = value.added if value.added is not None else len(value.entries)
    counters = (b"ENTRIESADDED", b"%d" % added, b"MAXDELETEDID", _id(value.last_deleted))
    yield (b"XSETID", key, _id(value.last_id), *(counters if version >= _COUNTERS_SINCE else ()))
    for name, group in value.groups.items():
        yield from _group(key, name, group, version)


def _group(key: bytes, name: bytes, group: StreamGroup, version: tuple[int, ...]) -> Iterator[Command]:
    read = (b"ENTRIESREAD", b"%d" % group.entries_read) if group.entries_read is not None else ()
    yield (b"XGROUP", b"CREATE", key, name, _id(group.last_id), *(read if version >= _COUNTERS_SINCE else ()))
    idle = group.consumers - {one.consumer for one in group.pending.values()}
    if idle and version < _CONSUMERS_SINCE:
        raise NotWritableError("consumers without entries need Redis 6.2")
    for consumer in sorted(idle):
        yield (b"XGROUP", b"CREATECONSUMER", key, name, consumer)
    for entry_id, one in sorted(group.pending.items()):
        times = (b"TIME", b"%d" % one.delivered_at, b"RETRYCOUNT", b"%d" % one.deliveries)
        yield (b"XCLAIM", key, name, one.consumer, b"0", _id(entry_id), *times, b"JUSTID", b"FORCE")


def _id(one: StreamId) -> bytes:
    return b"%d-%d" % one
