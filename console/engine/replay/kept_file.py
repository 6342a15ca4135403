"""The file of kept keys between the look and the end: keys are taken from memory, or read again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, takewhile

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


def batches(found: Sequence[Found]) -> Iterator[Sequence[Found]]:
    """Some keys at a time, all of one database."""
    place = 0
    while batch := found[place : place + BATCH]:
        dbs = [one.db for one in batch]
        if dbs.count(dbs[0]) < len(dbs):
            batch = batch[: sum(1 for _ in takewhile(dbs[0].__eq__, dbs))]
        sizes = list(accumulate([one.size for one in batch]))
        if sizes[-1] > BATCH_BYTES:
            batch = batch[: bisect_right(sizes, BATCH_BYTES) + 1]
        yield batch
        place += len(batch)
