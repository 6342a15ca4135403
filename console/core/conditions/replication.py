"""Conditions about two servers: who follows whom, which data is newer, whether one can load the data of the other."""

from __future__ import annotations

from collections.abc import Iterable

from console.core.conditions.predicate import Question, UnreadError, fails, holds, holds_if, redis_of, unknown, value_of
from console.core.conditions.servers import role_in_words
from console.core.keepalived.preempting import stopped_first
from console.core.model import MasterLink, NodeState, Redis, Role
from console.core.model.facts import (
    attached_line,
    link_in_words,
    masters_in_words,
    node_by_address,
    proved_down,
    redis_unread,
    replication_lag,
)
from console.core.model.verdict import Check, Verdict
from console.core.numbers import version_of
from console.core.quantities import counted, size
from console.core.replication.history import compare_advice, compare_histories
from console.core.typed_commands import redis_command

_ENDS_AS_REPLICA = (7, 0)
"""The version from which on a replica ends where it cannot write its master's commands to its disk."""


def _link(question: Question) -> MasterLink | None:
    redis = redis_of(question.node)
    if redis.role is not Role.REPLICA or redis.master is None:
        return None
    return (
        redis.master
        if node_by_address(question.state, redis.master.host, redis.master.port) is question.node_of("source")
        else None
    )


def replicates_from(question: Question) -> Check:
    source = question.node_of("source")
    return holds_if(
        _link(question) is not None, f"{question.name} follows {source.name}", role_in_words(redis_of(question.node))
    )


def link_up(question: Question) -> Check:
    statement = f"the link of {question.name} to {question.node_of('source').name} is up"
    link = _link(question)
    if link is None:
        return fails(statement, role_in_words(redis_of(question.node)))
    return holds_if(
        link.up,
        statement,
        link_in_words(link),
        "check masterauth, firewalls and repl-timeout: the log of the replica says why",
    )


def in_sync(question: Question) -> Check:
    source = question.node_of("source")
    within = question.integer("within_bytes")
    statement = f"{question.name} has all data of {source.name}, up to {counted(within, 'byte')}"
    replica, master = redis_of(question.node), redis_of(source)
    link = _link(question)
    if link is None:
        return fails(statement, role_in_words(replica))
    if not link.up or link.sync_in_progress or replica.loading:
        return fails(statement, link_in_words(link), "wait for the sync to end")
    if replica.replid and master.replid and replica.replid != master.replid:
        return fails(
            statement, f"different histories: {replica.replid[:8]} and {master.replid[:8]}", "wait for the sync"
        )
    distance = replication_lag(master, replica, attached_line(master, question.node))
    if distance.bytes is None:
        return holds(statement, f"{link_in_words(link)}, no sync in progress; {distance.figures}")
    return holds_if(distance.bytes <= within, statement, distance.figures, "wait, or find out why it is behind")


def has_data_if(question: Question) -> Check:
    """H02: an empty source wipes the target."""
    target = question.node_of("target")
    statement = f"{question.name} is not empty while {target.name} holds data"
    source = redis_of(question.node)
    if source.loading:
        raise UnreadError(f"Redis on {question.name} is still loading its data")
    if source.total_keys > 0:
        return holds(statement, f"{question.name} holds {counted(source.total_keys, 'key')}")
    held = redis_of(target).total_keys
    return holds_if(
        held == 0,
        statement,
        f"{question.name} holds no keys, {target.name} {held:,}",
        f"if {target.name} followed {question.name}, it would be wiped: choose the node with the data as the source",
    )


def not_older_than(question: Question) -> Check:
    """H03: `console.core.replication.history` compares the histories and describes its rules."""
    target = question.node_of("target")
    found = compare_histories(question.state, question.node, target)
    statement = f"{question.name} has all data of {target.name}"
    if found.verdict is Verdict.HOLDS:
        return holds(statement, found.reason)
    advice = f"{target.name} may be newer: {compare_advice(question.name, target.name)}"
    return (
        fails(statement, found.reason, advice) if found.verdict is Verdict.FAILS else unknown(statement, found.reason)
    )


