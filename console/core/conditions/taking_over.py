"""Conditions about the server that clients reach after a start, a stop or a promotion.

Verbs require them by themselves (`console.core.runbooks.interlocks`), so each has one node as its subject.
"""

from __future__ import annotations

from console.core.conditions import pair_protection as pair
from console.core.conditions import replication, scripts, switching, virtual_ip, vrrp
from console.core.conditions.predicate import Question, UnreadError, fails, holds, holds_if, keepalived_of, redis_of
from console.core.conditions.servers import role_in_words
from console.core.model import NodeState, Role
from console.core.model.facts import (
    attached_line,
    link_in_words,
    proved_down,
    redis_unread,
    replication_lag,
    source_of,
)
from console.core.model.verdict import Check, Verdict
from console.core.quantities import counted
from console.core.replication.disk_data import UnreadDataError, newest_data
from console.core.replication.history import compare_histories

WITHIN = 16_384
"""Bytes that a replica may be behind: as much as `in-sync` allows."""
SAVED_WITHIN = 3.0
"""Seconds between a save and the end of the link in which they count as one clean stop. INFO and stat round both."""


def comes_back_quietly(question: Question) -> Check:
    """H01: a Redis that starts beside another master must not be reachable for clients."""
    statement = f"clients do not reach {question.name} when its Redis starts, or no other node is a master"
    alone = replication.no_other_master(question)
    if alone.holds:
        return holds(statement, alone.evidence)
    for check in (vrrp.keepalived_stopped(question), virtual_ip.no_vip(question)):
        if not check.holds:
            verdict = check.verdict if alone.verdict is Verdict.FAILS else Verdict.UNKNOWN  # one of the two is enough
            return Check(verdict, statement, f"{check.evidence}; {alone.evidence}", check.advice)
    return holds(statement, "no keepalived process, and its kernel does not have the virtual IP")


def starts_over_no_newer_data(question: Question) -> Check:
    """H03: a replica that still follows the node copies what its start loads, and drops what only the replica has.

    Its master died and saved nothing since: the replica has the newest data then. The data on the disk is as new only
    if it was written when the link went down, as by a clean stop.
    """
    statement = f"no replica drops newer data for what {question.name} loads at its start"
    unread = [one.name for one in question.state.nodes if one is not question.node and redis_unread(one)]
    if unread:
        raise UnreadError(f"Redis on {' and '.join(unread)} could not be read: it may be a replica of {question.name}")
    for one in question.state.nodes:
        redis = one.redis.value
        if redis is None or redis.master is None or source_of(question.state, one) is not question.node:
            continue
        if redis.total_keys and not _written_when_link_ended(question.node, one):
            found = f"{one.name} follows it, holds {counted(redis.total_keys, 'key')}, {link_in_words(redis.master)}"
            way = "let the Sentinels promote" if question.state.sentinels else "promote (SLAVEOF NO ONE)"
            advice = f"{way} {one.name} first: then it keeps its data, and {question.name} can follow it"
            sentence = f"I accept that {one.name} drops its data for what {question.name} loads"
            return Check(
                Verdict.FAILS, statement, f"{found}; {_disk_in_words(question.node)}", advice, override=sentence
            )
    return holds(statement, f"no replica that follows {question.name} has newer data")


def _written_when_link_ended(node: NodeState, replica: NodeState) -> bool:
    """Whether the node's disk has all that the replica got. A link that was never up says nothing about that."""
    redis, clock = replica.redis.value, node.clock.value
    link = redis.master if redis is not None else None
    if link is None or clock is None or link.down_seconds is None or link.down_seconds < 0:
        return False
    try:
        found = newest_data(node)
    except UnreadDataError:
        return False
    return found is not None and found.modified - clock.offset >= replica.redis.at - link.down_seconds - SAVED_WITHIN


def _disk_in_words(node: NodeState) -> str:
    try:
        found = newest_data(node)
    except UnreadDataError as error:
        return str(error)
    return f"{node.name} has {found.in_words}, which may be older" if found is not None else f"{node.name} has no data"


def brings_no_stale_data(question: Question) -> Check:
    """H01, H14: keepalived can move the virtual IP to this node, so the node must have all acknowledged writes."""
    statement = f"{question.name} has all acknowledged writes, if keepalived moves the virtual IP to it"
    redis = redis_of(question.node)
    if redis.loading:
        return fails(statement, "it is still loading its data", "wait until it has loaded")
    if redis.role is Role.MASTER:
        return _renamed(_the_master_to_be(question), statement)
    master = source_of(question.state, question.node)
    if master is None:
        return fails(statement, role_in_words(redis), "it follows a server that is not one of the nodes")
    if proved_down(master):
        advice = f"if clients are to get the data of {question.name}, promote it first: that is a separate decision"
        return fails(statement, f"{master.name}, which it follows, does not run: it may lack its last writes", advice)
    if redis_of(master).role is not Role.MASTER:
        return fails(
            statement, f"{master.name}, which it follows, is itself a replica", "break the chain or loop first"
        )
    return _renamed(
        replication.in_sync(Question(question.state, question.node, {"source": master.name, "within_bytes": WITHIN})),
        statement,
    )


