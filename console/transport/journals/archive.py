"""Reads the runs that are recorded on this machine. It writes nothing but the mark of a reminder that is dismissed."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from console.core.runs.past.kept_keys import KeptKeys, kept_keys
from console.core.runs.past.past_run import ArchiveError, PastRun
from console.core.runs.past.replay import replay_run
from console.core.runs.replays.order import RUNBOOK
from console.transport.journals.journal_file import NAME, is_written, read_lines

DISMISSED = ".dismissed"
"""The ending of the mark beside a file of keys: nothing more is said about it."""
_KEPT = "*/keys-of-*"
_IN_MEMORY = "/dev/shm/"  # noqa: S108 - only compared


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

    def kept_keys(self) -> tuple[KeptKeys, ...]:
        """Keys that are only in a file. Only runs with such a file are read, and runs that bring keys back."""
        kept = {path.parent for path in self._folder.glob(_KEPT)}
        if not kept:
            return ()
        kept.update(path.parent for path in self._folder.glob(f"*-{RUNBOOK}-*/{NAME}"))
        runs = []
        for folder in sorted(kept):
            with contextlib.suppress(OSError):
                runs.append(self._read(folder / NAME))
        return kept_keys((one for one in runs if not self.laboratory_is_gone(one)), _is_dismissed)

    def laboratory_is_gone(self, past: PastRun) -> bool:
        """Whether the nodes are gone with their inventory. Only a laboratory has one in a file system of the memory."""
        inventory = str(past.opened.get("inventory") or "")
        return inventory.startswith(_IN_MEMORY) and not Path(inventory).exists()

    def dismiss(self, kept: KeptKeys, operator: str) -> None:
        """Writes the mark beside the file. Raises OSError."""
        said = {"operator": operator, "at": datetime.now(UTC).isoformat(timespec="seconds"), "keys": kept.keys}
        mark = os.open(f"{kept.file}{DISMISSED}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(mark, "w", encoding="utf-8") as file:
            json.dump(said, file)

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


def _is_dismissed(file: str) -> bool:
    """Whether nothing is to be said about this file: an operator said so, or it is not there any more."""
    return Path(f"{file}{DISMISSED}").exists() or not Path(file).exists()
