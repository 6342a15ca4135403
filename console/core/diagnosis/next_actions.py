"""The next actions that findings name: runbooks, and advice where no runbook helps."""

from __future__ import annotations

from console.core.diagnosis.finding import NextAction
from console.core.model import ClusterState, Role
from console.core.model.verdict import Verdict
from console.core.replication.history import compare_histories
from console.core.watchers.sentinels import agreed_master

REBUILD = NextAction(runbook="one-shot-rebuild")
BUILD = NextAction(runbook="initial-build")
BREAK_LOOP = NextAction(runbook="break-replication-loop")
REPAIR_VIP = NextAction(runbook="repair-vip")
RESOLVE = NextAction(runbook="resolve-dual-master")
RESUME = NextAction(runbook="resume-writes")
SAFE_RETURN = NextAction(runbook="safe-return")
RECOVER = NextAction(runbook="recover-from-rdb")


def advise(text: str) -> NextAction:
    """Advice where no runbook can help."""
    return NextAction(advice=text)


def repair_vip_or(state: ClusterState, otherwise: NextAction) -> NextAction:
    """The runbook that brings the virtual IP to the master, where it is settled who that is.

    Sentinels settle it, also where a second node is a master that they do not know.
    """
    if state.sentinels:
        named = agreed_master(state)
        return REPAIR_VIP if named is not None and named.name in state.masters else otherwise
    return REPAIR_VIP if len(state.masters) == 1 else otherwise


def build_or_rebuild(state: ClusterState) -> NextAction:
    """Where no Redis runs: a pair whose keepalived runs, or left its address, was built before.

    The first build refuses such a pair. The rebuild stops keepalived where it is in the way.
    """
    running = any(node.keepalived.value is not None and node.keepalived.value.running for node in state.nodes)
    return REBUILD if running or state.vip_holders else BUILD


def break_loop_or(state: ClusterState, otherwise: NextAction) -> NextAction:
    """The runbook that makes a master of one of two replicas, where both are."""
    roles = [node.redis.value.role if node.redis.value is not None else None for node in state.nodes]
    return break_loop(state) if roles == [Role.REPLICA, Role.REPLICA] else otherwise


def break_loop(state: ClusterState) -> NextAction:
    """The same, where two follow each other.

    The runbook lets one of them copy the other, so it refuses where each has writes that the other lacks. As a master
    of its own each keeps what it has.
    """
    each_way = ((one, other) for one in state.nodes for other in state.nodes if one is not other)
    if any(compare_histories(state, one, other).verdict is not Verdict.FAILS for one, other in each_way):
        return BREAK_LOOP
    return advise(
        "each has writes that the other lacks, and drops them if that one becomes the master: send SLAVEOF NO ONE to"
        " both, first to the one without the virtual IP, then run resolve-dual-master"
    )
