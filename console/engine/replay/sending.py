"""Sends one batch of keys: its keys are named on the disk, sent, and what came of them is on the disk again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import NamedTuple

from console.core.keys.comparing import Fate
from console.core.keys.exported import ExportedKey, fields_of
from console.core.runs.replays.batch import BatchAnswer, KeyToSend
from console.engine.ports import Clock
from console.engine.replay.ahead import Ahead
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


def prepared(fate: Fate, found: Sequence[Found], kept: KeptFile) -> Iterator[PreparedBatch]:
    """The batches of one class of keys. Raises OSError, and ValueError if the file was changed."""
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

    def send(self, place: int, batch: PreparedBatch, sender: KeySender, following: Ahead[PreparedBatch]) -> BatchAnswer:
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
