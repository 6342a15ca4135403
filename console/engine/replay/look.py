"""Reads the file of kept keys and the master, and sorts the keys by how they stand to it. It sends nothing.

There may be a million keys: what is done for each of them is done for many at once, column by column, where it can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import compress, islice, repeat
from math import inf
from typing import Any, NamedTuple

from console.core.keys.comparing import (
    CONFLICTS,
    NO_KEY,
    Fate,
    KeyThere,
    compare,
    same_expiry,
    value_in_words,
    value_shown,
    written_in_words,
    written_since,
)
from console.core.keys.counted import FileCheck, is_count, warning
from console.core.keys.exported import ExportedKey, KeyLines, are_objects, exported_keys, readable
from console.core.keys.pattern import matcher
from console.core.model import NodeState
from console.core.runs.replays.batch import Left, digest_of
from console.core.runs.replays.order import ReplayOrder
from console.core.runs.replays.progress import NOTHING_SENT, SentLines
from console.core.runs.replays.wording import room_warning
from console.engine.ports import KeyReader
from console.engine.replay.ahead import Ahead

BATCH, BATCH_BYTES = 10_000, 4_000_000
"""Keys, and bytes of their payloads, that are sent together."""
MOST_IN_MEMORY = 64_000_000
"""Bytes of payloads that are kept in memory between the look and the sending."""
NOTHING_THERE: Mapping[tuple[int, bytes], ExportedKey] = {}
"""Nothing was about to be replaced."""
Lines = Iterable[tuple[Sequence[int], KeyLines]]
"""The places of lines in their file, and what they say: many lines at a time."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some keys of one database, with the numbers of their lines from 1, and their places in the file."""

    numbers: Sequence[int]
    places: Sequence[int]
    kept: Sequence[ExportedKey]

    @property
    def db(self) -> int:
        return self.kept[0].db

    def only(self, which: Sequence[object]) -> Chosen:
        """Those that stand at a true value."""
        return Chosen(
            list(compress(self.numbers, which)), list(compress(self.places, which)), list(compress(self.kept, which))
        )


class Found(NamedTuple):
    """One kept key: where it is in the file, and what was shown of the master's."""

    db: int
    number: int
    """Of its line, from 1."""
    place: int
    """In the file, in bytes."""
    size: int
    """Bytes of the payload."""
    shown: bytes = b""
    shown_expiry: float | None = None
    kept: ExportedKey | None = None
    """None: it is read again from the file when it is sent."""


_as_found = partial(tuple.__new__, Found)
"""Makes one of its parts, which come as a tuple."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A key in words."""

    db: int
    key: str
    kept: str
    """Type, extent, size and time to live of the kept value."""
    kept_written: str
    there: str
    there_written: str
    number: int = 0
    """Of its line, from 1."""
    kept_value: str = field(default="", repr=False)
    """For an operator who asks for it: it may be a secret."""
    value_there: str = field(default="", repr=False)


@dataclass(slots=True)
class Looked:
    """All chosen keys, sorted."""

    lines: int = 0
    """Keys in the file."""
    found: dict[Fate, list[Found]] = field(default_factory=lambda: {fate: [] for fate in Fate})
    samples: dict[Fate, list[Sample]] = field(default_factory=lambda: {fate: [] for fate in Fate})
    """The first ones of each class."""
    newer: dict[Fate, set[int]] = field(default_factory=lambda: {fate: set() for fate in CONFLICTS})
    """Lines of keys whose value on the master was written after the export: a client's, most often."""
    same_since: dict[Fate, set[int]] = field(default_factory=lambda: {fate: set() for fate in CONFLICTS})
    """Lines of keys whose value on the master has not changed since the export."""
    brought_lines: set[int] = field(default_factory=set)
    """Lines of keys that an earlier part of this run brought, and that are still as it brought them."""
    changed_since: list[Found] = field(default_factory=list)
    """Keys that it brought, and that a client has changed or removed since."""
    written_since: list[tuple[Left, Found]] = field(default_factory=list)
    """Keys that it may have sent, and that hold neither what was sent nor what was shown: a client's write."""
    warning: str = ""
    """What the operator should know before anything is brought."""
    held: int = 0
    """Bytes of payloads that were read."""
    on_their_way: int = 0
    """Keys that it may have sent, as no answer is recorded."""
    not_sent_or_removed: int = 0
    """Those of them that were missing and are missing: which of the two is not known."""
    older_lines: frozenset[int] = frozenset()
    """Lines whose key stands again further down: the last line of a key is what was kept of it last."""

    @property
    def older(self) -> int:
        return len(self.older_lines)

    @property
    def brought(self) -> int:
        return len(self.brought_lines)

    @property
    def chosen(self) -> int:
        return (
            sum(len(one) for one in self.found.values())
            + self.brought
            + len(self.changed_since)
            + len(self.written_since)
        )

    def counts(self) -> dict[str, int]:
        """For the journal."""
        own = {"brought before": self.brought, "changed since": len(self.changed_since)}
        own |= {"written since": len(self.written_since)} if self.written_since else {}
        return {fate.value: len(one) for fate, one in self.found.items()} | own


