"""A cluster in a few values for each node: what a run's journal keeps of its observations, under the key `figures`."""

from __future__ import annotations

from console.core.kinds.gate_facts import consul_facts, sentinel_facts
from console.core.kinds.protection import protection
from console.core.model import ClusterState, NodeState, Problem
from console.core.model.facts import proved_down
from console.core.watchers.service_name import serving_node


def state_summary(state: ClusterState) -> dict[str, object]:
    """Plain values, ready for JSON. None: not known. Keys may be added and must not be renamed."""
    return {
        "vip": state.vip,
        "vip_holders": list(state.vip_holders),
        "vip_reaches": state.vip_reaches,
        "serving": serving_node(state),
        "protected": protection(state).verdict.value,
        "nodes": {node.name: _node(state, node) for node in state.nodes},
        **({"sentinels": dict(sentinel_facts(state))} if state.sentinels else {}),
        **({"consul": dict(consul_facts(state))} if state.consul is not None else {}),
    }


def _node(state: ClusterState, node: NodeState) -> dict[str, object]:
    redis, keepalived = node.redis.value, node.keepalived.value
    return {
        "redis": _role(node),
        "keys": redis.total_keys if redis else None,
        "offset": redis.offset if redis else None,
        "keepalived": _keepalived(node),
        "priority": keepalived.instance.priority if keepalived and keepalived.instance else None,
        "holds_vip": node.holds(state.vip),
    }


def _role(node: NodeState) -> str:
    redis = node.redis.value
    if redis is None:
        return "does not run" if proved_down(node) else f"not readable: {_why(node.redis.problem)}"
    if redis.master is None:
        return redis.role.value
    return f"{redis.role.value} of {redis.master.host}:{redis.master.port}, link {'up' if redis.master.up else 'down'}"


def _keepalived(node: NodeState) -> str:
    keepalived = node.keepalived.value
    if keepalived is None:
        return f"not readable: {_why(node.keepalived.problem)}"
    return f"running, {keepalived.state.value}" if keepalived.running else "stopped"


def _why(problem: Problem | None) -> str:
    return problem.kind.value if problem is not None else "not known"
