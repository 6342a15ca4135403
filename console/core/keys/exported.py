"""One line of a file of exported keys: a key, its value as DUMP answers it, and what another server held."""

from __future__ import annotations

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeGuard, cast

_LAST_MOMENT = 1e12
"""Epoch seconds after which nothing expires."""
WITHOUT_IT = "A copy of the file without this line can be brought with --export FILE"
LAST_DATABASE = 2**31 - 1
LONGEST_NAME = 200
"""Characters of a key that are kept to be read."""


class ExportedKey(NamedTuple):
    """A key that was kept. There may be a million of them: a tuple is made several times faster than a dataclass."""

    db: int
    key: bytes
    payload: bytes
    """As DUMP answers and RESTORE takes it."""
    expires_at: float | None
    """Epoch seconds on the clock of the machine that exported it; None: it does not expire."""
    idle: int | None = None
    """Seconds since it was read or written, when it was exported; None: not known."""
    there: bytes | None = None
    """The payload of the other server at that time; empty: it had none. None: not recorded."""


class DecodedLine(Protocol):
    """A line of an export, all of whose values have the usual form. Its base64 is decoded."""

    db: int
    key_base64: bytes
    dump_base64: bytes
    pttl: int
    at: int | None
    idle: int | None
    there: Any
    """What has the payload of the other server as `dump_base64`."""


KeyLines: TypeAlias = Sequence[Mapping[str, Any]] | Sequence[DecodedLine]
"""Lines of an export: as JSON objects, or all of them decoded."""
_as_key = partial(tuple.__new__, ExportedKey)
"""Makes one of its parts, which come as a tuple."""


def exported_keys(lines: KeyLines, exported_at: float, numbers: Sequence[int]) -> list[ExportedKey]:
    """As `exported_key`, for many lines. Where they are decoded, one column after the other: that is much faster."""
    if are_objects(lines):
        return [exported_key(line, exported_at, number) for line, number in zip(lines, numbers, strict=True)]
    return _of_decoded(cast("Sequence[DecodedLine]", lines), exported_at, numbers)


def are_objects(lines: KeyLines) -> TypeGuard[Sequence[Mapping[str, Any]]]:
    """Whether the lines are JSON objects, and not decoded."""
    return not lines or isinstance(lines[0], Mapping)


def _of_decoded(lines: Sequence[DecodedLine], exported_at: float, numbers: Sequence[int]) -> list[ExportedKey]:
    try:
        expiries = [None if one.pttl <= 0 else _expiry(one.at, one.pttl, exported_at) for one in lines]
    except (ValueError, OverflowError):  # one of them is wrong: read alone, it is named
        return [exported_key(_fields(line), exported_at, number) for line, number in zip(lines, numbers, strict=True)]
    columns = (
        [one.db for one in lines],
        [one.key_base64 for one in lines],
        [one.dump_base64 for one in lines],
        expiries,
        [one.idle for one in lines],
        [None if one.there is None else one.there.dump_base64 for one in lines],
    )
    return list(map(_as_key, zip(*columns, strict=True)))


def _fields(one: DecodedLine) -> Mapping[str, Any]:
    other = None if one.there is None else {"dump_base64": one.there.dump_base64}
    coded = {"key_base64": one.key_base64, "dump_base64": one.dump_base64, "there": other}
    return {"db": one.db, "pttl": one.pttl, "at": one.at, "idle": one.idle, **coded}


def exported_key(line: Mapping[str, Any], exported_at: float, number: int = 0) -> ExportedKey:
    """A line of an export, which is a JSON object. Raises ValueError, which names the line.

    `exported_at`: epoch seconds, for lines of older versions, which do not have their own time.
    """
    try:
        db, pttl, other, at, idle = line["db"], line["pttl"], line.get("there"), line.get("at"), line.get("idle")
        _require_numbers((db, idle), (pttl, at))
        _possible([db], [pttl])
        return ExportedKey(
            db,
            _decoded(line["key_base64"]),
            _decoded(line["dump_base64"]),
            _expiry(at, pttl, exported_at) if pttl > 0 else None,
            idle,
            None if other is None else _decoded(other.get("dump_base64") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise ValueError(f"line {number} is none of an export of keys. {WITHOUT_IT}") from None


def _decoded(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else a2b_base64(value, strict_mode=True)


def _possible(dbs: Sequence[int], times_left: Sequence[float]) -> Sequence[int]:
    """The numbers of databases. Raises ValueError if one can be none, or a time to live. NaN is no time."""
    if min(dbs) < 0 or max(dbs) > LAST_DATABASE or [one for one in times_left if not one >= 0]:
        raise ValueError("no database, or no time to live")
    return dbs


def _require_numbers(whole: Sequence[object], numbers: Sequence[object]) -> None:
    """Raises ValueError for a text, a truth value and all else that is no number. None is nothing."""
    if {*map(type, whole)} - {int, type(None)} or {*map(type, numbers)} - {int, float, type(None)}:
        raise ValueError("no number")


def _expiry(at: float | None, pttl: float, exported_at: float) -> float:
    """Epoch seconds. `at`, `pttl`: milliseconds. Raises ValueError for what is no time of this age."""
    seconds = (exported_at if at is None else at / 1000) + pttl / 1000
    if not 0 < seconds < _LAST_MOMENT:
        raise ValueError("no time")
    return seconds


def fields_of(one: ExportedKey, now: float) -> dict[str, object]:
    """The key as the object that a line of an export is, which is written `now`."""
    pttl = 0 if one.expires_at is None else max(1, round((one.expires_at - now) * 1000))
    coded = {"key_base64": b64encode(one.key).decode(), "dump_base64": b64encode(one.payload).decode()}
    return {"db": one.db, "key": readable(one.key), "at": round(now * 1000), "pttl": pttl, **coded}


def readable(key: bytes) -> str:
    """The key as a text, for reading only."""
    return key.decode("utf-8", "replace")[:LONGEST_NAME]
