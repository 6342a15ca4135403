"""Whether a set that Sentinels steer survives the next failure of its master."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions import replication, virtual_ip
from console.core.conditions.pair_protection import (
    SYNC_MARGIN,
    answer_or_unknown,
    combined,
    fit_to_take_over,
    master_accepts_writes,
    no_single_master,
)
from console.core.conditions.predicate import PredicateSpec, Question, fails, holds, unknown
from console.core.conditions.sentinel_sets.service_name import not_held, only_in_name
from console.core.model import ClusterState, NodeState, Sentinel, SentinelState
from console.core.model.facts import names_of, node_by_address, serving_master
from console.core.model.verdict import Check, Verdict
from console.core.watchers.sentinels import (
    can_elect,
    count_of_all,
    monitor_anew,
    readable_sentinels,
    watched_in_words,
    watches,
)
from console.core.watchers.service_name import instance_of


def set_protection(state: ClusterState) -> tuple[Check, ...]:
    """The parts of the protection, each judged by itself, in the order in which a return restores them."""
    master = serving_master(state)
    if master is None:
        return (no_single_master(state, "one of the nodes is the master"),)
    question = Question(state, master, {})
    pointing = [virtual_ip.only_vip_holder, virtual_ip.vip_reaches] if state.vip else []
    pointing += [only_in_name] if state.consul is not None else []
    return (
        answer_or_unknown(replication.only_master, question),
        *(answer_or_unknown(rule, question) for rule in pointing),
        _a_replica_in_sync(state, master),
        *_sentinels(state, master),
    )


def set_protected(question: Question) -> Check:
    """All parts at once, as a condition: the final proof of a return."""
    checks = (*set_protection(question.state), *master_accepts_writes(question.state))
    return combined("the set survives the next failure of its master, and its master accepts writes", checks)


def _a_replica_in_sync(state: ClusterState, master: NodeState) -> Check:
    """One is enough for the next failure. But the Sentinels promote any one that is in sync: none may refuse writes."""
    found_by_name = " and be found by its name" if state.consul is not None else ""
    statement = f"a replica of {master.name} is in sync and would accept writes{found_by_name}"
    others = [node for node in state.nodes if node is not master]
    refusing = [check for node in others if (check := _would_refuse(state, node, master)) is not None]
    if refusing:
        evidence = "; ".join(f"the Sentinels may promote {node}: {check.evidence}" for node, check in refusing)
        return Check(refusing[0][1].verdict, statement, evidence, refusing[0][1].advice)
    checks = [fit_to_take_over(state, node, master) for node in others]
    for verdict in (Verdict.HOLDS, Verdict.UNKNOWN, Verdict.FAILS):
        found = [check for check in checks if check.verdict is verdict]
        if found:
            return Check(verdict, statement, "; ".join(check.evidence for check in found), found[0].advice)
    return fails(statement, "there is no other node")


def _would_refuse(state: ClusterState, node: NodeState, master: NodeState) -> tuple[str, Check] | None:
    """The name of a replica that the Sentinels may promote, and why it would get or take no writes; None: it is none.

    No client finds a node that is in maintenance in Consul.
    """
    question = Question(state, node, {"source": master.name, "within_bytes": SYNC_MARGIN})
    redis = node.redis.value
    never = redis is not None and redis.replica_priority == 0
    if never or not answer_or_unknown(replication.in_sync, question).holds:
        return None
    writes = answer_or_unknown(replication.would_accept_writes, question)
    if not writes.holds:
        return node.name, writes
    instance = instance_of(state, node)
    return (node.name, not_held(question)) if instance is not None and instance.maintenance is not None else None


def _sentinels(state: ClusterState, master: NodeState) -> Iterator[Check]:
    """That each of them watches this very master, and that enough of them are there to fail over."""
    if not state.sentinels:
        yield fails(f"a Sentinel watches {master.name} and can fail over", "the inventory names no Sentinel")
    for one in state.sentinels:
        statement = f"{one.name} watches {master.name} and can fail over"
        sentinel = one.sentinel.value
        if sentinel is None:
            yield _silent(state, one, statement)
        elif sentinel.master is None:
            advice = monitor_anew(state, [one.name], master)
            yield fails(statement, f"it knows no master {state.master_name}", advice)
        elif not watches(state, sentinel.master, master):
            seen = f"it watches {watched_in_words(state, sentinel.master)}: if {master.name} fails, it does nothing"
            yield fails(statement, seen, monitor_anew(state, [one.name], master))
        elif sentinel.tilt:
            yield fails(statement, "it is in TILT mode and acts on nothing")
        elif sentinel.quorum_ok is False:
            yield fails(statement, sentinel.quorum_text)
        elif not _knows_a_replica(state, sentinel, master):
            yield fails(statement, "it knows no replica that is up", "it asks the master for them every 10 s")
        elif sentinel.master.down:
            yield unknown(statement, f"it takes {master.name} for down", "see whether it reaches it, or fails over")
        else:
            yield holds(statement, f"names {sentinel.master.address}, config epoch {sentinel.master.config_epoch}")


def _silent(state: ClusterState, one: SentinelState, statement: str) -> Check:
    """The others can do without it where they can fail over alone, and none of them is needed to move the address."""
    why = str(one.sentinel.problem)
    where = next((node for node in state.nodes if one.host == node.name or one.address in names_of(node)), None)
    if state.vip and where is not None:
        moved = f"its script adds {state.vip} on {where.name} after a failover to it, and removes it after one from it"
        return unknown(statement, f"{why}; {moved}")
    enough = _others_can(state)
    return holds(enough, f"{one.name}: {why}") if enough else unknown(statement, why)


def _others_can(state: ClusterState) -> str:
    """That the Sentinels that answer fail over without those that do not. Empty: they do not, or that is not certain.

    Each must say that it reaches the quorum, and those that answer must be enough to elect the one that fails over.
    """
    told = [said for _, said in readable_sentinels(state)]
    if not told or not all(one.quorum_ok for one in told) or not can_elect(state, len(told)):
        return ""
    can = "Sentinel that answers fails" if len(told) == 1 else "Sentinels that answer fail"
    return f"the {len(told)} {can} over without the other{'s' if count_of_all(state) - len(told) > 1 else ''}"


def _knows_a_replica(state: ClusterState, sentinel: Sentinel, master: NodeState) -> bool:
    """Whether it could promote one: it learns of a replica from the master, some seconds after its start."""
    known = [node_by_address(state, one.host, one.port) for one in sentinel.replicas if not one.down]
    return any(node is not None and node is not master for node in known)


ROWS: tuple[PredicateSpec, ...] = (
    PredicateSpec(
        "set-protected",
        "The set survives the next failure: one master that accepts writes, a replica in sync, Sentinels that can fail"
        " over, and clients are led to the master.",
        set_protected,
        subject=False,
    ),
)
"""Their part of the vocabulary."""
