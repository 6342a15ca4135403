"""Sends one batch of keys: its keys are named on the disk, sent, and what came of them is on the disk again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import NamedTuple

from console.core.keys.comparing import Fate
from console.core.keys.exported import ExportedKey, fields_of
from console.core.runs.replays.batch import BatchAnswer, KeyToSend
from console.engine.ports import Clock
from console.engine.replay.kept_file import KeptFile, batches
from console.engine.replay.look import Found
from console.engine.replay.ports import KeyFiles, KeySender
from console.engine.replay.recording import intent_entry, result_entry
from console.engine.steps.kept_journal import KeptJournal

_as_key = partial(tuple.__new__, KeyToSend)
"""Makes one of its parts, which come as a tuple: several times faster, for a million keys."""


def replaced_file(folder: str, node: str) -> str:
    """Where a run with this folder keeps what it replaces on the node."""
    return f"{folder}/replaced-on-{node}.jsonl"


class PreparedBatch(NamedTuple):
    """Some keys, and the same keys as they are sent."""

    found: Sequence[Found]
    keys: Sequence[KeyToSend]


class Prepared:
    """The batches of one class of keys. The next one can be made ready before it is asked for."""

    def __init__(self, fate: Fate, found: Iterable[Found], kept: KeptFile) -> None:
        self._batches = _prepared(fate, found, kept)
        self._ready: list[PreparedBatch] = []
        self._failure: Exception | None = None

    def make_ready(self) -> None:
        """Reads the next batch from the file where it is not in memory. Raises nothing."""
        try:
            if not self._ready and self._failure is None:
                self._ready.append(next(self._batches))
        except (StopIteration, OSError, ValueError) as error:
            self._failure = error

    def __iter__(self) -> Iterator[PreparedBatch]:
        return self

    def __next__(self) -> PreparedBatch:
        """Raises OSError, and ValueError if the file was changed."""
        self.make_ready()
        if self._ready:
            return self._ready.pop()
        assert self._failure is not None
        raise self._failure


def _prepared(fate: Fate, found: Iterable[Found], kept: KeptFile) -> Iterator[PreparedBatch]:
    for batch in batches(found):
        shown = [one.shown for one in batch], [one.shown_expiry for one in batch]
        columns = zip(range(len(batch)), kept.keys(batch), repeat(fate), *shown, strict=False)
        yield PreparedBatch(batch, list(map(_as_key, columns)))


class BatchSender:
    """Sends the batches of one class of keys to one node. The next one is prepared while the server works."""

    def __init__(self, files: KeyFiles, journal: KeptJournal, clock: Clock, node: str, step: int, fate: Fate) -> None:
        self._files = files
        self._step = step
        self._fate = fate
        self._journal = journal
        self._clock = clock
        self._node = node
        self._replaced = replaced_file(journal.path, node)

    def send(self, place: int, batch: PreparedBatch, sender: KeySender, following: Prepared) -> BatchAnswer:
        """`place`: of the batch within its step, from 1. Raises OSError without the journal."""
        intent = intent_entry(self._step, place, self._node, self._fate, batch.found, file=self._replaced)
        self._journal.append("intent", intent)
        answer = sender.send(batch.keys, self._keep, following.make_ready)
        self._journal.append("result", result_entry(self._step, self._node, batch.found, answer))
        return answer

    def _keep(self, replaced: Sequence[ExportedKey]) -> None:
        """Writes what is about to be replaced to a file. It is on the disk when this returns."""
        if replaced:
            now = self._clock.now()
            self._files.keep(self._replaced, [fields_of(one, now) for one in replaced])
