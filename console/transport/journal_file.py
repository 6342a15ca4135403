"""A run's journal on this machine's disk: append-only, each entry synced before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from console.core.journal import Entry, next_entry

NAME = "journal.jsonl"


class FileJournal:
    """Writes `journal.jsonl` in the folder of the run. Only the operator may read it: folder 0700, file 0600."""

    def __init__(self, folder: Path, run_id: str, now: Callable[[], float]) -> None:
        self._run_id = run_id
        self._now = now
        self._last: Entry | None = None
        self._broken = ""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder / run_id
        self._folder.mkdir(mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file: int | None = os.open(self._folder / NAME, flags, 0o600)
        for one in (self._folder, folder):
            _sync_folder(one)

    @property
    def run_id(self) -> str:
        return self._run_id

    @property
    def path(self) -> str:
        """The folder of this run."""
        return str(self._folder)

    def append(self, kind: str, data: Mapping[str, object]) -> None:
        """On disk when it returns. Raises OSError, and does so ever after: half a line ends a journal."""
        if self._file is None:
            raise OSError(f"the journal {self._folder / NAME} is closed")
        if self._broken:
            raise OSError(self._broken)
        entry = next_entry(self._last, kind, data, self._now())
        line = entry.line.encode()
        whole = os.fstat(self._file).st_size + len(line)
        try:
            _write_all(self._file, line)
            os.fsync(self._file)
        except OSError as error:
            self._broken = f"the journal {self._folder / NAME} cannot be written: {error.strerror}"
            raise OSError(self._broken) from error
        finally:  # Ctrl-C in here must not make the next entry forget this one
            if os.fstat(self._file).st_size == whole:
                self._last = entry

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def open_journal(folder: Path, run_id: str, now: Callable[[], float]) -> FileJournal:
    """A new journal in `folder/run_id`. Raises OSError where the folder cannot be made or the run exists already."""
    return FileJournal(folder, run_id, now)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync_folder(folder: Path) -> None:
    """A new file is found again after a crash only when its folder is on disk too."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
