"""What became of walks through runbooks that no human watched: the table of `drill check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class WalkOutcome(StrEnum):
    """How one walk ended."""

    PROTECTED = "protected again"
    BY_ITSELF = "protected again by itself"
    """No runbook was needed: the cluster's own scripts or Redis have repaired it."""
    LOST = "lost writes"
    """Acknowledged writes are not there any more, whatever else became of it."""
    REFUSED = "refused"
    """A runbook could not begin, or a step was blocked to the end. Nothing was forced."""
    STUCK = "stuck"
    """A step was sent and not proved, or the run ended in another way than done."""
    UNPROTECTED = "not protected"
    """Every run ended as done, and the cluster would not survive the next failure."""
    NO_RUNBOOK = "no runbook claims it"
    NOT_BUILT = "not built"
    """The cluster does not come up healthy in the order of its documents."""


PASSED = frozenset({WalkOutcome.PROTECTED, WalkOutcome.BY_ITSELF})


@dataclass(frozen=True, slots=True)
class RunbookWalk:
    """One runbook, walked by the plain interface."""

    runbook: str
    ended: str
    """`done`, `failed`, `refused`, `aborted`, `unknown`; empty: it could not begin."""
    step: str
    """The step where it ended; empty: it ended as done, or before its first step."""
    reason: str
    overridden: str = ""
    """The sentence by which a loss was accepted, after the run had kept what would be lost; empty: there was none."""


BEFORE, AFTER = "before the fault", "after it"


@dataclass(frozen=True, slots=True)
class FoundHere:
    """A finding, as it was first found."""

    code: str
    severity: str
    when: str
    """BEFORE or AFTER."""
    summary: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Walk:
    """One scenario, from the fault to the end of the last run."""

    scenario: str
    number: int
    """From 1."""
    disturbed: str
    """What else went wrong meanwhile; empty: nothing."""
    runbooks: tuple[RunbookWalk, ...]
    protected: bool
    lost: int | None
    acknowledged: int
    seconds: float
    """From the fault to the end."""
    found: tuple[FoundHere, ...] = ()
    not_built: str = ""
    longest_gap: float = 0.0
    """Seconds of the longest time without an acknowledged write."""
    by_hand: tuple[str, ...] = ()
    """What no runbook does, and was done as a finding advises."""

    @property
    def outcome(self) -> WalkOutcome:
        """By the worst that happened."""
        if self.not_built:
            return WalkOutcome.NOT_BUILT
        if self.lost:
            return WalkOutcome.LOST
        if not self.runbooks:
            if not self._whole:
                return WalkOutcome.NO_RUNBOOK
            return WalkOutcome.PROTECTED if self.by_hand else WalkOutcome.BY_ITSELF
        last = self.runbooks[-1]
        if last.ended == "done":
            return WalkOutcome.PROTECTED if self._whole else WalkOutcome.UNPROTECTED
        return WalkOutcome.REFUSED if last.ended in ("", "refused", "aborted") else WalkOutcome.STUCK

    @property
    def _whole(self) -> bool:
        return self.protected and self.lost == 0

    @property
    def why(self) -> str:
        """Where and why it ended as it did, in one line."""
        if self.not_built:
            return self.not_built
        told = "no master answers where clients look for it" if self.lost is None else ""
        told += f"{self.lost:,} of {self.acknowledged:,} acknowledged writes lost" if self.lost else ""
        ended = next((one for one in reversed(self.runbooks) if one.ended != "done"), None)
        if ended is not None and (not self.protected or ended is self.runbooks[-1]):
            place = f"at step {ended.step}" if ended.step else "before its first step"
            told = "; ".join(filter(None, (told, f"{ended.runbook} ended {place}: {ended.reason}")))
        return told


def all_passed(walks: Sequence[Walk]) -> bool:
    """Whether each walk ended with a protected cluster and lost nothing."""
    return bool(walks) and all(one.outcome in PASSED for one in walks)


def all_found(walks: Sequence[Walk]) -> tuple[FoundHere, ...]:
    """Every finding of the walks once: where it was found before the fault, that one."""
    found: dict[str, FoundHere] = {}
    for one in sorted((each for walk in walks for each in walk.found), key=lambda each: each.when == AFTER):
        found.setdefault(one.code, one)
    return tuple(found.values())
