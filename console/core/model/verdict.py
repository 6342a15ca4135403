"""The vocabulary of conditions: what a runbook may require, skip on, verify, or bind a role by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Unknown is neither: a condition that could not be looked at holds nothing and refutes nothing (H28)."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """A condition evaluated on one observation."""

    verdict: Verdict
    statement: str
    """What is asked, with the node's names: `redis-a's keepalived is stopped`."""
    evidence: str
    """What was seen, in figures."""
    advice: str = ""
    """What to do instead, where it does not hold."""
    hazard: str = ""
    """The hazard that it keeps away, `H02`; empty for plain expectations."""

    @property
    def holds(self) -> bool:
        return self.verdict is Verdict.HOLDS
