"""What came of the keys of one batch: each is compared with what was sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from console.core.keys.comparing import same_expiry, same_value
from console.core.runs.replays.batch import KeyToSend, Left
from console.transport.redis.connection import RedisConnection
from console.transport.redis.keys.reader import key_there
from console.transport.redis.raw_replies import RawReply

_REFUSES_ALL = ("READONLY", "MISCONF", "OOM", "NOREPLICAS", "LOADING", "NOAUTH", "NOPERM", "MASTERDOWN", "CLUSTERDOWN")
"""Beginnings of refusals that the next key would get as well."""
_BUSY = "BUSYKEY"
_ROUNDED = 0.001
"""Seconds. Times to live are sent in whole milliseconds."""
_CLOSE = 1.0
"""Seconds. What is farther off is looked at more closely."""


class SendTally:
    """The keys that were left so far, and whether more may be sent."""

    def __init__(self, node: str, link: RedisConnection, now: Callable[[], float]) -> None:
        self._node = node
        self._link = link
        self._now = now
        self.left: dict[int, tuple[Left, str]] = {}
        """Place in the batch → why, and the server's words."""
        self.stop = ""
        """Why nothing more may be sent. Empty: it may."""

    def verify(self, one: KeyToSend, stored: RawReply, time_left: RawReply) -> None:
        """Compares the replies to DUMP and PTTL with what was sent."""
        now = self._now()
        try:
            there = key_there(None, stored, time_left, now)
        except OSError as error:
            self.left[one.place] = Left.NOT_VERIFIED, self._link.clean(str(error))
            return
        expires_at = one.kept.expires_at
        if not there.payload and expires_at is not None and expires_at <= now + _ROUNDED:
            self.left[one.place] = Left.EXPIRED, "it has expired since it was sent"
        elif not there.payload:
            self.left[one.place] = Left.NOT_VERIFIED, "it was sent, and is not there any more"
        elif not same_value(one.kept.payload, there.payload, now):
            self.left[one.place] = Left.NOT_VERIFIED, "it was sent, and its value there is another one now"
        elif not same_expiry(one.kept.expires_at, there.expires_at):
            self.left[one.place] = Left.NOT_VERIFIED, "it was sent, and its expiry there is another one now"

    def verify_expiries(self, keys: Sequence[KeyToSend], times_left: Sequence[RawReply]) -> None:
        """Compares the replies to PTTL with what was sent, where the replies to DUMP are known to be as they were."""
        now = self._now()
        for one, left in zip(keys, times_left, strict=True):
            due = one.kept.expires_at
            if due is None or type(left) is not int or left < 0 or abs(now + left / 1000 - due) >= _CLOSE:
                self.verify(one, one.kept.payload, left)

    def refuse(self, one: KeyToSend, text: str) -> None:
        """Takes the words with which the server refused a key."""
        if text.startswith(_BUSY):
            self.left[one.place] = Left.APPEARED, "a client has written it since it was shown"
            return
        self.left[one.place] = Left.REFUSED, self._link.clean(text)
        if text.startswith(_REFUSES_ALL) or "unknown command" in text:
            self.stop = self.stop or f"{self._node} refuses what is sent: {self._link.clean(text)}"

    def not_reached(self, keys: Sequence[KeyToSend]) -> None:
        for one in keys:
            self.left[one.place] = Left.NOT_REACHED, ""
