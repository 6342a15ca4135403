"""Findings: named conclusions from one observation, each with its figures and the next action."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from console.core.lazy_dataclass import dataclass


class Severity(StrEnum):
    """As in `status --format json`."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class Health(StrEnum):
    """A cluster in one word. UNKNOWN: nothing could be observed."""

    HEALTHY = "healthy"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NextAction:
    """What to do about a finding: a runbook, or advice where no runbook can help. One of them is set."""

    runbook: str | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One named conclusion. The code is public and stable."""

    code: str
    severity: Severity
    nodes: tuple[str, ...]
    summary: str
    """What is true, in one plain sentence."""
    why: str
    """Why it matters to clients."""
    evidence: tuple[str, ...]
    """The figures it rests on."""
    next: NextAction


def ranked_as(health: Health, findings: Iterable[Finding]) -> Health:
    """The health by which a cluster is sorted and selected. Its health itself stays what it is.

    An unknown cluster with a critical finding, as one whose nodes all refuse, stands among the critical ones: it may
    be the worst outage of all.
    """
    if health == Health.UNKNOWN and any(one.severity is Severity.CRITICAL for one in findings):
        return Health.CRITICAL
    return health
