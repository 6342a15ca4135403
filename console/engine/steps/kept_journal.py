"""The journal of a run that also keeps its entries: the end of the run is told from them, as the report is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from console.core.runs.records.journal import Entry
from console.engine.ports import Journal


class KeptJournal:
    """Implements the Journal port on another one. An entry is kept once it is on disk."""

    def __init__(self, journal: Journal, entries: Iterable[Entry] = ()) -> None:
        """`entries`: what the journal of a resumed run has already."""
        self._journal = journal
        self.entries = list(entries)

    @property
    def run_id(self) -> str:
        return self._journal.run_id

    @property
    def path(self) -> str:
        return self._journal.path

    def append(self, kind: str, data: Mapping[str, object]) -> Entry:
        entry = self._journal.append(kind, data)
        self.entries.append(entry)
        return entry

    def close(self) -> None:
        self._journal.close()
