"""A last look at some of the keys that a run has brought: a client may have removed them again meanwhile (FLUSHALL)."""

from __future__ import annotations

from collections.abc import Sequence

from console.core.keys.exported import ExportedKey
from console.core.quantities import counted
from console.core.runs.replays.batch import BatchAnswer, KeyToSend
from console.engine.ports import KeyReader

OF_EACH_BATCH = 20
"""Keys of each batch that are looked at again."""


class LastLook:
    """Some of the keys that were brought."""

    def __init__(self) -> None:
        self._keys: list[ExportedKey] = []
        self.gone = 0
        """Of those that were looked at again and have not expired, so many are not there."""
        self.looked_at = 0

    def take(self, batch: Sequence[KeyToSend], answer: BatchAnswer) -> None:
        """Remembers some keys of a batch, spread over all of it. Its answer must have come."""
        brought = [one for one in batch if one.place not in answer.left] if answer.left else batch
        step = max(1, len(brought) // OF_EACH_BATCH)
        self._keys += [one.kept for one in brought[::step][:OF_EACH_BATCH]]

    def look(self, reader: KeyReader, now: float) -> None:
        """Raises OSError."""
        for db in {one.db for one in self._keys}:
            keys = [one for one in self._keys if one.db == db and (one.expires_at is None or one.expires_at > now)]
            there = reader.look(db, [one.key for one in keys], lambda: None) if keys else ()
            self.looked_at += len(keys)
            self.gone += sum(1 for one in there if not one.payload)

    @property
    def all_gone(self) -> bool:
        return bool(self.gone) and self.gone == self.looked_at

    def in_words(self, node: str) -> str:
        """What was removed again. Empty: nothing that was looked at."""
        if not self.gone:
            return ""
        what = f"{self.gone:,} of {counted(self.looked_at, 'brought key')} looked at again at the end"
        return f"gone again from {node}: {what}. Clients remove keys (DEL, FLUSHALL), or the server evicts them"
