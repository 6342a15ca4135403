"""One line of a file of exported keys: a key, its value as DUMP answers it, and what another server held."""

from __future__ import annotations

import json
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Mapping
from typing import Any, NamedTuple

_LAST_MOMENT = 1e12
"""Epoch seconds after which nothing expires."""
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


def exported_key(line: Mapping[str, Any], exported_at: float, number: int = 0) -> ExportedKey:
    """A line of an export, which is a JSON object. Raises ValueError, which names the line.

    `exported_at`: epoch seconds, for lines of older versions, which do not have their own time.
    """
    try:
        pttl, at, other = line["pttl"], line.get("at"), line.get("there")
        return ExportedKey(
            int(line["db"]),
            a2b_base64(line["key_base64"], strict_mode=True),
            a2b_base64(line["dump_base64"], strict_mode=True),
            _moment((exported_at if at is None else at / 1000) + pttl / 1000) if pttl > 0 else None,
            line.get("idle"),
            None if other is None else a2b_base64(other.get("dump_base64") or "", strict_mode=True),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise ValueError(f"line {number} is none of an export of keys") from None


def _moment(seconds: float) -> float:
    """Epoch seconds. Raises ValueError for what is no time of this age."""
    if not 0 < seconds < _LAST_MOMENT:
        raise ValueError("no time")
    return seconds


def line_of(one: ExportedKey, now: float) -> str:
    """The key as a line of an export that is written `now`."""
    pttl = 0 if one.expires_at is None else max(1, round((one.expires_at - now) * 1000))
    line: dict[str, object] = {"db": one.db, "key": readable(one.key), "key_base64": b64encode(one.key).decode()}
    line |= {"at": round(now * 1000), "pttl": pttl, "dump_base64": b64encode(one.payload).decode()}
    return json.dumps(line) + "\n"


def readable(key: bytes) -> str:
    """The key as a text, for reading only."""
    return key.decode("utf-8", "replace")[:LONGEST_NAME]
