"""Recorded runs for tests: journals that the engine itself wrote, on a pair of stand-ins; whole, cut off, or broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from fakes import NOW, Stage

from console.core.runs.past.kept_keys import KeptKeys, kept_fates, kept_keys
from console.core.runs.past.past_run import ArchiveError, PastRun
from console.core.runs.past.replay import replay_run
from console.core.runs.records.journal import Entry, next_entry
from console.core.runs.replays.file_fate import FileFate, FileName

RUN = "20261121T074000Z-cache-one-shot-rebuild-3f2a"
OPENED = {
    "program": "redis-ha-console 0.1.0",
    "operator": "ann@ops1",
    "terminal": "/dev/pts/3",
    "cluster": "cache",
    "runbook_title": "One-shot rebuild after a failover",
}


def written(*, at: float = NOW, operator: Any = None, **opened: Any) -> list[str]:
    """The lines of a journal of a whole rebuild, one entry a second from `at` on."""
    return lines_of(_rebuild() if operator is None else _entries(operator), at, **opened)


@cache
def _rebuild() -> list[tuple[str, Mapping[str, Any]]]:
    return _entries(None)


def _entries(operator: Any) -> list[tuple[str, Mapping[str, Any]]]:
    stage = Stage()
    stage.run(operator)
    return stage.journal.entries


def lines_of(told: list[tuple[str, Mapping[str, Any]]], at: float = NOW, **opened: Any) -> list[str]:
    """Entries as a journal has them, sealed one after the other."""
    last: Entry | None = None
    lines = []
    for second, (kind, data) in enumerate(told):
        known = {**data, **OPENED, **opened} if kind == "opened" else data
        last = next_entry(last, kind, known, at + second)
        lines.append(last.line)
    return lines


def until(lines: list[str], kind: str, count: int = 1) -> list[str]:
    """The journal up to and with its entry number `count` of this kind."""
    found = [at for at, one in enumerate(lines) if f'"kind":"{kind}"' in one]
    return lines[: found[count - 1] + 1]


def past(lines: list[str], run_id: str = RUN, *, live: bool = False) -> PastRun:
    return replay_run(run_id, f"/home/ann/.local/state/redis-ha-console/runs/{run_id}", lines, under_way=live)


@dataclass
class FakeArchive:
    """Implements `Archive` over a list that a test may change."""

    runs: list[PastRun] = field(default_factory=list)
    reads: int = 0
    dismissed: dict[str, str] = field(default_factory=dict)
    """File → who wants to hear no more of it."""

    def summaries(self) -> tuple[PastRun, ...]:
        return tuple(self.runs)

    def read(self, run_id: str) -> PastRun:
        self.reads += 1
        for one in self.runs:
            if one.run_id == run_id:
                return one
        raise ArchiveError(f"there is no run {run_id}")

    def kept_keys(self) -> tuple[KeptKeys, ...]:
        return kept_keys(self.runs, self.dismissed.__contains__)

    def fates_of_files(self) -> Mapping[FileName, FileFate]:
        return kept_fates(self.runs)

    def dismiss(self, kept: KeptKeys, operator: str) -> None:
        self.dismissed[kept.file] = operator

    def put(self, past: PastRun) -> None:
        """In the place of the one with its id."""
        self.runs = [past if one.run_id == past.run_id else one for one in self.runs]


def many(count: int = 300) -> list[PastRun]:
    """Runs of a year, on three clusters."""
    names = ("cache", "sessions", "queue")
    whole = past(written())
    first = whole.entries[0]
    return [
        replace(
            whole,
            run_id=f"2026{number:04d}-{names[number % 3]}",
            opened={**whole.opened, "cluster": names[number % 3]},
            entries=(replace(first, at=f"2026-{number // 28 + 1:02d}-{number % 28 + 1:02d}T03:40:00.000Z"),),
        )
        for number in range(count)
    ]


KEPT_FILE = "/home/ann/.local/state/redis-ha-console/runs/1/keys-of-redis-a.jsonl"
KEPT_SENT = f"SCAN, DUMP and PTTL here and on redis-b; what differs is written to {KEPT_FILE}"
KEPT_RUN = "20261121T074000Z-cache-resolve-dual-master-3f2a"
KEPT_PLANNED = {"node": "redis-a", "command": {"sent": KEPT_SENT}}


def kept_run(run_id=KEPT_RUN, **opened):
    text = f"looked at all 9 keys of redis-a: 2 are not on redis-b; written to {KEPT_FILE}"
    told = [
        ("opened", {"runbook": "resolve-dual-master", "steps": ["export"], **opened}),
        ("intent", {"step": 1, "verb": "export-differences", "planned": KEPT_PLANNED}),
        ("result", {"step": 1, "answer": {"kind": "done", "text": text}}),
        ("intent", {"step": 2, "verb": "replicate", "planned": {"node": "redis-a", "command": {"sent": "SLAVEOF"}}}),
        ("result", {"step": 2, "answer": {"kind": "done", "text": "OK"}}),
        ("closed", {"outcome": "done"}),
    ]
    return replay_run(run_id, "/runs/1", lines_of(told), under_way=False)
