"""Reads what a server holds under given keys. `SENT` lists every command that is sent: they only read.

Their only effects are that a server removes an expired key when a command touches it, and that DUMP counts as a use of
the key. So the time of the last use is asked before.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence

from console.core.keys.comparing import NO_KEY, KeyThere
from console.core.keys.rdb.payload import may_be_shared
from console.probes.redis import info as redis_info
from console.transport.connections.errors import RemoteError
from console.transport.connections.own_load import own_load
from console.transport.redis.connection import Question, RedisConnection
from console.transport.redis.raw_replies import RawRefusal, RawReply, packed

SENT = frozenset({"SELECT", "EXISTS", "OBJECT IDLETIME", "DUMP", "PTTL"})
ANSWER_TIMEOUT = 120.0
"""Seconds to wait for the answers to one portion."""
PORTION = 200
"""Keys whose values are asked for at once: the server holds all of their values in memory until they are sent."""
_IDENTITY_TIMEOUT = 5.0
_NO_DATABASE = re.compile(r"DB index is out of range|invalid DB index")
"""In the refusal of a server that has fewer databases: of today's versions, and of those before 3.2."""
_GONE = -2
"""The reply to PTTL for a key that is not there."""


class RedisKeyReader:
    """Implements the engine's KeyReader on a connection that is open."""

    def __init__(self, node: str, link: RedisConnection, now: Callable[[], float]) -> None:
        self._node = node
        self._link = link
        self._now = now
        self._object, self._dump, self._pttl = (link.name_of(one) for one in ("OBJECT", "DUMP", "PTTL"))

    def look(self, db: int, keys: Sequence[bytes], meanwhile: Callable[[], None]) -> list[KeyThere]:
        """What the server holds under these keys, in their order. Raises OSError with one line of text.

        `meanwhile` is called while the server works on what it was asked.
        """
        with own_load(self._link.server):
            if self._has_none(db, keys, meanwhile):
                return [NO_KEY] * len(keys)
            parts = range(0, len(keys), PORTION)
            return [one for start in parts for one in self._read(db, keys[start : start + PORTION])]

    def _read(self, db: int, keys: Sequence[bytes]) -> list[KeyThere]:
        parts = [packed(self._link.name_of("SELECT"), b"%d" % db)]
        for key in keys:
            parts += (packed(self._object, b"IDLETIME", key), packed(self._dump, key), packed(self._pttl, key))
        replies, now = self._ask(parts, 1 + 3 * len(keys)), self._now()
        if isinstance(replies[0], RawRefusal):
            raise OSError(f"{self._node}, database {db}: {self._link.clean(replies[0].text)}")
        return [key_there(replies[at], replies[at + 1], replies[at + 2], now) for at in range(1, len(replies), 3)]

    def _ask(self, parts: Sequence[bytes], count: int, meanwhile: Callable[[], None] | None = None) -> list[RawReply]:
        try:
            return self._link.exchange(_and_then(parts, meanwhile), count, time.monotonic() + ANSWER_TIMEOUT)
        except RemoteError as error:
            raise OSError(str(error)) from None

    def _has_none(self, db: int, keys: Sequence[bytes], meanwhile: Callable[[], None]) -> bool:
        """Whether the server has none of these keys: one command, where most often all are missing.

        False also where it does not count several keys at once (before Redis 3.0.3).
        """
        asked = (packed(self._link.name_of("SELECT"), b"%d" % db), packed(self._link.name_of("EXISTS"), *keys))
        chosen, found = self._ask(asked, 2, meanwhile)
        if isinstance(chosen, RawRefusal) and _NO_DATABASE.search(chosen.text):
            return True  # the other databases are looked at all the same; what is sent there is refused, and listed
        return (chosen, found) == (b"OK", 0)

    def close(self) -> None:
        self._link.close()


def _and_then(parts: Sequence[bytes], meanwhile: Callable[[], None] | None) -> Iterator[bytes]:
    yield b"".join(parts)
    if meanwhile is not None:
        meanwhile()


def key_there(idle: RawReply, dump: RawReply, pttl: RawReply, now: float) -> KeyThere:
    """The replies to OBJECT IDLETIME, DUMP and PTTL as a value. Raises OSError if one of the last two is refused.

    A server that evicts by frequency of use does not know when a key was used, and nobody knows it of a value that keys
    share. A key may expire between both replies.
    """
    for reply in (dump, pttl):
        if isinstance(reply, RawRefusal):
            raise OSError(f"the key cannot be read: {reply.text}")
    if not isinstance(dump, bytes) or not isinstance(pttl, int) or pttl == _GONE:
        return NO_KEY
    used = idle if isinstance(idle, int) and not may_be_shared(dump) else None
    return KeyThere(dump, now + pttl / 1000 if pttl >= 0 else None, used)


def open_reader(node: str, link: RedisConnection, run_id: str, now: Callable[[], float]) -> RedisKeyReader:
    """Connects, and checks that the server is the one that was observed (H07). Raises OSError with one line of text."""
    try:
        link.connect()
        link.send((Question.INFO_SERVER,))
        replies = link.receive(time.monotonic() + _IDENTITY_TIMEOUT)
    except RemoteError as error:
        link.close()
        raise OSError(str(error)) from None
    found = redis_info.parse_identity(str(replies[0]))[0] if replies else ""
    if not run_id or found != run_id:
        link.close()
        raise OSError(f"{node} is not the one that was observed: run_id was {run_id or '?'}, is {found or '?'}")
    return RedisKeyReader(node, link, now)
