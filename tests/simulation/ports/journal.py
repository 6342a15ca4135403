"""Journals in memory. A journal of a console that died is opened again from its lines, as from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from console.core.runs.past.past_run import PastRun
from console.core.runs.past.replay import replay_run
from console.core.runs.records.journal import Entry, next_entry, plain, timestamp

_in_words = lru_cache(maxsize=1)(timestamp)
"""Several entries are of one moment: time stands still while nobody waits."""


class MemoryJournal:
    """Implements the engine's Journal. The hashes of its entries are made when it is opened again: a night has many."""

    def __init__(self, run_id: str, now: Callable[[], float], touch: Callable[[str], None]) -> None:
        self.run_id = run_id
        self.path = f"/runs/{run_id}"
        self.entries: list[Entry] = []
        self._times: list[float] = []
        self._now = now
        self._touch = touch
        self.full = False

    def append(self, kind: str, data: Mapping[str, object]) -> Entry:
        self._touch(f"journal {kind}")
        if self.full:
            raise OSError(f"the journal {self.path} cannot be written: No space left on device")
        now = self._now()
        entry = Entry(len(self.entries) + 1, _in_words(now), kind, plain(data), "", "")
        self.entries.append(entry)
        self._times.append(now)
        self._touch(f"journaled {kind}")
        return entry

    def close(self) -> None: ...

    def reopened(self) -> PastRun:
        """The run as its lines tell it, with every hash made and checked."""
        lines: list[str] = []
        last: Entry | None = None
        for entry, at in zip(self.entries, self._times, strict=True):
            last = next_entry(last, entry.kind, entry.data, at)
            lines.append(last.line)
        return replay_run(self.run_id, self.path, lines, under_way=False)
