"""The file of kept keys between the look and the end: keys are taken from memory, or read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from console.core.keys.exported import ExportedKey, exported_keys
from console.core.runs.replays.order import ReplayOrder
from console.engine.replay.look import BATCH, BATCH_BYTES, Found
from console.engine.replay.ports import KeyFiles


class KeptFile:
    """One file, which must not change while a run uses it."""

    def __init__(self, order: ReplayOrder, files: KeyFiles) -> None:
        self._order = order
        self._files = files

    def keys(self, batch: Sequence[Found]) -> list[ExportedKey]:
        """The keys with their values. Raises OSError, and ValueError if the file is not the one that was looked at."""
        held = [one.kept for one in batch if one.kept is not None]
        if len(held) == len(batch):
            return held
        lines = self._files.lines_at(self._order.file, [one.place for one in batch])
        kept = exported_keys(lines, self._order.exported_at, [one.number for one in batch])
        if [(one.db, len(one.payload)) for one in kept] != [(one.db, one.size) for one in batch]:
            raise ValueError(f"{self._order.file} was changed while this run used it")
        return kept


def batches(found: Iterable[Found]) -> Iterator[list[Found]]:
    """Some keys at a time, all of one database."""
    batch: list[Found] = []
    size = 0
    for one in found:
        if batch and (len(batch) >= BATCH or size > BATCH_BYTES or batch[0].db != one.db):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch
