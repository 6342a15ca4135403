"""What the nights have met: each step of each shipped runbook with each kind of fault, before, during and after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulation.nights.faults import FAULTS
from simulation.nights.kinds.all_kinds import KINDS
from simulation.nights.kinds.kind import NightKind
from simulation.nights.night import Result
from simulation.nights.plan import Moment


@dataclass
class Coverage:
    """Counts over many nights."""

    nights: int = 0
    kinds: set[str] = field(default_factory=set)
    """Those that were played."""
    runs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    fired: Counter[tuple[str, str, str, str, str]] = field(default_factory=Counter)
    """(kind of night, runbook, step, kind of fault, moment)"""
    steps: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    useless: Counter[str] = field(default_factory=Counter)
    by_hand: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        self.nights += 1
        self.runs += len(result.outcomes)
        self.outcomes.update(result.outcomes)
        kind = result.plan.kind
        self.kinds.add(kind)
        self.fired.update({(kind, *cell): count for cell, count in result.fired.items()})
        self.steps.update({(kind, *step): count for step, count in result.steps.items()})
        self.judged.update(result.judged)
        self.useless.update(result.useless)
        self.by_hand.update(result.by_hand)

    def holes(self) -> Iterable[tuple[str, str, str, str, str]]:
        """Cells that no night of these kinds has met."""
        for kind in self._played():
            for name, step in _steps(kind):
                for fault in kind.faults:
                    for moment in Moment:
                        if not self.fired[kind.name, name, step, fault, moment.value]:
                            yield kind.name, name, step, fault, moment.value

    def text(self) -> str:
        """A line for each step: how often it was begun, how many faults came at each moment, and its holes."""
        lines = [f"{self.nights} nights, {self.runs} runs"]
        lines += [f"  {count:6} {outcome}" for outcome, count in sorted(self.outcomes.items())]
        lines.append("asked by the invariants:")
        lines += [f"  {count:6} {rule}" for rule, count in sorted(self.judged.items())]
        holes = list(self.holes())
        missing = Counter(hole[:3] for hole in holes)
        never = []
        for kind in self._played():
            cells = len(kind.faults) * len(Moment)
            lines.append(f"steps of {kind.name}: begun; faults before, during, after; cells met of {cells}")
            for name, step in _steps(kind):
                counts = [self._faults(kind.name, name, step, moment) for moment in Moment]
                met = cells - missing[kind.name, name, step]
                figures = f"{self.steps[kind.name, name, step]:7}; {', '.join(f'{one:5}' for one in counts)}; {met:3}"
                lines.append(f"  {name:24} {step:28} {figures}")
                never += [] if met else [f"{kind.name} {name} {step}"]
        lines.append(f"holes: {len(holes)} cells; steps without any fault: {', '.join(never) or 'none'}")
        if self.useless:
            named = ", ".join(f"{name} {count}" for name, count in self.useless.most_common())
            lines.append(f"advised after a night, and nothing could be sent: {named}")
        if self.by_hand:
            named = ", ".join(f"{code} {count}" for code, count in self.by_hand.most_common())
            lines.append(f"done by hand after a night, as no runbook led on: {named}")
        return "\n".join(lines)

    def _played(self) -> Iterable[NightKind]:
        return (kind for name, kind in KINDS.items() if name in self.kinds)

    def _faults(self, kind: str, name: str, step: str, moment: Moment) -> int:
        return sum(self.fired[kind, name, step, fault, moment.value] for fault in FAULTS)


def _steps(kind: NightKind) -> Iterable[tuple[str, str]]:
    """Runbook and step, of all shipped runbooks of this kind."""
    for name, runbook in kind.runbooks.items():
        yield from ((name, step.id) for step in runbook.steps)
