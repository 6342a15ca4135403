"""The runs that are recorded on this machine's disk: read, never written."""

from __future__ import annotations

from pathlib import Path

from console.core.runs.past_run import ArchiveError, PastRun
from console.core.runs.replay import replay_run
from console.transport.journals.journal_file import NAME, is_written, read_lines


class FolderArchive:
    """Implements the engine's Archive over the folder that has one folder a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[tuple[int, int, bool], PastRun]] = {}
        """Run → size and time of its journal, whether it was written then, and what was read."""

    def summaries(self) -> tuple[PastRun, ...]:
        """Every run, the oldest first; what cannot be read is left out."""
        found = []
        for path in sorted(self._folder.glob(f"*/{NAME}")):
            try:
                found.append(self._read(path))
            except OSError:
                continue
        return tuple(found)

    def read(self, run_id: str) -> PastRun:
        """Raises ArchiveError, in one line."""
        path = self._folder / run_id / NAME
        try:
            return self._read(path, anew=True)
        except OSError as error:
            raise ArchiveError(f"{path}: {error.strerror or error}") from None

    def _read(self, path: Path, *, anew: bool = False) -> PastRun:
        """Asks first whether somebody writes: a run that ends in between is then shown under way for a moment more.

        `anew`: one run that is asked for is checked against what is on the disk now. Safe from any thread.
        """
        writes, stat = is_written(path), path.stat()
        at = (stat.st_size, stat.st_mtime_ns, writes)
        run_id = path.parent.name
        known = self._known.get(run_id)
        if known is None or known[0] != at or anew:
            known = self._known[run_id] = (at, replay_run(run_id, str(path.parent), read_lines(path), under_way=writes))
        return known[1]
