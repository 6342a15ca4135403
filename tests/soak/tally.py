"""What a soak has met and what came of it, as tables; and the stories of what was broken."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LAST_EVENTS = 60
"""Events that are told of a violation."""
REASON = 110
"""Characters of a reason that are told."""
_VARYING = re.compile(r"\d[\d,.]*|[0-9a-f]{8,}|/\S+|[0-9TZ]+-cache-\S+")


@dataclass(frozen=True)
class Violation:
    """Something that must never be."""

    rule: str
    text: str
    where: str
    """The kind, and the night."""
    kept: str
    """The folder with its journals and the hosts' logs."""


@dataclass
class Tally:
    """Counts of one soak."""

    seed: int
    nights: Counter[str] = field(default_factory=Counter)
    minutes: Counter[str] = field(default_factory=Counter)
    runs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(kind, runbook, what came of it) → how often."""
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(runbook, why it was refused or aborted) → how often."""
    starts: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    impossible: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    by_hand: Counter[str] = field(default_factory=Counter)
    useless: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def ended(self, kind: str, runbook: str, outcome: str, message: str) -> None:
        self.runs[kind, runbook, outcome] += 1
        if outcome not in ("protected", "done"):
            self.reasons[runbook, _VARYING.sub("#", " ".join(message.split()))[:REASON]] += 1

    def text(self) -> str:
        lines = [f"seed {self.seed}: {self.nights.total()} nights, {sum(self.minutes.values())} minutes"]
        lines += [f"  {self.nights[kind]:4} nights, {self.minutes[kind]:3} minutes  {kind}" for kind in self.nights]
        lines.append("how nights began")
        lines += [f"  {count:4}  {kind:17} {start}" for (kind, start), count in sorted(self.starts.items())]
        lines.append("runs: kind, runbook, outcome")
        lines += [
            f"  {count:4}  {kind:17} {runbook:27} {outcome}"
            for (kind, runbook, outcome), count in sorted(self.runs.items())
        ]
        lines.append("why runs did not end well")
        lines += [f"  {count:4}  {runbook}: {why}" for (runbook, why), count in sorted(self.reasons.items())]
        for title, counts in (
            ("faults", self.faults), ("faults that made no sense then", self.impossible), ("writes", self.writes),
            ("rules that were asked", self.judged), ("done by hand, as no runbook led on", self.by_hand),
            ("advised, and nothing could be sent", self.useless),
        ):  # fmt: skip
            lines.append(title)
            lines += [f"  {count:6}  {name}" for name, count in sorted(counts.items())]
        lines.append(f"violations: {len(self.violations)}")
        lines += [f"WRONG {one.where}: {one.rule}: {one.text}\n      {one.kept}" for one in self.violations]
        return "\n".join(lines)


class Story:
    """The events of one night, each with its second."""

    def __init__(self, say: Callable[[str], None], name: str) -> None:
        self.lines: list[str] = []
        self._say, self._name, self._began = say, name, time.time()

    def tell(self, line: str) -> None:
        self.tell_at(time.time(), line)

    def tell_at(self, when: float, line: str) -> None:
        self.lines.append(f"{when - self._began:7.1f} s  {line}")
        self._say(f"{self._name} {self.lines[-1]}")

    def quietly(self, when: float, line: str) -> None:
        """Kept for the story, and not printed."""
        self.lines.append(f"{when - self._began:7.1f} s      {line}")


def keep(folder: Path, place: Path, story: Story, logs: str) -> str:
    """Copies the night's folder, its story and the hosts' logs. Returns where they are."""
    place.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("cache"))
    (place / "story.txt").write_text("\n".join(sorted(story.lines)) + "\n", encoding="utf-8")
    (place / "hosts.log").write_text(logs, encoding="utf-8")
    return str(place)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
