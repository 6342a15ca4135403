"""Compares a sample of the keys of two servers, within fixed limits, over its own connections.

`SENT` lists every command that is sent. They only read, and no value leaves this module. Their only effect is that a
server removes an expired key when a command touches it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from console.core.model import Problem, ProblemKind, Reading, read, unread
from console.core.numbers import whole_number
from console.core.previews.key_comparison import (
    Clients,
    DbSample,
    DifferingKey,
    KeyComparison,
    KeyDifference,
    KeySample,
)
from console.core.visible import visible
from console.probes.redis import client_list
from console.transport.connections.errors import RemoteError
from console.transport.redis.connection import RedisConnection, Refusal, Reply, refusal_kind

MAX_KEYS = 1_000
"""Keys of each server that are picked and looked for on the other."""
MAX_COMPARED = 200
"""Keys of the target whose type, size and small value are compared with the source's."""
MAX_SCANS = 10
"""SCANs of one database. After many deletions one SCAN finds few keys."""
MAX_DBS = 16
MAX_CLIENTS = 2_000
"""CLIENT LIST is not sent to a server with more connections than this."""
BUDGET = 0.3
"""Seconds for each direction after which nothing more is asked."""
ANSWER_TIMEOUT = 2.0
"""Seconds to wait for one answer."""
KEYS_A_COMMAND = 50
"""Keys in one EXISTS or MGET."""
SMALL = 256
"""Strings of up to so many bytes are read and compared."""
NAMES_KEPT = 20
_LONGEST_NAME = 60
_GONE = -2
"""What PTTL answers for a key that has expired since it was found."""
T = TypeVar("T")

_SIZE = {"string": "STRLEN", "list": "LLEN", "set": "SCARD", "hash": "HLEN", "zset": "ZCARD", "stream": "XLEN"}
SENT = frozenset({"SELECT", "SCAN", "EXISTS", "TYPE", "PTTL", "MGET", "CLIENT LIST", *_SIZE.values()})
"""Every command that is sent after AUTH."""


class RefusedError(Exception):
    """The server refuses a command that the comparison needs."""


@dataclass(slots=True)
class _Side:
    """One server, and the database that its connection has selected."""

    name: str
    link: RedisConnection
    db: int = 0

    def begin(self, db: int, commands: Sequence[tuple[str, ...]]) -> Callable[[], list[Reply]]:
        """Sends, and returns a function that waits for the replies. So both servers can work at the same time."""
        if not commands:
            return list
        moved, self.db = db != self.db, db
        self.link.send_words([("SELECT", str(db)), *commands] if moved else commands)

        def receive() -> list[Reply]:
            replies = self.link.receive(time.monotonic() + ANSWER_TIMEOUT)
            if replies is None:
                raise RemoteError(ProblemKind.TIMEOUT, f"Redis on {self.name} does not answer")
            if moved and isinstance(refused := replies.pop(0), Refusal):
                self.db = -1
                return [refused] * len(commands)
            return replies

        return receive

    def ask(self, db: int, *commands: tuple[str, ...]) -> list[Reply]:
        return self.begin(db, commands)()


def compare(
    source: str,
    target: str,
    opened: Mapping[str, RedisConnection],
    keys: Mapping[str, Mapping[int, int]],
    clients: int,
    now: Callable[[], float],
) -> KeyComparison:
    """Compares keys in both directions, and lists the target's clients.

    `keys`: for each server database → number of keys, from INFO. `clients`: how many are connected to the target.
    Raises nothing for what a server does: what could not be read is a Reading with a problem.
    """
    began = time.monotonic()
    sides = {name: _Side(name, link) for name, link in opened.items()}
    look = _Measuring(now)
    return KeyComparison(
        source=source,
        target=target,
        of_target=look(lambda: _sample(sides[target], sides[source], keys[target], closely=MAX_COMPARED)),
        of_source=look(lambda: _sample(sides[source], sides[target], keys[source], closely=0)),
        clients=look(lambda: _clients(sides[target], clients)),
        seconds=round(time.monotonic() - began, 3),
    )


