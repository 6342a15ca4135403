"""A row of the diagnosis: a code, why it matters, and the rule that finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from console.core.diagnosis.finding import Finding, NextAction, Severity
from console.core.model import ClusterState, MasterLink, NodeState, Redis, Role

REBUILD = NextAction(runbook="one-shot-rebuild")
BUILD = NextAction(runbook="initial-build")
LOOP = NextAction(runbook="break-replication-loop")
REPAIR = NextAction(runbook="repair-vip")
RESOLVE = NextAction(runbook="resolve-dual-master")
RESUME = NextAction(runbook="resume-writes")
SAFE_RETURN = NextAction(runbook="safe-return")
RECOVER = NextAction(runbook="recover-from-rdb")


def advise(text: str) -> NextAction:
    """Advice where no runbook can help."""
    return NextAction(advice=text)


def repairing(state: ClusterState, otherwise: NextAction) -> NextAction:
    """The runbook that brings the virtual IP to the master, where it is settled who that is."""
    return REPAIR if len(state.masters) == 1 else otherwise


def choosing(state: ClusterState, otherwise: NextAction) -> NextAction:
    """The runbook that makes a master of one of two replicas, where both are."""
    roles = [node.redis.value.role if node.redis.value is not None else None for node in state.nodes]
    return LOOP if roles == [Role.REPLICA, Role.REPLICA] else otherwise


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule found: the nodes, the sentence, the figures, and what to do."""

    nodes: tuple[str, ...]
    summary: str
    evidence: tuple[str, ...]
    next: NextAction
    severity: Severity | None = None
    """Where it differs from the row's."""


Rule = Callable[[ClusterState], Iterator[Hit]]


@dataclass(frozen=True, slots=True)
class Row:
    """One finding code. `said_by` names codes that say the same and more: on one of its nodes, they replace it."""

    code: str
    severity: Severity
    why: str
    rule: Rule
    then: str
    """What to do about it, in general: each finding says it with names and figures."""
    said_by: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """What the code means, in one sentence: the rule's own."""
        return " ".join((self.rule.__doc__ or "").split())

    def find(self, state: ClusterState) -> Iterator[Finding]:
        """The findings of this code."""
        for hit in self.rule(state):
            severity = hit.severity or self.severity
            yield Finding(self.code, severity, hit.nodes, hit.summary, self.why, hit.evidence, hit.next)


def names(nodes: list[NodeState]) -> tuple[str, ...]:
    """Their names, in the order of the inventory."""
    return tuple(node.name for node in nodes)


def listed(items: tuple[str, ...] | list[str]) -> str:
    """`redis-a and redis-b`."""
    return " and ".join(items)


def serving(state: ClusterState) -> NodeState | None:
    """The master that clients reach: behind the VIP, else the only one there is."""
    if state.vip_reaches is not None and state.vip_reaches in state.masters:
        return state.node(state.vip_reaches)
    return state.node(state.masters[0]) if len(state.masters) == 1 else None


def replicas(state: ClusterState) -> Iterator[tuple[NodeState, Redis, MasterLink]]:
    """The nodes whose Redis says that it is a replica, with what it says of its master."""
    for node in state.nodes:
        redis = node.redis.value
        if redis is not None and redis.role is Role.REPLICA and redis.master is not None:
            yield node, redis, redis.master
