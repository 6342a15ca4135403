"""Writes to a file every key of a server that another server does not have, or has with another value or expiry.

It is used before a node's data is replaced. It only reads: INFO, SELECT, SCAN, OBJECT IDLETIME, DUMP and PTTL, in
batches, within the limits below; and TYPE and the values themselves of keys whose DUMP differs, because equal values
need not have equal ones. Each line of the file is a JSON object: `db`, `key` (readable), `key_base64`, `why` (missing,
value, ttl), `at` (epoch milliseconds on this machine's clock, when it was read), `idle` (seconds since it was read or
written, where that is known), `pttl` and `dump_base64` as RESTORE takes them, and under `there` the same two of
the other server. The format of DUMP depends on the server's version. The last line says how many keys there are.
"""

from __future__ import annotations

import base64
import itertools
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from console.core.keys.counted import Counting
from console.core.keys.rdb.payload import SHARED_PREFIX, may_be_shared
from console.core.model import ProblemKind
from console.core.numbers import count
from console.core.quantities import counted, size
from console.core.runs.records.exports import EXAMPLES, written_in_words
from console.transport.connections.errors import RemoteError
from console.transport.connections.own_load import own_load
from console.transport.redis.connection import RedisConnection, Refusal, Reply
from console.transport.redis.key_sampler import readable
from console.transport.redis.same_content import same_content

BATCH = 200
"""Keys asked for at once, on both servers."""
MAX_KEYS = 1_000_000
MAX_SECONDS = 300.0
MAX_BYTES = 2_000_000_000
"""The size limit of the file."""
ANSWER_TIMEOUT = 30.0
"""Seconds to wait for the answer to one batch."""
TTL_SLACK = 5_000
"""Milliseconds by which two expiries may differ: the servers are not asked at the same instant."""
LARGEST_READ = 1_000_000
"""Bytes of a DUMP up to which a value is read, to find out whether it differs in more than its DUMP."""
NAMED = 5
TELL_EVERY = 0.5
_LASTS, _GONE = -1, -2
"""Replies to PTTL: the key does not expire; it is not there, or has expired since its DUMP."""
_LONGEST_NAME = 200
_KEYSPACE = re.compile(r"db(?P<db>[0-9]{1,5}):keys=(?P<keys>[0-9]{1,15})[,\r]?")


Side = tuple[str, RedisConnection]
"""A server's name, and a connection to it with `exact`."""


class RefusedError(Exception):
    """A server refused a command, or a limit was reached. The file is not complete."""


class TooManyError(RefusedError):
    """A limit was reached."""


@dataclass(slots=True)
class Tally:
    """Counts of what was found so far."""

    looked_at: int = 0
    missing: int = 0
    value: int = 0
    ttl: int = 0
    large: int = 0
    """Keys of both servers that were not compared, because of `largest`."""
    largest: int = MAX_BYTES
    """Bytes of a DUMP up to which the other server is asked for its own one."""
    ask_idle: bool = True
    """Whether the server knows when its keys were used. One that has just loaded them does not."""
    lines: Counting = field(default_factory=Counting)
    """Of the file."""
    named: list[str] = field(default_factory=list)
    """The first keys that differ, to be shown."""
    until: float = field(default_factory=lambda: time.monotonic() + MAX_SECONDS)

    @property
    def found(self) -> int:
        return self.missing + self.value + self.ttl

    def add(self, difference: str, key: str) -> None:
        setattr(self, difference, getattr(self, difference) + 1)
        if len(self.named) < NAMED:
            self.named.append(readable(key))

    def words(self, ours: str, theirs: str) -> str:
        large = (
            f"; {self.large:,} of both were not compared, each has more than {size(self.largest)}" if self.large else ""
        )
        return f"looked at all {counted(self.looked_at, 'key')} of {ours}: {self._differences(theirs)}{large}"

    def _differences(self, theirs: str) -> str:
        """`1 key is not on redis-b, 2 keys have another value on redis-b`. A kind that no key has is left out."""
        kinds = (
            (self.missing, "is", "are", f"not on {theirs}"),
            (self.value, "has", "have", f"another value on {theirs}"),
            (self.ttl, "has", "have", f"another time to live on {theirs}"),
        )
        found = [
            f"{counted(count, 'key')} {one if count == 1 else more} {what}" for count, one, more, what in kinds if count
        ]
        return ", ".join(found) or f"each is on {theirs}, with the same value and time to live"


