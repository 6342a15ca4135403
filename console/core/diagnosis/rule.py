"""A row of the diagnosis: a code, why it matters, and the rule that finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.core.conditions.predicate import UnreadError
from console.core.diagnosis.finding import Finding, NextAction, Severity
from console.core.diagnosis.next_actions import REBUILD, advise
from console.core.keepalived.preempting import may_take_back_from, stopped_first
from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, NodeState
from console.core.model.facts import serving_master


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

    mends: bool = False
    """Whether its advice makes the node's Redis answer, or its check succeed. Where the node's keepalived may take the
    virtual IP from newer data then, the runbook that stops keepalived there first stands in its place (H01)."""

    @property
    def meaning(self) -> str:
        """What the code means, in one sentence: the rule's own."""
        return " ".join((self.detect.__doc__ or "").split())

    def find(self, state: ClusterState) -> Iterator[Finding]:
        """The findings of this code. What it needs and could not be read has a finding of its own."""
        try:
            for hit in self.detect(state):
                severity = hit.severity or self.severity
                then = _mending(state, hit) if self.mends else hit.next
                yield Finding(self.code, severity, hit.nodes, hit.summary, hit.why or self.why, hit.evidence, then)
        except UnreadError:
            return


def _mending(state: ClusterState, hit: Match) -> NextAction:
    """The advice about the first of its nodes, once that node's keepalived cannot take the virtual IP any more."""
    node = state.node(hit.nodes[0])
    if hit.next.advice is None or may_take_back_from(state, node) is None:
        return hit.next
    return REBUILD if serving_master(state) not in (None, node) else advise(stopped_first(state, node, hit.next.advice))


def node_names(nodes: list[NodeState]) -> tuple[str, ...]:
    """Their names, in the order of the inventory."""
    return tuple(node.name for node in nodes)


def listed(items: tuple[str, ...] | list[str]) -> str:
    """`redis-a and redis-b`."""
    return " and ".join(items)
