"""A row of the diagnosis: a code, why it matters, and the rule that finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.core.conditions.predicate import UnreadError
from console.core.diagnosis.finding import Finding, NextAction, Severity
from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, NodeState


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule found: the nodes, the sentence, the figures, and what to do."""

    nodes: tuple[str, ...]
    summary: str
    evidence: tuple[str, ...]
    next: NextAction
    severity: Severity | None = None
    """Where it differs from the row's."""
    why: str | None = None
    """The same: why it matters here."""


Detector = Callable[[ClusterState], Iterator[Match]]


@dataclass(frozen=True, slots=True)
class FindingRule:
    """One finding code: what it means, how it is detected, and what to do."""

    code: str
    severity: Severity
    why: str
    detect: Detector
    remedy: str
    """What to do about it, in general: each finding says it with names and figures."""
    superseded_by: tuple[str, ...] = ()
    """Codes that say more. A finding of one of these on the same node replaces this one."""

    @property
    def meaning(self) -> str:
        """What the code means, in one sentence: the rule's own."""
        return " ".join((self.detect.__doc__ or "").split())

    def find(self, state: ClusterState) -> Iterator[Finding]:
        """The findings of this code. What it needs and could not be read has a finding of its own."""
        try:
            for hit in self.detect(state):
                severity = hit.severity or self.severity
                yield Finding(self.code, severity, hit.nodes, hit.summary, hit.why or self.why, hit.evidence, hit.next)
        except UnreadError:
            return


def node_names(nodes: list[NodeState]) -> tuple[str, ...]:
    """Their names, in the order of the inventory."""
    return tuple(node.name for node in nodes)


def listed(items: tuple[str, ...] | list[str]) -> str:
    """`redis-a and redis-b`."""
    return " and ".join(items)