def look(  # noqa: PLR0913 - each names itself
    order: ReplayOrder,
    lines: Lines,
    reader: KeyReader,
    now: Callable[[], float],
    tell: Callable[[int], None],
    *,
    before: SentLines = NOTHING_SENT,
    was_there: Mapping[tuple[int, bytes], ExportedKey] = NOTHING_THERE,
    shown: int = 0,
) -> Looked:
    """Looks at every chosen key. Raises ValueError for a line that is none of an export, and OSError.

    `before`: what this run has sent already. `was_there`: database and key → what this run was about to replace.
    `shown`: of how many keys of each class the words are kept.
    """
    looked, lines_of = Looked(), _LinesOfKeys()
    sent = before.brought | before.unknown
    batches = Ahead(_batches(order, lines, looked))
    for batch in batches:
        keys = [kept.key for kept in batch.kept]
        there: Sequence[KeyThere] = reader.look(batch.db, keys, batches.make_ready)
        lines_of.add(batch.db, keys, batch.numbers)
        moment = now()
        none_there = not sent and there.count(NO_KEY) == len(there)
        closer = _missing(looked, batch, moment, shown) if none_there else batch
        for number, place, kept, one in zip(closer.numbers, closer.places, closer.kept, there, strict=not none_there):
            fate, size = compare(kept, one, moment, order.slack), len(kept.payload)
            looked.held += size
            held = kept if looked.held < MOST_IN_MEMORY else None
            found = Found(kept.db, number, place, size, digest_of(one.payload), one.expires_at, held)
            if number in sent:
                was = was_there.get((kept.db, kept.key))
                if _sent_before(looked, before, found, fate) or _written_since(looked, before, found, fate, was):
                    continue
            looked.found[fate].append(found)
            if fate in CONFLICTS and (since := written_since(kept, one, moment)) is not None:
                (looked.newer if since else looked.same_since)[fate].add(number)
            if len(looked.samples[fate]) < shown:
                looked.samples[fate].append(_sample(number, kept, one, moment))
        tell(looked.chosen)
    if older := lines_of.older:
        _leave_out(looked, older, before)
    return looked


class _LinesOfKeys:
    """Which line is the last one of each key. A run that replaced a key again after an interruption kept it twice."""

    def __init__(self) -> None:
        self._keys: dict[int, set[bytes]] = {}
        """Of each database."""
        self._lines: dict[int, list[tuple[Sequence[bytes], Sequence[int]]]] = {}
        """The same keys with their lines, as they came."""

    def add(self, db: int, keys: Sequence[bytes], numbers: Sequence[int]) -> None:
        self._keys.setdefault(db, set()).update(keys)
        self._lines.setdefault(db, []).append((keys, numbers))

    @property
    def older(self) -> set[int]:
        """Lines whose key stands again further down."""
        older: set[int] = set()
        for db, parts in self._lines.items():
            if len(self._keys[db]) < sum(len(keys) for keys, _ in parts):
                last: dict[bytes, int] = {}
                for keys, numbers in parts:
                    last.update(zip(keys, numbers, strict=True))
                for keys, numbers in parts:
                    older.update(number for key, number in zip(keys, numbers, strict=True) if last[key] != number)
        return older


def _leave_out(looked: Looked, older: set[int], before: SentLines) -> None:
    """Takes out the lines whose key stands again further down."""
    looked.older_lines = frozenset(older)
    for fate, found in looked.found.items():
        looked.found[fate] = [one for one in found if one.number not in older]
        looked.samples[fate] = [one for one in looked.samples[fate] if one.number not in older]
    for known in (*looked.newer.values(), *looked.same_since.values()):
        known.difference_update(older)
    looked.changed_since = [one for one in looked.changed_since if one.number not in older]
    looked.written_since = [(why, one) for why, one in looked.written_since if one.number not in older]
    looked.brought_lines -= older
    looked.on_their_way -= len(older & before.unknown)


