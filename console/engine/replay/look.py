"""Reads the file of kept keys and the master, and sorts the keys by how they stand to it. It sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any, NamedTuple

from console.core.keys.comparing import Fate, KeyThere, compare, value_in_words, written_in_words
from console.core.keys.exported import ExportedKey, exported_key, readable
from console.core.keys.pattern import matcher
from console.core.runs.replays.batch import digest_of
from console.core.runs.replays.order import ReplayOrder
from console.core.runs.replays.progress import NOTHING_SENT, SentLines
from console.engine.ports import KeyReader

BATCH, BATCH_BYTES = 5_000, 4_000_000
"""Keys, and bytes of their payloads, that are looked at or sent together."""
MOST_IN_MEMORY = 64_000_000
"""Bytes of payloads that are kept in memory between the look and the sending."""
Lines = Iterable[Sequence[tuple[int, Mapping[str, Any]]]]
"""The place of each line in its file, and what it says: many lines at a time."""
Chosen = tuple[int, int, ExportedKey]
"""The number of a line from 1, its place in the file, and its key."""


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


@dataclass(slots=True)
class Looked:
    """All chosen keys, sorted."""

    lines: int = 0
    """Keys in the file."""
    found: dict[Fate, list[Found]] = field(default_factory=lambda: {fate: [] for fate in Fate})
    samples: dict[Fate, list[Sample]] = field(default_factory=lambda: {fate: [] for fate in Fate})
    """The first ones of each class."""
    brought_lines: set[int] = field(default_factory=set)
    """Lines of keys that an earlier part of this run brought, and that are still as it brought them."""
    changed_since: list[Found] = field(default_factory=list)
    """Keys that it brought, and that a client has changed or removed since."""
    warning: str = ""
    """What the operator should know before anything is brought."""
    held: int = 0
    """Bytes of payloads that were read."""
    on_their_way: int = 0
    """Keys that it may have sent, as no answer is recorded."""

    older: int = 0
    """Lines whose key stands again further down: the last line of a key is what was kept of it last."""

    @property
    def brought(self) -> int:
        return len(self.brought_lines)

    @property
    def chosen(self) -> int:
        return sum(len(one) for one in self.found.values()) + self.brought + len(self.changed_since)

    def counts(self) -> dict[str, int]:
        """For the journal."""
        own = {"brought before": self.brought, "changed since": len(self.changed_since)}
        return {fate.value: len(one) for fate, one in self.found.items()} | own


def look(  # noqa: PLR0913 - each names itself
    order: ReplayOrder,
    lines: Lines,
    reader: KeyReader,
    now: Callable[[], float],
    tell: Callable[[int], None],
    *,
    before: SentLines = NOTHING_SENT,
    shown: int = 0,
) -> Looked:
    """Looks at every chosen key. Raises ValueError for a line that is none of an export, and OSError.

    `before`: what this run has sent already. `shown`: of how many keys of each class the words are kept.
    """
    looked, lines_of = Looked(), _LinesOfKeys()
    sent = before.brought | before.unknown
    for batch in _batches(order, lines, looked):
        lines_of.add(batch)
        there: Sequence[KeyThere] = reader.look(batch[0][2].db, [kept.key for _, _, kept in batch])
        moment = now()
        none_there = not sent and not any(one.payload for one in there)
        closer = _missing(looked, batch, moment, shown) if none_there else batch
        for (number, place, kept), one in zip(closer, there, strict=not none_there):
            fate, size = compare(kept, one, moment, order.slack), len(kept.payload)
            looked.held += size
            held = kept if looked.held < MOST_IN_MEMORY else None
            found = Found(kept.db, number, place, size, digest_of(one.payload), one.expires_at, held)
            if number in sent and _sent_before(looked, before, found, fate):
                continue
            looked.found[fate].append(found)
            if len(looked.samples[fate]) < shown:
                looked.samples[fate].append(_sample(number, kept, one, moment))
        tell(looked.chosen)
    if lines_of.older:
        _leave_out(looked, lines_of.older, before)
    return looked


class _LinesOfKeys:
    """Which line is the last one of each key. A run that replaced a key again after an interruption kept it twice."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, bytes], int] = {}
        self.older: set[int] = set()

    def add(self, batch: Sequence[Chosen]) -> None:
        for number, _, kept in batch:
            if (earlier := self._last.get((kept.db, kept.key))) is not None:
                self.older.add(earlier)
            self._last[kept.db, kept.key] = number


def _leave_out(looked: Looked, older: set[int], before: SentLines) -> None:
    """Takes out the lines whose key stands again further down."""
    looked.older = len(older)
    for fate, found in looked.found.items():
        looked.found[fate] = [one for one in found if one.number not in older]
        looked.samples[fate] = [one for one in looked.samples[fate] if one.number not in older]
    looked.changed_since = [one for one in looked.changed_since if one.number not in older]
    looked.brought_lines -= older
    looked.on_their_way -= len(older & before.unknown)


def _missing(looked: Looked, batch: Sequence[Chosen], now: float, shown: int) -> list[Chosen]:
    """Takes the keys of a batch of which the master has none, all at once. Returns those that need a closer look.

    A loop over the rest of `look` would take most of the time where all keys are missing.
    """
    simple = [one for one in batch if one[2].expires_at is None or one[2].expires_at > now]
    looked.held += sum(len(kept.payload) for _, _, kept in simple)
    hold = looked.held < MOST_IN_MEMORY
    looked.found[Fate.MISSING] += [
        Found(kept.db, number, place, len(kept.payload), b"", None, kept if hold else None)
        for number, place, kept in simple
    ]
    samples = looked.samples[Fate.MISSING]
    samples += [_sample(number, kept, KeyThere(), now) for number, _, kept in simple[: shown - len(samples)]]
    return [one for one in batch if one[2].expires_at is not None and one[2].expires_at <= now]


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


def _batches(order: ReplayOrder, lines: Lines, looked: Looked) -> Iterator[list[Chosen]]:
    """The chosen keys with the numbers and places of their lines, some at a time, all of one database."""
    fits = matcher(order.patterns).fullmatch
    for some in lines:
        first = looked.lines + 1
        looked.lines += len(some)
        chosen = [
            (number, place, exported_key(line, order.exported_at, number))
            for number, (place, line) in enumerate(some, start=first)
        ]
        if order.patterns:
            chosen = [one for one in chosen if fits(one[2].key)]
        for _, batch in groupby(chosen, key=lambda one: one[2].db):
            waiting = iter(batch)
            while part := list(islice(waiting, BATCH)):
                yield part


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
    )
