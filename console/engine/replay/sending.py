"""Sends one batch of keys: its keys are named on the disk, sent, and what came of them is on the disk again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import repeat

from console.core.keys.comparing import Fate
from console.core.keys.exported import ExportedKey, fields_of
from console.core.runs.replays.batch import BatchAnswer, KeyToSend
from console.engine.ports import Clock
from console.engine.replay.kept_file import KeptFile
from console.engine.replay.look import Found
from console.engine.replay.ports import KeyFiles, KeySender
from console.engine.replay.recording import intent_entry, result_entry
from console.engine.steps.kept_journal import KeptJournal

_as_key = partial(tuple.__new__, KeyToSend)
"""Makes one of its parts, which come as a tuple: several times faster, for a million keys."""


def replaced_file(folder: str, node: str) -> str:
    """Where a run with this folder keeps what it replaces on the node."""
    return f"{folder}/replaced-on-{node}.jsonl"


class BatchSender:
    """Sends the batches of one run to one node."""

    def __init__(self, files: KeyFiles, kept: KeptFile, journal: KeptJournal, clock: Clock, node: str) -> None:
        self._files = files
        self._kept = kept
        self._journal = journal
        self._clock = clock
        self._node = node
        self._replaced = replaced_file(journal.path, node)

    def send(self, step: int, place: int, fate: Fate, batch: Sequence[Found], sender: KeySender) -> BatchAnswer:
        """`place`: of the batch within its step, from 1. Raises OSError without the journal, or without the file."""
        shown = [one.shown for one in batch], [one.shown_expiry for one in batch]
        columns = zip(range(len(batch)), self._kept.keys(batch), repeat(fate), *shown, strict=False)
        keys = list(map(_as_key, columns))
        self._journal.append("intent", intent_entry(step, place, self._node, fate, batch, file=self._replaced))
        answer = sender.send(keys, self._keep)
        self._journal.append("result", result_entry(step, self._node, batch, answer))
        return answer

    def _keep(self, replaced: Sequence[ExportedKey]) -> None:
        """Writes what is about to be replaced to a file. It is on the disk when this returns."""
        if replaced:
            now = self._clock.now()
            self._files.keep(self._replaced, [fields_of(one, now) for one in replaced])
