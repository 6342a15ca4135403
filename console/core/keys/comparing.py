"""A kept key and the same key on a server: whether it is missing there, equal, or differs, and in what."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from enum import StrEnum

from console.core.keys.exported import ExportedKey
from console.core.keys.rdb.cursor import UnreadableValueError
from console.core.keys.rdb.payload import FOOTER, may_be_shared, type_of, value_of
from console.core.keys.values import HashValue, StringValue, Value
from console.core.quantities import size, span
from console.core.visible import visible

EXPIRY_SLACK = 5.0
"""Seconds by which two expiries may differ: they are read as times to live, and not at the same instant."""


class Fate(StrEnum):
    """How a kept key stands to the server. The journal keeps these words."""

    MISSING = "missing"
    EQUAL = "equal"
    EXPIRY = "expiry"
    """The same value, with another expiry."""
    VALUE = "value"
    """Another value of the same type."""
    TYPE = "type"
    """A value of another type."""
    EXPIRED = "expired"
    """The kept key would have expired in the meantime."""


CONFLICTS = (Fate.EXPIRY, Fate.VALUE, Fate.TYPE)


@dataclass(frozen=True, slots=True)
class KeyThere:
    """What a server holds under a key."""

    payload: bytes = b""
    """Empty: nothing."""
    expires_at: float | None = None
    """Epoch seconds on the clock of this machine."""
    idle: int | None = None
    """Seconds since it was read or written, also by this console. None: not known."""


NO_KEY = KeyThere()
"""What a server holds under a key that it does not have. There is one such value: it is told by its identity."""


def compare(kept: ExportedKey, there: KeyThere, now: float, slack: float = EXPIRY_SLACK) -> Fate:
    """Compares both values. Values that cannot be read are equal only where their payloads are."""
    payload, expires_at = there.payload, kept.expires_at
    if expires_at is not None and expires_at <= now:
        return Fate.EXPIRED
    if not payload:
        return Fate.MISSING
    if not same_value(kept.payload, there.payload, now):
        return Fate.VALUE if type_of(kept.payload) == type_of(there.payload) else Fate.TYPE
    return Fate.EQUAL if same_expiry(kept.expires_at, there.expires_at, slack) else Fate.EXPIRY


def same_value(one: bytes, other: bytes, now: float) -> bool:
    """Whether two payloads have the same value, whatever form it has in them. `now`: epoch seconds."""
    if one[:-FOOTER] == other[:-FOOTER]:
        return True
    if type_of(one) != type_of(other):
        return False
    try:
        return _living(value_of(one), now) == _living(value_of(other), now)
    except UnreadableValueError:
        return False


def same_expiry(one: float | None, other: float | None, slack: float = EXPIRY_SLACK) -> bool:
    """Whether both never expire, or expire at the same time."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= slack


def _living(value: Value, now: float) -> Value:
    """The value without fields that have expired: a server removes them at some later time."""
    if not isinstance(value, HashValue) or not value.expiries:
        return value
    gone = {name for name, at in value.expiries.items() if at <= now * 1000}
    fields = {name: one for name, one in value.fields.items() if name not in gone}
    return replace(value, fields=fields, expiries={name: at for name, at in value.expiries.items() if name in fields})


def written_since(kept: ExportedKey, there: KeyThere, now: float) -> bool | None:
    """Whether the server's value was written or removed after the kept one was exported. None: not known."""
    if kept.there is None:
        return None
    if not kept.there or not there.payload:
        return bool(kept.there) or bool(there.payload)
    return not same_value(kept.there, there.payload, now)


# --- in words -------------------------------------------------------------------------------------------------------


def value_in_words(payload: bytes, expires_at: float | None, now: float) -> str:
    """`hash, 3 fields, 58 bytes, expires in 12 min`: type, extent, size of the payload, and time to live."""
    if not payload:
        return "nothing"
    extent = ""
    with contextlib.suppress(UnreadableValueError):
        extent = value_of(payload).extent()
    parts = filter(None, (type_of(payload), extent, f"{size(len(payload))} dumped"))
    left = "no expiry" if expires_at is None else f"expires in {span(max(0.0, expires_at - now))}"
    return ", ".join((*parts, left))


MOST_SHOWN = 120
"""Characters of a value that are shown where an operator asks for values. A longer one is not shown in part."""


def value_shown(payload: bytes) -> str:
    """The value itself, where it is a short string of visible characters; else why it is not shown.

    A value may be a secret: this is for an operator who asks for it, and for no journal and no log.
    """
    if not payload:
        return "nothing"
    try:
        value = value_of(payload)
    except UnreadableValueError:
        return "not shown: its form is not known"
    if not isinstance(value, StringValue):
        return f"not shown: a {value.type}"
    try:
        text = value.data.decode()
    except UnicodeDecodeError:
        return "not shown: it is no text"
    if len(text) > MOST_SHOWN:
        return f"not shown: longer than {MOST_SHOWN} characters"
    return f"“{visible(text)}”"


def written_in_words(kept: ExportedKey, there: KeyThere, now: float) -> tuple[str, str]:
    """When each of the two values was written, as far as that is known: of the kept one, and of the server's."""
    of_kept = "when it was written is not known"
    if kept.idle is not None and not may_be_shared(kept.payload):  # older exports have one for those as well
        of_kept = f"not used in the {span(kept.idle)} before the export"
    written = written_since(kept, there, now)
    if written is None:
        since = "not known whether it was written after the export"
    elif not kept.there:
        since = "written after the export" if written else ""
    else:
        since = "changed after the export" if written else "not changed since the export"
    used = f"last used {span(there.idle)} ago" if there.idle is not None else "last use not known"
    return of_kept, ", ".join(filter(None, (since, used if there.payload else "")))
