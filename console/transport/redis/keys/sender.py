"""Sends kept keys to a master. Only an armed run has one.

What is guaranteed:
- A key that was missing is sent with RESTORE without REPLACE. If a client has made it meanwhile, the server refuses it
  (BUSYKEY), and it stays as the client wrote it.
- Where commands by type are needed, or something is replaced, it is a transaction: WATCH, then a look whether the key
  is as it was shown, then MULTI and EXEC. A client that writes in between makes the server drop the transaction.
- Each key is read back (DUMP and PTTL) behind the command that wrote it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import itemgetter

from console.core.keys.by_type import NotWritableError, commands_by_type
from console.core.keys.comparing import Fate, KeyThere
from console.core.keys.exported import ExportedKey
from console.core.keys.rdb.cursor import UnreadableValueError
from console.core.keys.rdb.payload import FOOTER, is_damaged, value_of, version_of_payload
from console.core.keys.rdb_versions import REPLACE_SINCE, newest_payload
from console.core.quantities import counted
from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.replays.batch import BatchAnswer, KeyToSend, Left
from console.transport.connections.errors import RemoteError
from console.transport.redis.connection import RedisConnection
from console.transport.redis.keys.reader import key_there
from console.transport.redis.keys.tally import SendTally
from console.transport.redis.raw_replies import (
    LINE_END,
    Foretold,
    RawRefusal,
    RawReply,
    heads,
    joined,
    packed,
    packed_word,
)

SENT = frozenset(
    [
        "SELECT",
        "INFO",
        "DUMP",
        "PTTL",
        "WATCH",
        "UNWATCH",
        "MULTI",
        "EXEC",
        "RESTORE",
        "PEXPIRE",
        "PERSIST",
        "DEL",
        "SET",
        "RPUSH",
        "SADD",
        "HSET",
        "HMSET",
        "ZADD",
        "XADD",
        "XSETID",
        "XGROUP",
        "XCLAIM",
    ]
)
"""Every command that is sent after AUTH."""
ANSWER_TIMEOUT, SLOWEST = 120.0, 100_000
"""Seconds to wait for the answers to one batch, and bytes a second of the slowest link that is waited for besides."""
MOST_IN_TRANSACTION = 100
"""Keys. While the server carries out a transaction it serves nobody else."""
_OTHER_FORM = "payload version or checksum"
_PART = 1_000
"""Keys that are packed while the server works on those before."""
_EVICTED = re.compile(rb"^evicted_keys:([0-9]{1,18})\r?$", re.MULTILINE)
_version_of = itemgetter(slice(-FOOTER, -8))
"""The bytes of a payload that say which versions understand it."""
_LASTING = b"\r\n$1\r\n0\r\n"
"""The time to live of a key that does not expire, behind the end of its name."""
_LASTS = b":-1\r\n"
"""The reply to PTTL for such a key."""
_DONE = b"+OK\r\n"
Keep = Callable[[Sequence[ExportedKey]], None]


class RedisKeySender:
    """Implements the engine's KeySender on a connection whose server was identified."""

    def __init__(
        self, node: str, link: RedisConnection, flavour: str, version: Sequence[int], now: Callable[[], float]
    ) -> None:
        self._node = node
        self._link = link
        self._version = version
        self._newest = newest_payload(flavour, version)
        self._now = now
        self._timeout = ANSWER_TIMEOUT
        self._evicted: int | None = None
        """Keys that the server had evicted before anything was sent. None: not asked yet."""
        self._db: int | None = None
        """The database that is chosen on the connection."""

    def send(self, batch: Sequence[KeyToSend], keep: Keep, meanwhile: Callable[[], None]) -> BatchAnswer:
        """Sends the keys, all of one database, and reads each back. Raises nothing.

        `keep` gets the values that are replaced, before they are. It returns when they are on the disk. Where it raises
        OSError, these are not replaced, and nothing more is sent. `meanwhile` is called while the server works on what
        was sent.
        """
        tally = SendTally(self._node, self._link, self._now)
        self._timeout = ANSWER_TIMEOUT + sum(map(len, [one.kept.payload for one in batch])) / SLOWEST
        try:
            self._send(batch, tally, keep, meanwhile)
        except RemoteError as error:
            text = self._link.clean(f"{error}; what was under way may have been carried out")
            return BatchAnswer(Answer(AnswerKind.UNKNOWN, text), tally.left, text)
        brought = len(batch) - len(tally.left)
        kind = AnswerKind.DONE if brought or not tally.stop else AnswerKind.FAILED
        return BatchAnswer(Answer(kind, f"{brought} of {len(batch)} brought and verified"), tally.left, tally.stop)

    def close(self) -> None:
        self._link.close()

    def _send(self, batch: Sequence[KeyToSend], tally: SendTally, keep: Keep, meanwhile: Callable[[], None]) -> None:
        now = self._now()
        gone = [one for one in batch if one.kept.expires_at is not None and one.kept.expires_at <= now]
        for one in gone:
            tally.left[one.place] = Left.EXPIRED, "it has expired in the meantime"
        items = [one for one in batch if one.place not in tally.left] if gone else batch
        if not items:
            return
        if why := self._select(items[0].kept.db):
            for one in items:
                tally.left[one.place] = Left.REFUSED, why
            return
        if self._evicted is None:
            self._evicted = _evicted_by(self._ask([self._state_question], 1)[0])
        other = items
        if items[0].fate is Fate.MISSING:  # all keys of a batch are of one class
            versions = set(map(_version_of, [one.kept.payload for one in items]))
            all_simple = all(int.from_bytes(one, "little") <= self._newest for one in versions)
            simple = items if all_simple else [one for one in items if self._understands(one.kept.payload)]
            other = [] if all_simple else [one for one in items if not self._understands(one.kept.payload)]
            other += self._restore(simple, tally, meanwhile) if simple else []
        for start in range(0, len(other), MOST_IN_TRANSACTION):
            if tally.stop:
                tally.not_reached(other[start:])
                break
            self._transaction(other[start : start + MOST_IN_TRANSACTION], tally, keep)
        if other:
            tally.stop = tally.stop or self._why_stop(self._ask([self._state_question], 1)[0])

    def _select(self, db: int) -> str:
        """Chooses the database. Returns why it cannot be chosen: the server may have fewer of them."""
        if db == self._db:
            return ""
        replies = self._ask([packed(self._link.name_of("SELECT"), b"%d" % db)], 1)
        said = replies[0]
        self._db = db if said == b"OK" else None
        return "" if said == b"OK" else self._link.clean(said.text if isinstance(said, RawRefusal) else f"db{db}")

    # --- keys that are missing ----------------------------------------------------------------------------------------

    def _restore(self, items: Sequence[KeyToSend], tally: SendTally, meanwhile: Callable[[], None]) -> list[KeyToSend]:
        """Sends keys that are missing, and reads them back. Returns those that the server does not understand.

        Most often each answer but the times to live can be foretold: then all of them are compared at once.
        """
        parts = [_Part(items[start : start + _PART]) for start in range(0, len(items), _PART)]
        why_stop = self._why_stop(self._ask(self._restore_parts(parts, meanwhile), 1)[0])
        again: list[KeyToSend] = []
        for part in parts:
            if part.replies.as_foretold:
                tally.verify_expiries(part.expiring, part.replies.found)
            else:
                again += _judge_each(part, tally)
        tally.stop = tally.stop or why_stop
        return again

    def _restore_parts(self, parts: Sequence[_Part], meanwhile: Callable[[], None]) -> Iterator[bytes | Foretold]:
        """RESTORE and DUMP of each key of a part, then PTTL of all, and at the end the server's state.

        `meanwhile` is called when all of it is sent, and before the last replies are read.
        """
        now, end = self._now(), LINE_END
        restore, dump, left = (self._begin(*one) for one in (("RESTORE", 4), ("DUMP", 2), ("PTTL", 2)))
        for part in parts:
            names, payloads = [one.key for one in part.kept], [one.payload for one in part.kept]
            name, payload = list(heads(names)), list(heads(payloads))
            ttl = [
                _LASTING if one.expires_at is None else end + packed_word(_time_to_live(one, now)) for one in part.kept
            ]
            # What follows a word stands before the next one, in one piece: fewer pieces are joined faster.
            first, then, last = repeat(end + restore), repeat(end + dump), repeat(end + left)
            written = joined(first, name, names, ttl, payload, payloads, then, name, names)
            yield written[len(end) :] + joined(last, name, names) + end
            replies = joined(repeat(end + _DONE), payload, payloads)
            part.replies.known = replies[len(end) :] + end + part.lasting * _LASTS
            yield part.replies
        yield self._state_question
        meanwhile()

    def _begin(self, command: str, words: int) -> bytes:
        """The beginning of a command of so many words."""
        return b"*%d\r\n%b" % (words, packed_word(self._link.name_of(command)))

    # --- transactions -------------------------------------------------------------------------------------------------

    def _transaction(self, items: Sequence[KeyToSend], tally: SendTally, keep: Keep) -> None:
        """Writes these keys in one transaction, if each is as it was shown. Smaller ones where a client interferes."""
        ready = self._watched(items, tally)
        if not ready:
            self._ask([packed(self._link.name_of("UNWATCH"))], 1)
            return
        replaced = [ExportedKey(one.kept.db, one.kept.key, at.payload, at.expires_at) for one, at, _ in ready]
        try:
            keep([one for one in replaced if one.payload])
        except OSError as error:
            tally.stop = f"what would be replaced could not be kept in a file: {error.strerror or error}"
            tally.not_reached([one for one, _, _ in ready])
            self._ask([packed(self._link.name_of("UNWATCH"))], 1)
            return
        commands = [packed(b"MULTI")]
        for one, _, own in ready:
            commands += [packed(self._link.name_of(words[0].decode()), *words[1:]) for words in own]
            commands += [
                packed(self._link.name_of("DUMP"), one.kept.key),
                packed(self._link.name_of("PTTL"), one.kept.key),
            ]
        commands.append(packed(b"EXEC"))
        replies = self._ask([b"".join(commands)], len(commands))
        done = replies[-1]
        if isinstance(done, list):
            place = 0
            for one, _, own in ready:
                self._judge(one, done[place : place + len(own) + 2], tally)
                place += len(own) + 2
        elif len(ready) > 1:
            half = [one for one, _, _ in ready]
            for part in (half[: len(half) // 2], half[len(half) // 2 :]):
                if tally.stop:
                    tally.not_reached(part)
                else:
                    self._transaction(part, tally, keep)
        elif isinstance(done, RawRefusal):
            errors = [one.text for one in replies if isinstance(one, RawRefusal)]
            tally.refuse(ready[0][0], errors[0])
        else:
            tally.left[ready[0][0].place] = Left.CHANGED, "a client wrote it at the moment of sending"

    def _watched(
        self, items: Sequence[KeyToSend], tally: SendTally
    ) -> list[tuple[KeyToSend, KeyThere, list[tuple[bytes, ...]]]]:
        """Watches the keys. Returns those that are as they were shown, with what is there and the commands for them."""
        commands = [packed(self._link.name_of("WATCH"), *(one.kept.key for one in items))]
        for one in items:
            commands += [
                packed(self._link.name_of("DUMP"), one.kept.key),
                packed(self._link.name_of("PTTL"), one.kept.key),
            ]
        replies = self._ask([b"".join(commands)], len(commands))
        now, ready = self._now(), []
        watched = replies[0]
        for number, one in enumerate(items):
            if isinstance(watched, RawRefusal):
                tally.refuse(one, watched.text)
                continue
            try:
                there = key_there(None, replies[2 * number + 1], replies[2 * number + 2], now)
                if not one.is_as_shown(there):
                    why = Left.CHANGED if one.shown else Left.APPEARED
                    tally.left[one.place] = why, _what_happened(one, there, now)
                    continue
                ready.append((one, there, self._commands(one, now)))
            except (OSError, NotWritableError, UnreadableValueError) as error:
                tally.refuse(one, str(error))
        return ready

    def _commands(self, one: KeyToSend, now: float) -> list[tuple[bytes, ...]]:
        """What makes the key on the server the kept one. Raises NotWritableError, UnreadableValueError."""
        kept, name = one.kept, one.kept.key
        ttl = _time_to_live(kept, now)
        if one.fate is Fate.EXPIRY:
            return [(b"PERSIST", name) if kept.expires_at is None else (b"PEXPIRE", name, ttl)]
        replace = () if one.fate is Fate.MISSING else (b"REPLACE",)
        if self._understands(kept.payload) and (not replace or tuple(self._version) >= REPLACE_SINCE):
            return [(b"RESTORE", name, ttl, kept.payload, *replace)]
        if is_damaged(kept.payload):
            raise UnreadableValueError("the value in the file is damaged: its checksum does not fit")
        commands = commands_by_type(name, value_of(kept.payload), self._version)
        expiry = [] if kept.expires_at is None else [(b"PEXPIRE", name, ttl)]
        return [(b"DEL", name), *commands, *expiry]

    def _judge(self, one: KeyToSend, replies: Sequence[RawReply], tally: SendTally) -> None:
        """The replies to the commands of one key within EXEC, with DUMP and PTTL behind them."""
        *said, stored, time_left = replies
        errors = [reply.text for reply in said if isinstance(reply, RawRefusal)]
        if not errors:
            tally.verify(one, stored, time_left)
        elif _OTHER_FORM in errors[0]:
            tally.refuse(one, "the server does not understand the payload in the file")
        elif len(said) == 1:
            tally.refuse(one, errors[0])
        else:
            tally.left[one.place] = Left.NOT_VERIFIED, f"only a part of it was written: {self._link.clean(errors[0])}"

    # --- for both -----------------------------------------------------------------------------------------------------

    def _understands(self, payload: bytes) -> bool:
        return version_of_payload(payload) <= self._newest

    @property
    def _state_question(self) -> bytes:
        """Asked behind each batch: the server's role, and how many keys it has evicted."""
        return packed(self._link.name_of("INFO"))

    def _why_stop(self, said: RawReply) -> str:
        """Empty: by this answer the server is a master still, and has evicted no key since the sending began."""
        if not (isinstance(said, bytes) and b"role:master" in said):
            return f"{self._node} is not a master any more"
        evicted = _evicted_by(said) - (self._evicted or 0)
        if not evicted:
            return ""
        return (
            f"{self._node} has no room: it has evicted {counted(evicted, 'key')} while keys were sent, and keys that"
            " were brought may be among them. Raise its maxmemory, then look again with the same command"
        )

    def _ask(self, parts: Iterable[bytes | Foretold], count: int) -> list[RawReply]:
        return self._link.exchange(parts, count, time.monotonic() + self._timeout)


class _Part:
    """Some missing keys, those that do not expire first, and what the server will answer."""

    def __init__(self, items: Sequence[KeyToSend]) -> None:
        self.expiring = [one for one in items if one.kept.expires_at is not None]
        lasting = [one for one in items if one.kept.expires_at is None]
        self.items = [*lasting, *self.expiring]
        self.kept = [one.kept for one in self.items]
        self.lasting = len(lasting)
        self.replies = Foretold(3 * len(items), len(self.expiring))
        """To RESTORE and DUMP of each key, then to PTTL of each."""


def _judge_each(part: _Part, tally: SendTally) -> list[KeyToSend]:
    """Compares the replies to each key. Returns the keys that the server does not understand."""
    again, found, count = [], part.replies.found, len(part.items)
    written = zip(found[0 : 2 * count : 2], found[1 : 2 * count : 2], found[2 * count :], strict=True)
    for one, (said, stored, left) in zip(part.items, written, strict=True):
        if not isinstance(said, RawRefusal):
            tally.verify(one, stored, left)
        elif _OTHER_FORM in said.text:
            again.append(one)
        else:
            tally.refuse(one, said.text)
    return again


def _evicted_by(said: RawReply) -> int:
    """Keys that the server has evicted since it was started, by its INFO."""
    found = _EVICTED.search(said) if isinstance(said, bytes) else None
    return int(found[1]) if found else 0


def _what_happened(one: KeyToSend, there: KeyThere, now: float) -> str:
    """Why a key is not as it was shown."""
    if there.payload:
        return "a client has written it since it was shown"
    if one.shown_expiry is not None and one.shown_expiry <= now:
        return "it has expired on the master since it was shown"
    return "a client has removed it since it was shown"


def _time_to_live(kept: ExportedKey, now: float) -> bytes:
    """Milliseconds, as RESTORE and PEXPIRE take them; 0 for RESTORE: it does not expire."""
    return b"0" if kept.expires_at is None else b"%d" % max(1, round((kept.expires_at - now) * 1000))
