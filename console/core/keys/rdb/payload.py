"""What DUMP answers: a value in the form of an RDB file, the version of that form, and a checksum.

The forms are those of Redis 2.6 to 8.0 and of Valkey 7.2 to 8.1. A value of a module cannot be read: only its module
knows how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from console.core.keys.rdb.compact import intset, listpack, ziplist, zipmap
from console.core.keys.rdb.crc64 import crc64
from console.core.keys.rdb.cursor import Cursor, UnreadableValueError
from console.core.keys.rdb.streams import stream
from console.core.keys.values import HashValue, ListValue, SetValue, SortedSetValue, StringValue, Value

FOOTER = 10
"""Bytes behind the value: two of the version, eight of the checksum."""
_PLAIN_NODE = 1
_OLD_DOUBLES = {253: float("nan"), 254: float("inf"), 255: float("-inf")}
NOT_KNOWN = "type not known"
SHARED_INTEGERS = 10_000
"""Redis holds one object each for the strings `0` to `9999` (OBJ_SHARED_INTEGERS in server.h), under whatever keys."""
_SMALL_FORMS = {0xC0: 1, 0xC1: 2}
"""The byte that begins a string which is written as a small integer, and how many bytes follow it."""
SHARED_PREFIX = 4
"""Bytes of a payload that tell whether its value is such an integer."""


def version_of_payload(payload: bytes) -> int:
    """The version of the RDB form: a server refuses payloads of a version that is newer than its own."""
    return int.from_bytes(payload[-FOOTER : -FOOTER + 2], "little")


def is_damaged(payload: bytes) -> bool:
    """Whether the checksum does not fit."""
    return len(payload) <= FOOTER or crc64(payload[:-8]) != int.from_bytes(payload[-8:], "little")


def type_of(payload: bytes) -> str:
    """The type of the value, in the word of the command TYPE."""
    return _TYPES[payload[0]][0] if payload and payload[0] in _TYPES else NOT_KNOWN


def may_be_shared(payload: bytes) -> bool:
    """Whether the server may hold this value in an object that other keys have too. `payload`: its start is enough.

    What OBJECT tells of the key is then true of all of these keys: when it was used last is not known.
    """
    if len(payload) < SHARED_PREFIX or payload[0] or payload[1] not in _SMALL_FORMS:
        return False
    number = int.from_bytes(payload[2 : 2 + _SMALL_FORMS[payload[1]]], "little", signed=True)
    return 0 <= number < SHARED_INTEGERS


def value_of(payload: bytes) -> Value:
    """The value. Raises UnreadableValueError. The checksum is not looked at."""
    if not payload or payload[0] not in _TYPES or (read := _TYPES[payload[0]][1]) is None:
        raise UnreadableValueError(f"a value of the kind {payload[0] if payload else '?'} cannot be read here")
    cursor = Cursor(payload[:-FOOTER], 1)
    try:
        value = read(cursor)
    except UnreadableValueError:
        raise
    except (ValueError, OverflowError) as error:
        raise UnreadableValueError(f"the payload is damaged: {error}") from None
    if cursor.at != len(cursor.data):
        raise UnreadableValueError("there is more in the payload than its value")
    return value


# --- the forms ------------------------------------------------------------------------------------------------------


def _strings(cursor: Cursor) -> Iterable[bytes]:
    return [cursor.string() for _ in range(cursor.length())]


def _pairs(parts: Iterable[bytes]) -> dict[bytes, bytes]:
    found = list(parts)
    if len(found) % 2:
        raise UnreadableValueError("a field has no value")
    return dict(zip(found[::2], found[1::2], strict=True))


def _hash(cursor: Cursor) -> HashValue:
    return HashValue({cursor.string(): cursor.string() for _ in range(cursor.length())})


def _hash_with_expiries(cursor: Cursor) -> HashValue:
    """Each expiry is written as its distance from the earliest one, plus one."""
    earliest = cursor.unsigned(8)
    fields, expiries = {}, {}
    for _ in range(cursor.length()):
        after = cursor.length()
        name = cursor.string()
        fields[name] = cursor.string()
        if after:
            expiries[name] = earliest + after - 1
    return HashValue(fields, expiries)


def _listpack_with_expiries(cursor: Cursor) -> HashValue:
    cursor.take(8)  # the earliest expiry
    parts = list(listpack(cursor.string()))
    if len(parts) % 3:
        raise UnreadableValueError("a field has no value or no expiry")
    expiries = {name: int(at) for name, at in zip(parts[::3], parts[2::3], strict=True) if at != b"0"}
    return HashValue(dict(zip(parts[::3], parts[1::3], strict=True)), expiries)


def _scores(parts: Iterable[bytes]) -> SortedSetValue:
    try:
        return SortedSetValue({member: float(score) for member, score in _pairs(parts).items()})
    except ValueError:
        raise UnreadableValueError("a score is no number") from None


def _old_double(cursor: Cursor) -> float:
    length = cursor.byte()
    try:
        return _OLD_DOUBLES[length] if length in _OLD_DOUBLES else float(cursor.take(length))
    except ValueError:
        raise UnreadableValueError("a score is no number") from None


def _sorted_set(double: Callable[[Cursor], float]) -> Callable[[Cursor], SortedSetValue]:
    return lambda cursor: SortedSetValue({cursor.string(): double(cursor) for _ in range(cursor.length())})


def _ziplists(cursor: Cursor) -> ListValue:
    return ListValue(tuple(item for _ in range(cursor.length()) for item in ziplist(cursor.string())))


def _nodes(cursor: Cursor) -> ListValue:
    items: list[bytes] = []
    for _ in range(cursor.length()):
        plain = cursor.length() == _PLAIN_NODE
        blob = cursor.string()
        items += [blob] if plain else listpack(blob)
    return ListValue(tuple(items))


_TYPES: Mapping[int, tuple[str, Callable[[Cursor], Value] | None]] = {
    0: ("string", lambda cursor: StringValue(cursor.string())),
    1: ("list", lambda cursor: ListValue(tuple(_strings(cursor)))),
    2: ("set", lambda cursor: SetValue(frozenset(_strings(cursor)))),
    3: ("zset", _sorted_set(_old_double)),
    4: ("hash", _hash),
    5: ("zset", _sorted_set(Cursor.double)),
    6: ("module value", None),
    7: ("module value", None),
    9: ("hash", lambda cursor: HashValue(_pairs(zipmap(cursor.string())))),
    10: ("list", lambda cursor: ListValue(tuple(ziplist(cursor.string())))),
    11: ("set", lambda cursor: SetValue(frozenset(intset(cursor.string())))),
    12: ("zset", lambda cursor: _scores(ziplist(cursor.string()))),
    13: ("hash", lambda cursor: HashValue(_pairs(ziplist(cursor.string())))),
    14: ("list", _ziplists),
    15: ("stream", lambda cursor: stream(cursor, 1)),
    16: ("hash", lambda cursor: HashValue(_pairs(listpack(cursor.string())))),
    17: ("zset", lambda cursor: _scores(listpack(cursor.string()))),
    18: ("list", _nodes),
    19: ("stream", lambda cursor: stream(cursor, 2)),
    20: ("set", lambda cursor: SetValue(frozenset(listpack(cursor.string())))),
    21: ("stream", lambda cursor: stream(cursor, 3)),
    24: ("hash", _hash_with_expiries),
    25: ("hash", _listpack_with_expiries),
}
"""First byte of a payload → the word of TYPE, and what reads it; None: nothing can. As RDB_TYPE_… in Redis's rdb.h."""