def _missing(looked: Looked, batch: Chosen, now: float, shown: int) -> Chosen:
    """Takes the keys of a batch of which the master has none, all at once. Returns those that need a closer look.

    A loop over the rest of `look` would take most of the time where all keys are missing.
    """
    expiries = [one.expires_at for one in batch.kept]
    some_expired = min(filter(None, expiries), default=inf) <= now
    expired = [one is not None and one <= now for one in expiries] if some_expired else []
    simple = batch.only([not one for one in expired]) if some_expired else batch
    sizes = list(map(len, [one.payload for one in simple.kept]))
    looked.held += sum(sizes)
    held = simple.kept if looked.held < MOST_IN_MEMORY else repeat(None)
    columns = (repeat(batch.db), simple.numbers, simple.places, sizes, repeat(b""), repeat(None), held)
    looked.found[Fate.MISSING] += map(_as_found, zip(*columns, strict=False))
    samples = looked.samples[Fate.MISSING]
    first = zip(simple.numbers, simple.kept, strict=True)
    samples += [_sample(number, kept, NO_KEY, now) for number, kept in islice(first, max(0, shown - len(samples)))]
    return batch.only(expired)


def _sent_before(looked: Looked, before: SentLines, found: Found, fate: Fate) -> bool:
    """Whether nothing is to be done with a key that an earlier part of this run sent, or may have sent."""
    if found.number in before.unknown:
        looked.on_their_way += 1
    if fate is Fate.EQUAL or (fate is Fate.EXPIRED and found.number in before.brought):
        looked.brought_lines.add(found.number)
        return True
    if found.number in before.brought:
        looked.changed_since.append(found)
        return True
    return False


def _written_since(looked: Looked, before: SentLines, found: Found, fate: Fate, was: ExportedKey | None) -> bool:
    """Whether a key that may have been sent has a client's write: it stays. False: it is asked for in its class.

    `was`: what was there before it was sent; None: it was missing, or it was not reached. That file is written first.
    """
    if fate is Fate.EXPIRED:
        return False
    if found.number in before.were_missing:
        if fate is Fate.MISSING:
            looked.not_sent_or_removed += 1
            return False
        looked.written_since.append((Left.APPEARED, found))
        return True
    if was is None or (digest_of(was.payload) == found.shown and same_expiry(was.expires_at, found.shown_expiry)):
        return False
    looked.written_since.append((Left.CHANGED, found))
    return True


def _batches(order: ReplayOrder, lines: Lines, looked: Looked) -> Iterator[Chosen]:
    """The chosen keys, some at a time, all of one database."""
    fits = matcher(order.patterns).fullmatch
    for chosen in keys_in(lines, order.exported_at):
        looked.lines += len(chosen.kept)
        fitting = chosen.only([fits(one.key) for one in chosen.kept]) if order.patterns else chosen
        dbs = [one.db for one in fitting.kept]
        for db in dict.fromkeys(dbs):
            yield fitting if dbs.count(db) == len(dbs) else fitting.only([one == db for one in dbs])


def keys_in(lines: Lines, exported_at: float) -> Iterator[Chosen]:
    """All keys, some at a time. Lines that count are none. Raises ValueError, which names the line, and OSError."""
    read = 0
    for places, some in lines:
        numbers = range(read + 1, read + 1 + len(some))
        read += len(some)
        if are_objects(some):  # decoded lines are all keys
            keys = [not is_count(one) for one in some]
            chosen: list[list[Any]] = [list(compress(column, keys)) for column in (numbers, places, some)]
            yield Chosen(chosen[0], chosen[1], exported_keys(chosen[2], exported_at, chosen[0]))
        else:
            yield Chosen(numbers, places, exported_keys(some, exported_at, numbers))


def what_was_there(lines: Lines) -> dict[tuple[int, bytes], ExportedKey]:
    """Database and key → what a run was about to replace, of the file in which it kept that. Raises as `keys_in`."""
    try:
        return {(one.db, one.key): one for some in keys_in(lines, 0.0) for one in some.kept}
    except FileNotFoundError:
        return {}


def warnings(looked: Looked, file: str, check: FileCheck, master: NodeState) -> str:
    """What the operator should know before anything is brought. Empty: nothing."""
    room = room_warning(master, sum([one.size for one in looked.found[Fate.MISSING]]))
    return ". ".join(filter(None, (warning(file, check), room)))


def _sample(number: int, kept: ExportedKey, there: KeyThere, now: float) -> Sample:
    of_kept, of_there = written_in_words(kept, there, now)
    return Sample(
        kept.db,
        readable(kept.key),
        value_in_words(kept.payload, kept.expires_at, now),
        of_kept,
        value_in_words(there.payload, there.expires_at, now),
        of_there,
        number,
        value_shown(kept.payload),
        value_shown(there.payload),
    )