def export_keys(ours: Side, theirs: Side, path: str) -> str:
    """Writes the file and returns a line about its content. Raises RemoteError, RefusedError, OSError.

    After an error there is no new file. A file that is there already is never replaced: it may be the only copy of keys
    that the server has lost since. A new export then gets the next free name (H18).
    """
    tally, kept = export_found(ours, theirs, path, keep_empty=True)
    names = f"{EXAMPLES}{', '.join(tally.named)}" if tally.named else ""
    return f"{tally.words(ours[0], theirs[0])}{names}{written_in_words(kept, tally.lines.digest)}"


def export_found(
    ours: Side,
    theirs: Side,
    path: str,
    *,
    keep_empty: bool,
    largest: int = MAX_BYTES,
    tell: Callable[[str], None] | None = None,
) -> tuple[Tally, str]:
    """The same as counts, and where the file is. Empty: nothing differs, and no file is kept of that.

    `largest`: bytes of a DUMP up to which the other server is asked for its own one. `tell` gets a line from time to
    time that says how far it is.
    """
    tally, told_at = Tally(largest=largest, ask_idle=keep_empty), time.monotonic()
    part = Path(f"{path}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file, own_load(ours[1].server, theirs[1].server):
            for db in _databases(ours):
                for keys in _scan(ours, db, tally):
                    _compare(ours, theirs, db, keys, tally, file)
                    if tell is not None and time.monotonic() - told_at >= TELL_EVERY:
                        told_at = time.monotonic()
                        tell(f"{counted(tally.looked_at, 'key')} compared, {tally.found:,} differ")
            file.write(tally.lines.count())
            file.flush()
            os.fsync(file.fileno())
        if keep_empty or tally.found:
            return tally, _in_a_free_place(part, path)
    except BaseException:
        part.unlink()
        raise
    part.unlink()
    return tally, ""


def _in_a_free_place(part: Path, path: str) -> str:
    """Gives the finished file its name, or the first free one after it: `keys-2.jsonl`. Returns that name."""
    wanted = Path(path)
    for number in itertools.count(1):
        place = wanted if number == 1 else wanted.with_stem(f"{wanted.stem}-{number}")
        try:
            os.link(part, place)  # unlike a rename, it fails where a file is
        except FileExistsError:
            continue
        part.unlink()
        return str(place)
    raise AssertionError("unreachable")


def server_version(name: str, connection: RedisConnection) -> str:
    """As INFO tells it. Raises RemoteError, RefusedError."""
    (reply,) = _ask(name, connection, [("INFO", "server")])
    lines = (line.partition(":") for line in _words(name, reply)[0].splitlines())
    return next((value for word, _, value in lines if word == "redis_version"), "")


def key_counts(name: str, connection: RedisConnection) -> dict[int, int]:
    """Database → how many keys it has. Raises RemoteError, RefusedError."""
    (reply,) = _ask(name, connection, [("INFO", "keyspace")])
    found = (_KEYSPACE.match(line) for line in _words(name, reply)[0].splitlines())
    return {int(one["db"]): int(one["keys"]) for one in found if one is not None}


def _scan(side: Side, db: int, tally: Tally) -> Iterator[list[str]]:
    """All keys of a database in batches, each key once. Raises RefusedError if there are more than the limits allow."""
    seen: set[str] = set()
    cursor = "0"
    while True:
        _, reply = _ask(*side, [("SELECT", str(db)), ("SCAN", cursor, "COUNT", str(BATCH))])
        cursor, *keys = _words(side[0], reply)
        fresh = [key for key in dict.fromkeys(keys) if key not in seen]
        seen.update(fresh)
        tally.looked_at += len(fresh)
        if tally.looked_at > MAX_KEYS or time.monotonic() > tally.until or tally.lines.size > MAX_BYTES:
            raise _too_many(side[0])
        for start in range(0, len(fresh), BATCH):
            yield fresh[start : start + BATCH]
        if cursor == "0":
            return


def _databases(side: Side) -> list[int]:
    """Raises TooManyError before anything is read, where there are more keys than the limit."""
    counts = key_counts(*side)
    if sum(counts.values()) > MAX_KEYS:
        raise _too_many(side[0])
    return list(counts)


def _too_many(name: str) -> TooManyError:
    bounds = f"{MAX_KEYS:,} keys, {MAX_SECONDS:.0f} s or {MAX_BYTES:,} bytes"
    return TooManyError(f"{name} holds more than can be compared here ({bounds}): nothing was exported")


def _compare(
    ours: Side,
    theirs: Side,
    db: int,
    keys: Sequence[str],
    tally: Tally,
    file: IO[str],
) -> None:
    idle = _idle(ours, db, keys) if tally.ask_idle else {}  # before DUMP, which counts as a use
    at = round(time.time() * 1000)
    ours_now = _held(ours, db, [("DUMP", key) for key in keys])
    large = {key for key, (dump, _) in zip(keys, ours_now, strict=True) if len(dump) > tally.largest}
    theirs_now = _held(theirs, db, [("EXISTS" if key in large else "DUMP", key) for key in keys])
    found = {}
    for key, own, other in zip(keys, ours_now, theirs_now, strict=True):
        there = (other[0].strip("0"), other[1]) if key in large else other
        if key in large and there[0]:
            tally.large += 1
        elif difference := _difference(own, there):
            found[key] = (difference, own, there)
    doubted = [key for key, (difference, own, other) in found.items() if difference == "value" and _small(own, other)]
    alike = same_content(ours[1], theirs[1], doubted, ANSWER_TIMEOUT)
    for key, (difference, own, other) in found.items():
        if key in alike and not (difference := _difference(own, (own[0], other[1]))):
            continue
        tally.add(difference, key)
        line = {"db": db, "key": key.encode("utf-8", "surrogateescape").decode("utf-8", "replace")[:_LONGEST_NAME]}
        line |= {"key_base64": _base64(key), "why": difference, "at": at}
        line["idle"] = None if may_be_shared(_first_bytes(own[0])) else idle.get(key)
        line |= {**_value(*own), "there": _value(*other)}
        file.write(tally.lines.line(line))


def _idle(side: Side, db: int, keys: Sequence[str]) -> dict[str, int | None]:
    """Seconds since each key was used. None: the server does not tell it (it evicts by frequency, or refuses)."""
    replies = _ask(*side, [("SELECT", str(db)), *(("OBJECT", "IDLETIME", key) for key in keys)])[1:]
    return {key: count(one) if isinstance(one, str) else None for key, one in zip(keys, replies, strict=True)}


def _held(side: Side, db: int, asked: Sequence[tuple[str, str]]) -> list[tuple[str, int]]:
    """The answer to each of these questions about a key, and its PTTL."""
    commands = [("SELECT", str(db)), *(words for one in asked for words in (one, ("PTTL", one[1])))]
    replies = [_words(side[0], one)[0] for one in _ask(*side, commands)][1:]
    held = zip(replies[::2], map(int, replies[1::2]), strict=True)
    return [("", left) if left == _GONE else (said, left) for said, left in held]


def _small(*values: tuple[str, int]) -> bool:
    return all(len(dump) <= LARGEST_READ for dump, _ in values)


def _difference(own: tuple[str, int], other: tuple[str, int]) -> str:
    """How the two values differ. Empty: they do not, or the key has expired in the meantime."""
    if not own[0]:
        return ""
    if not other[0]:
        return "missing"
    if own[0] != other[0]:
        return "value"
    lasting = {one < 0 for one in (own[1], other[1])}
    return "ttl" if len(lasting) > 1 or (lasting == {False} and abs(own[1] - other[1]) > TTL_SLACK) else ""


def _value(dump: str, pttl: int) -> dict[str, object]:
    left = 0 if pttl == _LASTS else max(1, pttl)  # 0 means that it never expires
    return {"pttl": left, "dump_base64": _base64(dump)} if dump else {}


def _first_bytes(dump: str) -> bytes:
    return dump[:SHARED_PREFIX].encode("utf-8", "surrogateescape")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def _ask(name: str, connection: RedisConnection, commands: Sequence[Sequence[str]]) -> list[Reply]:
    connection.send_words(commands)
    return _received(name, connection)


def _received(name: str, connection: RedisConnection) -> list[Reply]:
    replies = connection.receive(time.monotonic() + ANSWER_TIMEOUT)
    if replies is None:
        raise RemoteError(ProblemKind.TIMEOUT, f"Redis on {name} does not answer")
    return replies


def _words(name: str, reply: Reply) -> tuple[str, ...]:
    if isinstance(reply, Refusal):
        raise RefusedError(f"{name}: {reply.text}")
    return (reply,) if isinstance(reply, str) else reply
