"""Whether a node's keepalived takes the virtual IP back, with old data, as soon as its check succeeds (H01)."""

from __future__ import annotations

from console.core.keepalived.priority import effective
from console.core.model import ClusterState, NodeState, VrrpInstance
from console.core.model.facts import does_not_answer, proved_down, serving_master, source_of, vrrp_instance


def takes_back_from(state: ClusterState, node: NodeState) -> NodeState | None:
    """The node that loses the virtual IP, and whose newer data is lost, once the check on `node` succeeds again.

    It is proved: the keepalived of the node runs, it is not the one that yields, and its priority wins. None: not so,
    or it could not be read.
    """
    master = serving_master(state)
    if master is None or master is node or not _stale(state, node, master):
        return None
    ours, theirs = vrrp_instance(node), vrrp_instance(master)
    if ours is None or theirs is None or not _runs(node) or _yields(ours):
        return None
    wins = effective(ours, check_ok=True) > effective(theirs, check_ok=True)
    return master if wins and node.holds(state.vip) is False else None


def may_take_back_from(state: ClusterState, node: NodeState) -> NodeState | None:
    """The same, where it is not proved that it does not happen. Whoever repairs the node must stop keepalived first.

    What could not be read proves nothing. A failover that has only moved the address counts as well: the node that
    has it is about to be made the master.
    """
    if not state.vip or node.holds(state.vip) is not False:
        return None
    other = serving_master(state)
    if other is None or other is node:
        other = next((one for one in state.nodes if one is not node and one.holds(state.vip)), None)
    if other is None or _in_sync(state, node, other):
        return None
    keepalived, ours, theirs = node.keepalived.value, vrrp_instance(node), vrrp_instance(other)
    if keepalived is not None and not keepalived.running:
        return None
    if ours is None or theirs is None:
        return other
    loses = effective(ours, check_ok=True) < effective(theirs, check_ok=True)
    return None if _yields(ours) or loses else other


def stopped_first(state: ClusterState, node: NodeState, advice: str) -> str:
    """The advice to repair a node by hand. Where its keepalived may take the virtual IP then, that is stopped first."""
    other = may_take_back_from(state, node)
    if other is None:
        return advice
    why = f"as soon as its check succeeds it may take {state.vip} from {other.name}, which has newer data"
    return f"stop keepalived on {node.name} first: {why}; then {advice}"


def _stale(state: ClusterState, node: NodeState, master: NodeState) -> bool:
    """Whether what the node holds is proved not to be the master's data. What could not be read proves nothing."""
    if node.redis.value is None:
        return proved_down(node) or does_not_answer(node)
    return not _in_sync(state, node, master)


def _in_sync(state: ClusterState, node: NodeState, master: NodeState) -> bool:
    redis = node.redis.value
    link = redis.master if redis is not None else None
    return link is not None and link.up and source_of(state, node) is master


def _runs(node: NodeState) -> bool:
    return node.keepalived.value is not None and node.keepalived.value.running


def _yields(instance: VrrpInstance) -> bool:
    return instance.nopreempt and instance.state != "MASTER"
