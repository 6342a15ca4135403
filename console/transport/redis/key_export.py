"""Writes to a file every key of a server that another server does not have, or has with another value or expiry.

It is used before a node's data is replaced. It only reads: INFO, SELECT, SCAN, DUMP and PTTL, in batches, within the
limits below. Each line of the file is a JSON object: `db`, `key` (readable), `key_base64`, `why` (missing, value, ttl),
`pttl` and `dump_base64` as RESTORE takes them, and under `there` the same two of the other server. The format of DUMP
depends on the server's version.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from console.core.model import ProblemKind
from console.core.numbers import count
from console.core.quantities import counted
from console.transport.connections.errors import RemoteError
from console.transport.redis.connection import RedisConnection, Refusal, Reply

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
_LONGEST_NAME = 200


Side = tuple[str, RedisConnection]
"""A server's name, and a connection to it with `exact`."""


class RefusedError(Exception):
    """A server refused a command, or a limit was reached. The file is not complete."""


@dataclass(slots=True)
class Tally:
    """Counts of what was found so far."""

    looked_at: int = 0
    missing: int = 0
    value: int = 0
    ttl: int = 0
    written: int = 0
    """Bytes."""
    until: float = field(default_factory=lambda: time.monotonic() + MAX_SECONDS)

    def words(self, ours: str, theirs: str) -> str:
        return (
            f"looked at all {counted(self.looked_at, 'key')} of {ours}: {self.missing:,} are not on {theirs},"
            f" {self.value:,} have another value there, {self.ttl:,} another time to live"
        )


def export_keys(ours: Side, theirs: Side, path: str) -> str:
    """Writes the file and returns a line about its content. Raises RemoteError, RefusedError, OSError.

    After an error there is no new file. A file that is there already is never replaced: it may be the only copy of keys
    that the server has lost since. A new export then gets the next free name (H18).
    """
    tally = Tally()
    part = Path(f"{path}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            for db in _databases(*ours):
                for keys in _scan(ours, db, tally):
                    _compare(ours, theirs, db, keys, tally, file)
            file.flush()
            os.fsync(file.fileno())
        kept = _in_a_free_place(part, path)
    except BaseException:
        part.unlink()
        raise
    return f"{tally.words(ours[0], theirs[0])}; written to {kept}"


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


def _databases(name: str, connection: RedisConnection) -> list[int]:
    (reply,) = _ask(name, connection, [("INFO", "keyspace")])
    lines = [line.partition(":")[0] for line in _words(name, reply)[0].splitlines()]
    numbers = (count(line.removeprefix("db")) for line in lines if line.startswith("db"))
    return [number for number in numbers if number is not None]


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
        if tally.looked_at > MAX_KEYS or time.monotonic() > tally.until or tally.written > MAX_BYTES:
            bounds = f"{MAX_KEYS:,} keys, {MAX_SECONDS:.0f} s or {MAX_BYTES:,} bytes"
            raise RefusedError(f"{side[0]} holds more than can be compared here ({bounds}): nothing was exported")
        for start in range(0, len(fresh), BATCH):
            yield fresh[start : start + BATCH]
        if cursor == "0":
            return


def _compare(
    ours: tuple[str, RedisConnection],
    theirs: tuple[str, RedisConnection],
    db: int,
    keys: Sequence[str],
    tally: Tally,
    file: IO[str],
) -> None:
    commands = [("SELECT", str(db)), *(words for key in keys for words in (("DUMP", key), ("PTTL", key)))]
    ours_now, theirs_now = ([_words(side[0], one) for one in _ask(*side, commands)][1:] for side in (ours, theirs))
    for place, key in enumerate(keys):
        own, other = ((side[2 * place][0], int(side[2 * place + 1][0])) for side in (ours_now, theirs_now))
        difference = _difference(own, other)
        if not difference:
            continue
        setattr(tally, difference, getattr(tally, difference) + 1)
        line = {"db": db, "key": key.encode("utf-8", "surrogateescape").decode("utf-8", "replace")[:_LONGEST_NAME]}
        line |= {"key_base64": _base64(key), "why": difference, **_value(*own), "there": _value(*other)}
        tally.written += file.write(json.dumps(line) + "\n")


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
    return {"pttl": max(0, pttl), "dump_base64": _base64(dump)} if dump else {}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def _ask(name: str, connection: RedisConnection, commands: Sequence[Sequence[str]]) -> list[Reply]:
    connection.send_words(commands)
    replies = connection.receive(time.monotonic() + ANSWER_TIMEOUT)
    if replies is None:
        raise RemoteError(ProblemKind.TIMEOUT, f"Redis on {name} does not answer")
    return replies


def _words(name: str, reply: Reply) -> tuple[str, ...]:
    if isinstance(reply, Refusal):
        raise RefusedError(f"{name}: {reply.text}")
    return (reply,) if isinstance(reply, str) else reply