def node_address_not_vip(question: Question) -> Check:
    """H06: the virtual IP moves, and it may be on the target itself. The subject is the source."""
    node = question.node
    statement = f"{question.name} is followed by its own address, not by the virtual IP"
    if node.address == question.state.vip:
        return fails(statement, f"its address in the inventory is {node.address}", "enter the node's own address there")
    target = question.node_of("target")
    if node.address.startswith("127.") or node.address in {"::1", "localhost"}:
        words = f"its address in the inventory is {node.address}: there {target.name} would follow itself"
        return fails(
            statement, words, "enter the address at which the other node reaches it, and ssh.host for the login"
        )
    if any(one.address == node.address for one in target.addresses.value or ()):
        words = f"{target.name} has the address {node.address} too: it would follow itself"
        return fails(statement, words, "the address is on two nodes, or the inventory has mixed them up")
    return holds(statement, f"{node.address} is not {question.state.vip}")


def version_not_older_than(question: Question) -> Check:
    """H19: an older server cannot load the RDB of a newer one."""
    source = question.node_of("source")
    mine, theirs = redis_of(question.node), redis_of(source)
    statement = f"Redis on {question.name} can load what {source.name} sends"
    figures = f"{mine.flavour} {mine.version}, {source.name} has {theirs.flavour} {theirs.version}"
    if mine.flavour != theirs.flavour and (version_of(theirs.version) >= (7, 4) or theirs.flavour == "valkey"):
        return fails(statement, figures, "Redis and Valkey do not load each other's newer formats")
    return holds_if(
        version_of(mine.version)[:2] >= version_of(theirs.version)[:2], statement, figures, "upgrade the replica first"
    )


def maxmemory_fits(question: Question) -> Check:
    """H19: a replica with less memory evicts keys or runs out of memory."""
    source = question.node_of("source")
    mine, theirs = redis_of(question.node), redis_of(source)
    statement = f"the data of {source.name} fits into {question.name}"
    data = theirs.used_memory
    if mine.maxmemory:
        figures = f"maxmemory {size(mine.maxmemory)} on {question.name}, {size(data)} used on {source.name}"
        return holds_if(mine.maxmemory > data, statement, figures, f"raise maxmemory on {question.name}")
    memory = question.node.memory.value
    if memory is None:
        return holds(statement, f"no maxmemory on {question.name}, and its memory could not be read")
    figures = f"no maxmemory, {size(memory.total)} of memory on {question.name}, {size(data)} used on {source.name}"
    return holds_if(memory.total > data, statement, figures, f"{question.name} has too little memory")


def only_master(question: Question) -> Check:
    return _no_other_master(question, f"{question.name} is the only master", also_this_one=True)


def no_other_master(question: Question) -> Check:
    return _no_other_master(question, f"no node but {question.name} is a master", also_this_one=False)


def one_master(question: Question) -> Check:
    """At most one: who decides by itself which of two masters stays must not meet two."""
    state = question.state
    statement = "at most one node is a master"
    if len(state.masters) > 1:
        return fails(statement, f"{' and '.join(state.masters)} are masters", "only one node may accept writes")
    return _unless_unread(question, statement, state.nodes)


def _no_other_master(question: Question, statement: str, *, also_this_one: bool) -> Check:
    others = [one for one in question.state.masters if one != question.name]
    if others:
        return fails(statement, f"{', '.join(others)} is also a master", "only one node may accept writes")
    if also_this_one and redis_of(question.node).role is not Role.MASTER:
        return fails(statement, role_in_words(redis_of(question.node)))
    return _unless_unread(question, statement, [one for one in question.state.nodes if one is not question.node])


def _unless_unread(question: Question, statement: str, nodes: Iterable[NodeState]) -> Check:
    """It holds, unless one of these nodes may be a master that was not seen."""
    for node in nodes:
        if redis_unread(node):
            return unknown(statement, f"Redis on {node.name} could not be read: {node.redis.problem}")
    return holds(statement, f"masters: {masters_in_words(question.state)}")


