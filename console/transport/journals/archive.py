"""Reads the runs that are recorded on this machine. It never writes."""

from __future__ import annotations

from pathlib import Path

from console.core.runs.past.past_run import ArchiveError, PastRun
from console.core.runs.past.replay import replay_run
from console.transport.journals.journal_file import NAME, is_written, read_lines


class FolderArchive:
    """Implements the engine's Archive over a folder that has one folder for each run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[tuple[int, int, bool], PastRun]] = {}
        """Run → (size and time of its journal, whether a console was writing it) and what was read."""

    def summaries(self) -> tuple[PastRun, ...]:
        """Every run that can be read, the oldest first."""
        found = []
        for path in sorted(self._folder.glob(f"*/{NAME}")):
            try:
                found.append(self._read(path))
            except OSError:
                continue
        return tuple(found)

    def read(self, run_id: str) -> PastRun:
        """One run. Raises ArchiveError with one line of text."""
        path = self._folder / run_id / NAME
        try:
            return self._read(path, anew=True)
        except OSError as error:
            raise ArchiveError(f"{path}: {error.strerror or error}") from None

    def _read(self, path: Path, *, anew: bool = False) -> PastRun:
        """Reads a journal, unless it is known and unchanged. May be called from any thread.

        Whether a console writes it is read first: a run that ends just then is shown as under way, not as dead.
        `anew`: reads the file even if its size and time are the same.
        """
        writes, stat = is_written(path), path.stat()
        at = (stat.st_size, stat.st_mtime_ns, writes)
        run_id = path.parent.name
        known = self._known.get(run_id)
        if known is None or known[0] != at or anew:
            known = self._known[run_id] = (at, replay_run(run_id, str(path.parent), read_lines(path), under_way=writes))
        return known[1]
