"""What an observation says that must not depend on which world it is of: roles, addresses, histories, and Sentinels."""

from __future__ import annotations

from itertools import permutations

from console.core.model import ClusterState, ConsulState, NodeState, SentinelState
from console.core.model.facts import node_by_address, source_of
from console.core.replication.history import compare_histories
from console.core.replication.resync import predict_resync


def seen(state: ClusterState) -> dict[str, str]:
    facts = {f"{node.name} {key}": value for node in state.nodes for key, value in _of_node(state, node).items()}
    facts["VIP on"] = ", ".join(state.vip_holders)
    facts["VIP reaches"] = str(state.vip_reaches)
    for source, target in permutations(state.nodes, 2):
        name = f"{target.name} after {source.name}"
        facts[f"{name}: history"] = compare_histories(state, source, target).verdict.value
        facts[f"{name}: resync"] = predict_resync(state, source, target)[0].value
        one, other = source.redis.value, target.redis.value
        if one is not None and other is not None:
            facts[f"{name}: keys"] = f"{one.total_keys - other.total_keys:+} on {source.name}"
            facts[f"{name}: same history"] = str(one.replid == other.replid)
    for sentinel in state.sentinels:
        facts |= {f"{sentinel.name} {key}": value for key, value in _of_sentinel(state, sentinel).items()}
    return facts | (_of_consul(state.consul) if state.consul is not None else {})


def _of_consul(consul: ConsulState) -> dict[str, str]:
    """Whether each check passes, whom the name leads to, and what is in maintenance."""
    if consul.instances.value is None:
        return {"Consul": str(consul.instances.problem.kind.value if consul.instances.problem else "")}
    dns = consul.dns.value
    facts = {"DNS": ", ".join(dns.addresses) if dns is not None else "unread"}
    for one in consul.instances.value:
        own = ", ".join(check.status for check in one.own_checks)
        held = one.maintenance.output if one.maintenance is not None else ""
        facts[f"Consul {one.service_id}"] = f"{own}, leads there: {one.passing}, held: {held}"
    return facts


def _of_node(state: ClusterState, node: NodeState) -> dict[str, str]:
    redis, keepalived = node.redis.value, node.keepalived.value
    facts = {
        "keepalived": keepalived.state.value if keepalived is not None else "unread",
        "scripts": str(len(node.processes.value.scripts)) if node.processes.value is not None else "unread",
        "append-only data": node.aof.value.form.value if node.aof.value is not None else "absent",
        "dump": "there" if node.dump.value is not None else "absent",
    }
    if redis is None:
        return {**facts, "Redis": str(node.redis.problem.kind.value if node.redis.problem else "")}
    source = source_of(state, node)
    follows = f"{source.name if source else '?'}, {'up' if redis.master.up else 'down'}" if redis.master else "nobody"
    return {
        **facts,
        "Redis": redis.role.value,
        "follows": follows,
        "append-only": str(redis.persistence.aof),
        "backlog": str(redis.backlog is not None and redis.backlog.active),
        "second history": str(redis.second_offset is not None and redis.second_offset > 0),
        "unsaved": str(bool(redis.persistence.changes_since_save)),
    }


def _of_sentinel(state: ClusterState, sentinel: SentinelState) -> dict[str, str]:
    report = sentinel.sentinel.value
    if report is None:
        return {"answers": str(sentinel.sentinel.problem.kind.value if sentinel.sentinel.problem else "")}

    def name(host: str, port: int) -> str:
        node = node_by_address(state, host, port)
        return node.name if node is not None else host

    def trouble(flags: frozenset[str]) -> str:
        return " down" if "s_down" in flags else ""

    master = report.master
    known = sorted(f"{name(one.host, one.port)} {one.priority}{trouble(one.flags)}" for one in report.replicas)
    return {
        "watches": f"{name(master.host, master.port)}{trouble(master.flags)}" if master is not None else "nobody",
        "knows": ", ".join(known),
        "peers": ", ".join(sorted(f"{one.host}{trouble(one.flags)}" for one in report.peers)),
        "quorum": str(report.quorum_ok),
    }
