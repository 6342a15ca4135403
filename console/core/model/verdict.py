"""The answer to a condition: a verdict with its statement, its evidence and advice."""

from __future__ import annotations

from enum import StrEnum

from console.core.lazy_dataclass import dataclass


class Verdict(StrEnum):
    """UNKNOWN: the condition could not be evaluated. It neither holds nor fails (H28)."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """A condition evaluated on one observation."""

    verdict: Verdict
    statement: str
    """The condition with the names of the nodes: `keepalived is stopped on redis-a`."""
    evidence: str
    """What was observed, in figures."""
    advice: str = ""
    """What to do if it does not hold."""
    hazard: str = ""
    """The hazard that it prevents, such as `H02`; empty: it prevents none."""
    override: str = ""
    """The sentence that an operator may type where it does not hold. Empty: only its hazard may have one."""

    @property
    def told(self) -> str:
        """The statement as it stands: `not so: …`, `not known whether: …`. One that holds is told as it is.

        Nothing else tells a condition that does not hold: a bare statement would be read as a fact.
        """
        return f"{_TOLD[self.verdict]}{self.statement}"

    @property
    def holds(self) -> bool:
        return self.verdict is Verdict.HOLDS


_TOLD = {Verdict.HOLDS: "", Verdict.FAILS: "not so: ", Verdict.UNKNOWN: "not known whether: "}
