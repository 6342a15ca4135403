"""Keys on their way to the master: what is sent together, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from console.core.keys.comparing import Fate, KeyThere, same_expiry
from console.core.keys.exported import ExportedKey
from console.core.keys.rdb.payload import FOOTER
from console.core.runs.answer import Answer


class Left(StrEnum):
    """Why a key was not brought. The journal and the list of what was left keep these words."""

    EQUAL = "equal"
    EXPIRED = "expired"
    NOT_CONFIRMED = "not confirmed"
    APPEARED = "appeared"
    """Nothing was there when it was shown, and a client has written it since."""
    CHANGED = "changed"
    """A client has changed or removed it since it was shown."""
    CHANGED_SINCE = "changed since it was brought"
    """An earlier part of this run brought it. A client has changed or removed it since."""
    REFUSED = "refused"
    """The server refused it, or no command of its version writes it."""
    NOT_VERIFIED = "not verified"
    """It was sent, and what is there now is not what was sent."""
    NOT_REACHED = "not reached"
    """The run ended before."""
    UNKNOWN = "answer lost"
    """It was sent, and no answer came."""


def digest_of(payload: bytes) -> bytes:
    """What is remembered of a value that was shown. Empty: nothing was there."""
    return blake2b(payload[:-FOOTER], digest_size=16).digest() if payload else b""


class KeyToSend(NamedTuple):
    """A kept key, and what the operator was shown of the master's."""

    place: int
    """In its batch."""
    kept: ExportedKey
    fate: Fate
    """The same for all keys of a batch."""
    shown: bytes = b""
    """Digest of the master's value. Empty: it had none."""
    shown_expiry: float | None = None

    def is_as_shown(self, there: KeyThere) -> bool:
        """Whether the master still holds what was shown."""
        return digest_of(there.payload) == self.shown and same_expiry(there.expires_at, self.shown_expiry)


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What came of a batch. Every key of it that is not in `left` was brought and verified."""

    answer: Answer
    left: Mapping[int, tuple[Left, str]] = field(default_factory=dict)
    """Place in the batch → why it was left, and the server's words."""
    stop: str = ""
    """Why nothing more may be sent. Empty: it may."""
