"""What replays have made of files of kept keys: which of their keys are settled, and why the others are left.

A key is settled where a replay has brought it, has found it equal on the master, or where it has expired by then. A key
that an operator has left, or that a server has refused, is still only in its file. The newest replay that has looked at
a key decides. A key is named by its line in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.core.kept import kept_while_same
from console.core.runs.past.past_run import PastRun, Standing
from console.core.runs.records.exports import exports_in
from console.core.runs.records.line_numbers import lines_of
from console.core.runs.records.recorded import command_rows
from console.core.runs.replays.ending import ALL_GONE, LINES
from console.core.runs.replays.file_fate import SETTLES, UNTOUCHED, FileFate, FileName, name_of
from console.core.runs.replays.order import order_of
from console.core.runs.replays.progress import sent_lines

Contents = Callable[[str], Mapping[int, Hashable]]
"""Path of a file of keys → what each of its lines holds: equal for equal keys with equal values."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file in which a run has kept keys."""

    name: FileName
    path: str
    cluster: Hashable
    """As `cluster_of` tells it."""
    written_at: str
    """RFC 3339, UTC."""


@dataclass(frozen=True, slots=True)
class _Effect:
    """What one replay has made of one file."""

    file: FileName
    path: str
    settled: frozenset[int]
    left: Mapping[str, frozenset[int]]
    counts: Mapping[str, int] | None
    whole: bool
    """It has looked at every key of the file, and has ended."""
    replaced: tuple[str, ...]
    """Files of the former values that it has replaced: no server has these any more."""
    cluster: Hashable
    operator: str
    began: str
    at: str


def cluster_of(past: PastRun) -> Hashable:
    """Name, nodes and addresses: other inventories may have a cluster of the same name."""
    nodes = past.opened.get("nodes")
    return past.cluster, frozenset((str(name), str(at)) for name, at in nodes.items()) if isinstance(
        nodes, dict
    ) else ()


def fates_of_files(
    runs: Iterable[PastRun], kept: Sequence[KeptFile] = (), contents: Contents = lambda _: {}
) -> dict[FileName, FileFate]:
    """What replays among these runs have made of each file.

    `kept`: what one of these files has in common with another one of its cluster is settled in both. `contents`: empty
    for a file that is too large to be compared, or that cannot be read.
    """
    effects = sorted((one for past in runs for one in _effects(past)), key=lambda one: one.at)
    fates: dict[FileName, FileFate] = {}
    for one in effects:
        fates[one.file] = _after(fates.get(one.file, UNTOUCHED), one)
    for file in kept if effects and len(kept) > 1 else ():
        fate = fates.get(file.name, UNTOUCHED)
        equal = frozenset(_settled_elsewhere(file, effects, contents))
        if equal - fate.settled and fate.counts is None:
            left = {why: lines - equal for why, lines in fate.left.items()}
            fates[file.name] = FileFate(fate.settled | equal, left, None, fate.operator, fate.at)
    return fates


def _settled_elsewhere(file: KeptFile, effects: Iterable[_Effect], contents: Contents) -> Iterator[int]:
    """Its lines whose keys have come back, with the same value, from some file since it was written."""
    settled: set[Hashable] = set()
    for one in effects:
        if one.cluster != file.cluster or one.began < file.written_at:
            continue
        held = contents(one.path)
        settled.update(held[line] for line in one.settled if line in held)
        settled.difference_update(held[line] for lines in one.left.values() for line in lines if line in held)
        for path in one.replaced:
            settled.difference_update(contents(path).values())
    if settled:
        yield from (line for line, held in contents(file.path).items() if held in settled)


def _after(fate: FileFate, one: _Effect) -> FileFate:
    """What a file is after one more replay."""
    if one.counts is not None and one.whole:
        return FileFate(counts=one.counts, operator=one.operator, at=one.at)
    if fate.counts is not None and not one.whole:
        return fate  # which of the counted keys these are is not known
    if fate is UNTOUCHED:
        return FileFate(one.settled, one.left, None, *((one.operator, one.at) if any(one.left.values()) else ("", "")))
    looked_at = one.settled.union(*one.left.values())
    left = {why: lines - looked_at for why, lines in fate.left.items()}
    for why, lines in one.left.items():
        left[why] = left.get(why, frozenset()) | lines
    settled = (fate.settled - looked_at) | one.settled
    who = (one.operator, one.at) if any(one.left.values()) else (fate.operator, fate.at)
    return FileFate(settled, left, None, *who)


@kept_while_same(64)
def _effects(past: PastRun) -> tuple[_Effect, ...]:
    """None or one. A journal of a million keys takes a second: it is read once."""
    order = order_of(past.opened)
    if order is None or order.backup or past.standing is Standing.BROKEN:
        return ()  # a backup still has its keys
    closed = next((entry.data for entry in past.entries if entry.kind == "closed"), {})
    keys: Mapping[str, Any] = closed.get("keys") or {}
    told = keys.get(LINES)
    left = {str(why): frozenset(lines_of(str(words))) for why, words in (told or {}).items()}
    brought = frozenset() if keys.get(ALL_GONE) else _brought(past)
    settled = brought.union(*(lines for why, lines in left.items() if why in SETTLES))
    still = {why: lines for why, lines in left.items() if why not in SETTLES}
    counts = _counts(keys) if keys and told is None and not order.patterns else None
    whole = bool(keys) and not order.patterns and (told is not None or counts is not None)
    file = name_of(order.run, order.file)
    at = past.ended_at or past.opened_at or ""
    replaced = tuple(one.path for one in exports_in(command_rows(past.entries, [])) if one.replaced is not None)
    settled = settled.difference(*still.values())
    who = (cluster_of(past), past.operator, past.opened_at or "")
    return (_Effect(file, order.file, settled, still, counts, whole, replaced, *who, at),)


def _brought(past: PastRun) -> frozenset[int]:
    """What it has brought to the server that was the master at its end."""
    bound = max((place for place, entry in enumerate(past.entries) if entry.kind == "bound"), default=0)
    return sent_lines(past.entries[bound:]).brought


def _counts(keys: Mapping[str, Any]) -> dict[str, int] | None:
    """Keys by why they were left. None: the journal does not tell."""
    left = keys.get("left")
    if not isinstance(left, Mapping):
        return None
    counts = {str(why): count for why, count in left.items() if why not in SETTLES and isinstance(count, int)}
    return counts if keys.get("brought") or left else None
