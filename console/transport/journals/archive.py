"""Reads the runs that are recorded on this machine. It writes nothing but the mark of a reminder that is dismissed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from console.core.runs.past.kept_keys import KeptKeys, kept_fates, kept_keys
from console.core.runs.past.past_run import ArchiveError, PastRun, in_laboratory
from console.core.runs.past.replay import replay_run
from console.core.runs.replays.file_fate import FileFate, FileName
from console.core.runs.replays.order import RUNBOOK
from console.transport.journals.journal_file import NAME, is_written, read_lines

DISMISSED = ".dismissed"
"""The ending of the mark beside a file of keys: nothing more is said about it."""
_KEPT = ("*/keys-of-*", "*/replaced-on-*")
MOST_READ = 8_000_000
"""Bytes of a file of keys that is read to count each key once. Of a larger one every key counts."""


class FolderArchive:
    """Implements the engine's Archive over a folder that has one folder for each run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known_keys: dict[str, tuple[tuple[int, int], dict[int, _Line]]] = {}
        """File of keys → (its size and time) and its lines."""
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

    def kept_keys(self, *, dismissed_too: bool = False) -> tuple[KeptKeys, ...]:
        """Keys that are only in a file. Only runs with such a file are read, and runs that bring keys back."""
        if not (folders := self._folders_of_files()):
            return ()
        runs = (one for one in self._runs_in(folders | self._folders_of_replays()) if not self.laboratory_is_gone(one))
        found = kept_keys(runs, (lambda _: False) if dismissed_too else _is_dismissed, self._lines_in)
        return found if len(found) == len({one.cluster for one in found}) else self._each_once(found)

    def fates_of_files(self) -> Mapping[FileName, FileFate]:
        """What replays have made of the files of kept keys."""
        replays = self._folders_of_replays()
        return kept_fates(self._runs_in(replays | self._folders_of_files()), self._lines_in) if replays else {}

    def _folders_of_files(self) -> set[Path]:
        """Of runs that have kept keys in a file that is there."""
        return {path.parent for pattern in _KEPT for path in self._folder.glob(pattern)}

    def _folders_of_replays(self) -> set[Path]:
        return {path.parent for path in self._folder.glob(f"*-{RUNBOOK}-*/{NAME}")}

    def _runs_in(self, folders: set[Path]) -> Iterator[PastRun]:
        for folder in sorted(folders):
            with contextlib.suppress(OSError):
                yield self._read(folder / NAME)

    def _each_once(self, kept: tuple[KeptKeys, ...]) -> tuple[KeptKeys, ...]:
        """The same, where a key of a newer file of its cluster is told as repeated in an older one."""
        newer: dict[object, set[tuple[object, object]]] = {}
        counted = []
        for one in reversed(kept):
            lines, seen = self._lines_in(one.file), newer.setdefault((one.cluster, one.nodes), set())
            keys = {line.key for number, line in lines.items() if number not in one.settled}
            counted.append(replace(one, repeated=min(one.keys, len(keys & seen))))
            seen |= keys
        return tuple(reversed(counted))

    def _lines_in(self, file: str) -> dict[int, _Line]:
        """Each line of a file of keys, by its number. Empty: it is too large for that, or cannot be read."""
        path = Path(file)
        with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
            stat = path.stat()
            at = (stat.st_size, stat.st_mtime_ns)
            known = self._known_keys.get(file)
            if known is not None and known[0] == at:
                return known[1]
            found = dict(_lines_of(path)) if stat.st_size <= MOST_READ else {}
            self._known_keys[file] = (at, found)
            return found
        return {}

    def laboratory_is_gone(self, past: PastRun) -> bool:
        """Whether the nodes are gone with their inventory."""
        return in_laboratory(past.inventory) and not Path(past.inventory).exists()

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


class _Line(NamedTuple):
    """A line of a file of keys. Two are equal where key, value and expiry are."""

    key: tuple[object, object]
    """Database and key."""
    value: bytes
    """A digest of the payload."""
    expires: int
    """When it expires, in tens of seconds since the epoch. 0: it does not."""


def _lines_of(path: Path) -> Iterator[tuple[int, _Line]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            one = json.loads(line)
            if "key_base64" in one:
                pttl = one.get("pttl") or 0
                expires = round(((one.get("at") or 0) + pttl) / 10_000) if pttl > 0 else 0
                value = blake2b(str(one.get("dump_base64")).encode(), digest_size=16).digest()
                yield number, _Line((one.get("db"), one["key_base64"]), value, expires)


def _is_dismissed(file: str) -> bool:
    """Whether nothing is to be said about this file: an operator said so, or it is not there any more."""
    return Path(f"{file}{DISMISSED}").exists() or not Path(file).exists()