def not_compared(source: str, target: str, problem: Problem, at: float) -> KeyComparison:
    """A comparison whose readings all carry the problem that kept it from starting."""
    return KeyComparison(
        source, target, Reading(None, problem, at), Reading(None, problem, at), Reading(None, problem, at), 0.0
    )


class _Measuring:
    """Turns the result or the error of a measurement into a reading. After a lost connection nothing more is asked."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._connection_problem: Problem | None = None

    def __call__(self, look: Callable[[], T]) -> Reading[T]:
        at = self._now()
        if self._connection_problem is not None:
            return Reading(None, self._connection_problem, at)
        try:
            return read(look(), at)
        except RemoteError as error:
            self._connection_problem = error.problem
            return Reading(None, error.problem, at)
        except RefusedError as error:
            text = str(error)
            if "unknown command" in text and "SCAN" in text.upper():
                return unread(ProblemKind.NOT_AVAILABLE, f"{text}; before Redis 2.8 there is no SCAN", at)
            return unread(refusal_kind(text.partition(": ")[2]), text, at)
        except (ValueError, IndexError) as error:
            return unread(ProblemKind.BAD_ANSWER, f"an answer was not understood: {error}", at)


def _clients(target: _Side, count: int) -> Clients:
    if count > MAX_CLIENTS:
        raise RefusedError(f"{target.name}: {count:,} connections are too many to list")
    (reply,) = target.ask(target.db, ("CLIENT", "LIST"))
    return client_list.parse(_text(reply, target.name))


def _sample(one: _Side, other: _Side, keys: Mapping[int, int], *, closely: int) -> KeySample:
    """Samples one server. Small databases come first, because they can be sampled as a whole.

    `closely`: how many keys are compared by type, size and value.
    """
    until = time.monotonic() + BUDGET
    largest = sorted(keys.items(), key=lambda item: (-item[1], item[0]))
    done = [DbSample(db, count, 0) for db, count in largest[MAX_DBS:]]
    note = f"{MAX_DBS} databases only" if done else ""
    odd: list[DifferingKey] = []
    chosen = largest[:MAX_DBS][::-1]
    for place, (db, count) in enumerate(chosen):
        if time.monotonic() >= until:
            note = f"ended after {BUDGET:g} s"
            done.append(DbSample(db, count, 0))
            continue
        share = max(1, (MAX_KEYS - sum(one.looked_at for one in done)) // (len(chosen) - place))
        sample, found = _sample_db(one, other, db, count, (share, closely * share // MAX_KEYS), until)
        done.append(sample)
        odd += found
    done.sort(key=lambda sample: sample.db)
    return KeySample(one.name, other.name, tuple(done), tuple(odd[:NAMES_KEPT]), note)


def _sample_db(
    one: _Side, other: _Side, db: int, count: int, most: tuple[int, int], until: float
) -> tuple[DbSample, list[DifferingKey]]:
    """Samples one database. `most`: how many keys are looked for, and how many of them are compared by content."""
    names, whole = _scan(one, db, most[0], until)
    missing = _missing(other, db, names)
    left = [_number(reply) for reply in one.ask(db, *[("PTTL", name) for name in missing])]
    lost = [(name, ms) for name, ms in zip(missing, left, strict=True) if ms != _GONE]
    absent = set(missing)
    both = [name for name in names if name not in absent][: most[1]]
    differ = _differing(one, other, db, both) if both and time.monotonic() < until else None
    looked_at = len(names) - (len(missing) - len(lost))
    sample = DbSample(
        db=db,
        keys=looked_at if whole else max(count, looked_at + 1),
        looked_at=looked_at,
        missing=len(lost),
        expiring=sum(ms >= 0 for _, ms in lost),
        alike=0 if differ is None else len(both) - len(differ),
        different=len(differ or ()),
    )
    odd = [DifferingKey(db, readable(name), KeyDifference.MISSING) for name, _ in lost[:NAMES_KEPT]]
    return sample, odd + [DifferingKey(db, readable(name), oddity) for name, oddity in (differ or [])[:NAMES_KEPT]]


def _missing(side: _Side, db: int, names: list[str]) -> list[str]:
    """The keys that the server does not have. It is asked for many in one command first: usually all are there."""
    handfuls = [names[start : start + KEYS_A_COMMAND] for start in range(0, len(names), KEYS_A_COMMAND)]
    counts = side.ask(db, *[("EXISTS", *handful) for handful in handfuls])
    # Before Redis 3.0.3 EXISTS takes one key and refuses more. Then each key is asked for by itself.
    doubtful = [
        name
        for handful, count in zip(handfuls, counts, strict=True)
        if _number(count) != len(handful)
        for name in handful
    ]
    there = [_text(reply, side.name) for reply in side.ask(db, *[("EXISTS", name) for name in doubtful])]
    return [name for name, count in zip(doubtful, there, strict=True) if _number(count) == 0]


def _scan(side: _Side, db: int, share: int, until: float) -> tuple[list[str], bool]:
    """Up to `share` names, and whether these are all names of the database."""
    names: dict[str, None] = {}
    cursor = "0"
    for _ in range(MAX_SCANS):
        (reply,) = side.ask(db, ("SCAN", cursor, "COUNT", str(max(10, share - len(names)))))
        if isinstance(reply, Refusal):
            raise RefusedError(f"{side.name}: {reply.text}")
        cursor = reply[0]
        names.update(dict.fromkeys(reply[1:]))
        if cursor == "0" or len(names) >= share or time.monotonic() >= until:
            break
    return list(names)[:share], cursor == "0" and len(names) <= share


def _differing(one: _Side, other: _Side, db: int, both: list[str]) -> list[tuple[str, KeyDifference]]:
    """The keys that differ by type, by size, or (small strings) by value."""
    kinds = _from_both(one, other, db, [("TYPE", name) for name in both])
    found = [(name, KeyDifference.TYPE) for name, (ours, theirs) in zip(both, kinds, strict=True) if ours != theirs]
    same = [
        (name, str(ours)) for name, (ours, theirs) in zip(both, kinds, strict=True) if ours == theirs and ours in _SIZE
    ]
    sizes = _from_both(one, other, db, [(_SIZE[kind], name) for name, kind in same])
    found += [
        (name, KeyDifference.SIZE) for (name, _), (ours, theirs) in zip(same, sizes, strict=True) if ours != theirs
    ]
    small = [
        name
        for (name, kind), (ours, theirs) in zip(same, sizes, strict=True)
        if kind == "string" and ours == theirs and 0 < _number(ours) <= SMALL
    ]
    handfuls = [small[start : start + KEYS_A_COMMAND] for start in range(0, len(small), KEYS_A_COMMAND)]
    values = _from_both(one, other, db, [("MGET", *handful) for handful in handfuls])
    for handful, (ours, theirs) in zip(handfuls, values, strict=True):
        if isinstance(ours, tuple) and isinstance(theirs, tuple):
            pairs = zip(handful, ours, theirs, strict=True)
            found += [(name, KeyDifference.VALUE) for name, mine, its in pairs if mine != its]
    return found


def _from_both(one: _Side, other: _Side, db: int, commands: list[tuple[str, ...]]) -> list[tuple[Reply, Reply]]:
    """The replies of both servers. If a key changes its type in between, its two replies differ too."""
    ours, theirs = one.begin(db, commands), other.begin(db, commands)
    return list(zip(ours(), theirs(), strict=True))


def _text(reply: Reply, name: str = "") -> str:
    if isinstance(reply, Refusal):
        raise RefusedError(f"{name}: {reply.text}")
    return str(reply)


def _number(reply: Reply) -> int:
    number = whole_number(reply) if isinstance(reply, str) else None
    return -1 if number is None else number


def readable(name: str) -> str:
    """The name for a line on the screen: bytes that are not UTF-8 and unprintable characters are escaped."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    text = visible(text)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
