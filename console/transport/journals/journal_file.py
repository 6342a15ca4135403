"""The journal of a run on this machine's disk. It is append-only, and each entry is synced before anything is sent.

The console that writes a journal holds a lock on the file. The lock ends with the process. So two consoles never append
to the same journal, and a reader can tell a run that is under way from one whose console died.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from console.core.runs.past.past_run import PastRun, UnfinishedLine
from console.core.runs.past.replay import replay_run
from console.core.runs.records.journal import Entry, next_entry

NAME = "journal.jsonl"
_LOCK_TIMEOUT = 1.0
"""Seconds in which the lock is tried again: a reader holds it for a moment, to see whether a console writes."""


class FileJournal:
    """Writes `journal.jsonl` in the folder of the run. Only the operator can read it: folder 0700, file 0600."""

    def __init__(self, folder: Path, file: int, now: Callable[[], float], last: Entry | None = None) -> None:
        """`file`: a descriptor, open for appending and locked. `last`: the last entry that is in the file."""
        self._folder = folder
        self._file: int | None = file
        self._now = now
        self._last = last
        self._broken = ""

    @property
    def run_id(self) -> str:
        return self._folder.name

    @property
    def path(self) -> str:
        """The folder of this run."""
        return str(self._folder)

    def append(self, kind: str, data: Mapping[str, object]) -> Entry:
        """Writes an entry; it is on the disk when this returns it. Raises OSError.

        After a failed write every further call raises too, because the journal may end with half a line.
        """
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
        finally:  # also after Ctrl-C: the next entry must carry the hash of this one
            if os.fstat(self._file).st_size == whole:
                self._last = entry
        return entry

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def open_journal(folder: Path, run_id: str, now: Callable[[], float]) -> FileJournal:
    """A new journal in `folder/run_id`. Raises OSError if the folder cannot be made or the run exists already."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = folder / run_id
    own.mkdir(mode=0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
    file = os.open(own / NAME, flags, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for one in (own, folder):
            _sync_folder(one)
    except OSError:
        os.close(file)
        raise
    return FileJournal(own, file, now)


def reopen_journal(
    folder: Path, run_id: str, now: Callable[[], float]
) -> tuple[FileJournal, PastRun, UnfinishedLine | None]:
    """Opens the journal of a run whose console died, to append after its last whole entry.

    Returns the journal, the run that it records, and the unfinished line that was moved aside, if there was one.
    Raises OSError if it cannot be opened, if another console writes it, and if it is closed or broken.
    """
    own = folder / run_id
    try:
        file = os.open(own / NAME, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    except OSError as error:
        raise OSError(f"the journal {own / NAME} cannot be opened for writing: {error.strerror}") from error
    try:
        _lock(file, run_id)
        past = _resumable(replay_run(run_id, str(own), read_lines(own / NAME), under_way=False))
        cut = _move_cut_line_aside(own, file, past) if past.chain.unfinished else None
    except OSError:
        os.close(file)
        raise
    return FileJournal(own, file, now, past.entries[-1] if past.entries else None), past, cut


def read_lines(path: Path) -> list[str]:
    """The lines of a journal with their line ends. Only a line feed ends a line. Raises OSError."""
    text = path.read_bytes().decode("utf-8", "replace")
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def is_written(path: Path) -> bool:
    """Whether a console writes this journal now. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _resumable(past: PastRun) -> PastRun:
    if past.why_not:
        raise OSError(past.why_not)
    return past


def _lock(file: int, run_id: str) -> None:
    """Takes the lock. Raises OSError if another console holds it."""
    until = time.monotonic() + _LOCK_TIMEOUT
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise OSError(f"the run {run_id} is under way: another console writes its journal") from None
            time.sleep(0.02)
        else:
            return


def _move_cut_line_aside(folder: Path, file: int, past: PastRun) -> UnfinishedLine:
    """Moves the unfinished last line to a file of its own. Raises OSError."""
    whole = sum(len(entry.line.encode()) for entry in past.entries)
    rest = os.pread(file, os.fstat(file).st_size - whole, whole)
    line = past.chain.entries + 1
    kept = folder / f"{NAME}.cut-{line}-{hashlib.sha256(rest).hexdigest()[:8]}"
    with contextlib.suppress(FileExistsError):  # left by an attempt that was interrupted; compared below
        copy = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _write_all(copy, rest)
            os.fsync(copy)
        finally:
            os.close(copy)
    if kept.read_bytes() != rest:
        raise OSError(f"{kept} does not hold the unfinished end of the journal: move it away and try again")
    _sync_folder(folder)
    os.ftruncate(file, whole)
    os.fsync(file)
    return UnfinishedLine(line, len(rest), hashlib.sha256(rest).hexdigest(), kept.name)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync_folder(folder: Path) -> None:
    """Syncs a folder: a new file survives a crash only if its folder is on the disk too."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