def _the_master_to_be(question: Question) -> Check:
    """It is the only master, or it has all data of the other master, whose writes are paused."""
    alone = replication.no_other_master(question)
    others = [question.state.node(one) for one in question.state.masters if one != question.name]
    if not others:
        return alone
    reasons = []
    for one in others:
        paused, found = (
            switching.writes_paused(Question(question.state, one, {})),
            compare_histories(question.state, question.node, one),
        )
        if not paused.holds:
            return fails(alone.statement, f"{alone.evidence}; {one.name}: {paused.evidence}", alone.advice)
        if found.verdict is not Verdict.HOLDS:
            return Check(found.verdict, alone.statement, f"{alone.evidence}; {found.reason}", alone.advice)
        reasons.append(f"the writes of {one.name} are paused, and {found.reason}")
    return holds(alone.statement, "; ".join(reasons))


def in_its_turn(question: Question) -> Check:
    """H16: a replica's keepalived starts only when the master holds the virtual IP and its scripts have ended."""
    statement = f"keepalived on {question.name} does not start before its master has the virtual IP"
    if redis_of(question.node).role is Role.MASTER:
        return holds(statement, f"{question.name} is a master itself")
    master = source_of(question.state, question.node)
    if master is None:
        return fails(
            statement, role_in_words(redis_of(question.node)), "it follows a server that is not one of the nodes"
        )
    return _renamed(vrrp.master_first(Question(question.state, question.node, {"master": master.name})), statement)


def will_not_preempt(question: Question) -> Check:
    """H15: a replica with the winning priority takes the virtual IP from a healthy master."""
    statement = f"the priority of {question.name} does not take the virtual IP from its master"
    if redis_of(question.node).role is Role.MASTER:
        return holds(statement, f"{question.name} is a master itself")
    master = source_of(question.state, question.node)
    if master is None:
        return fails(
            statement, role_in_words(redis_of(question.node)), "it follows a server that is not one of the nodes"
        )
    return _renamed(pair.priorities(Question(question.state, question.node, {"master": master.name})), statement)


def clients_can_do_without(question: Question) -> Check:
    """H17: the only serving node is not stopped, unless another node with its data is ready to take over."""
    statement = f"clients do not need {question.name}"
    if virtual_ip.no_vip(question).holds:
        return holds(statement, f"it does not hold {question.state.vip}")
    others = [node for node in question.state.nodes if node is not question.node]
    for one in others:
        if one.holds(question.state.vip) and one.name in question.state.masters:
            return holds(statement, f"{one.name}, a master, also holds {question.state.vip}")
    if proved_down(question.node):
        return holds(statement, f"it holds {question.state.vip}, but its Redis does not run")
    if redis_of(question.node).role is Role.REPLICA:
        return holds(statement, f"it holds {question.state.vip}, but it is a replica: clients cannot write to it")
    heirs = [_heir(question, one) for one in others]
    ready = next((one for one in heirs if one.holds), None)
    if ready is not None:
        return holds(statement, ready.evidence)
    verdict = Verdict.UNKNOWN if any(one.verdict is Verdict.UNKNOWN for one in heirs) else Verdict.FAILS
    why = "; ".join((f"only it holds {question.state.vip}", *(one.evidence for one in heirs)))
    return Check(verdict, statement, why, "bring the other node in sync and start its keepalived first")


def may_be_promoted(question: Question) -> Check:
    """H18, H14: no second master beside one that accepts writes, and no master with incomplete data."""
    statement = f"promoting {question.name} loses no data of another master"
    redis = redis_of(question.node)
    if redis.role is Role.MASTER:
        return holds(statement, f"{question.name} is a master already")
    if redis.loading or (redis.master is not None and redis.master.sync_in_progress):
        return fails(statement, "it is loading data, or its sync is in progress", "wait until that has ended")
    alone = replication.no_other_master(question)
    if alone.holds:
        return holds(statement, alone.evidence)
    master = source_of(question.state, question.node)
    if master is None or master.name not in question.state.masters or redis.master is None or not redis.master.up:
        return _renamed(alone, statement)
    distance = replication_lag(redis_of(master), redis, attached_line(redis_of(master), question.node))
    evidence = f"it follows {master.name}, {distance.figures}"
    return holds_if(distance.bytes == 0, statement, evidence, f"stop the writes to {master.name} first")


def _heir(question: Question, other: NodeState) -> Check:
    """Whether the other node can take over the virtual IP and has all data of the subject."""
    statement = f"{other.name} is ready to take over"
    try:
        if not keepalived_of(other).running:
            return fails(statement, f"keepalived does not run on {other.name}")
        if redis_of(other).role is Role.MASTER:
            undone = scripts.undone_by_takeover(Question(question.state, other, {}))
            if undone:
                return fails(statement, f"{other.name}: {undone}")
            found = compare_histories(question.state, other, question.node)
            return Check(found.verdict, statement, f"{other.name}: {found.reason}")
        check = replication.in_sync(Question(question.state, other, {"source": question.name, "within_bytes": WITHIN}))
        return Check(check.verdict, statement, f"{other.name}: {check.evidence}, its keepalived runs")
    except UnreadError as unread:
        return Check(unread.verdict, statement, str(unread))


def _renamed(check: Check, statement: str) -> Check:
    return Check(check.verdict, statement, check.evidence, check.advice)