def writes_accepted(question: Question) -> Check:
    """H30: min-replicas-to-write, a failed save, a full disk, a read-only replica."""
    statement = f"{question.name} accepts writes"
    redis = redis_of(question.node)
    if redis.role is not Role.MASTER:
        return fails(statement, role_in_words(redis), "a replica refuses writes with READONLY")
    refusal = refuses_writes(question.node)
    if refusal is None:
        return holds(statement, "a master, and no setting refuses writes")
    return fails(statement, refusal[0], stopped_first(question.state, question.node, refusal[1]))


def would_accept_writes(question: Question) -> Check:
    """H30: the settings of a replica, for the time after a failover, when only the other replicas follow it."""
    redis = redis_of(question.node)
    if redis.role is Role.MASTER:
        return writes_accepted(question)
    statement = f"{question.name} would accept writes as the next master"
    others = [one.redis.value for one in question.state.nodes if one is not question.node]
    followers = sum(one is not None and one.role is Role.REPLICA for one in others)
    refusal = refuses_writes(question.node, followers)
    return fails(statement, *refusal) if refusal else holds(statement, "no setting would refuse writes")


def refuses_writes(node: NodeState, followers: int | None = None) -> tuple[str, str] | None:
    """Why a master refuses writes (with figures and the client's error), and what to do; None: it does not refuse.

    `followers` is how many replicas the node would have; None: as many good ones as it has now.
    """
    redis = value_of(node.redis, f"Redis on {node.name}")
    wanted, good = redis.config.min_replicas_to_write or 0, redis.good_replicas
    if followers is not None:
        good = followers
    elif good is None:
        good = sum(one.state == "online" for one in redis.replicas)
    if wanted > good:
        until = "until the replica is back" if followers is None else f"on {node.name}, and in its redis.conf"
        return (
            f"min-replicas-to-write {wanted}, good replicas {good}: clients get NOREPLICAS",
            f"set min-replicas-to-write to {followers or 0} {until}",
        )
    failed = disk_error(redis)
    return (f"{failed}: clients get MISCONF", _ends_misconf(node, redis)) if failed else None


def _ends_misconf(node: NodeState, redis: Redis) -> str:
    """Room alone does not end it: without new changes Redis does not save again, and refuses writes until it has."""
    room = "look at its log, and make room on its disk"
    if redis.persistence.rdb_last_status == "ok":
        return f"{room}: Redis tries to write the append-only file again every second"
    save = redis_command(node.address, node.redis_port, "BGSAVE")
    return f"{room}; then {save}, since only a save that succeeds ends it"


def disk_error(redis: Redis) -> str:
    """Which write to its disk failed, so that it refuses writes; empty: none, or it is told to go on."""
    stops = redis.config.stop_writes_on_bgsave_error is not False and redis.config.save != ""
    if redis.persistence.rdb_last_status != "ok" and stops:
        return "its last background save failed"
    if redis.persistence.aof and redis.persistence.aof_last_write_status != "ok":
        return "its last AOF write failed"
    return ""


def lives_as_replica(question: Question) -> Check:
    """H30: from 7.0 on a server whose last write to its disk failed ends at the first write that its master sends.

    processCommand in server.c: "Replica was unable to write command to disk", unless replica-ignore-disk-write-errors
    says otherwise.
    """
    statement = f"{question.name} can follow a master without ending"
    if proved_down(question.node):
        return holds(statement, "it does not run, and starts without the error of its last save")
    redis = redis_of(question.node)
    failed = disk_error(redis)
    if not failed:
        return holds(statement, "its last writes to its disk succeeded")
    if redis.flavour != "valkey" and version_of(redis.version) < _ENDS_AS_REPLICA:
        return holds(statement, f"{failed}, and version {redis.version} follows all the same")
    again = "make room on its disk, then BGSAVE: when that has succeeded it can follow"
    return fails(
        statement,
        f"{failed}: {redis.flavour} {redis.version} ends at the first write that a master sends it",
        stopped_first(question.state, question.node, again),
    )
