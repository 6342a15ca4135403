"""Conditions for moving the master role: the newest data, writes that are paused, equal offsets."""

from __future__ import annotations

from console.core.conditions.predicate import Question, fails, holds, holds_if, redis_of, unknown
from console.core.conditions.replication import in_sync, no_other_master, only_master
from console.core.conditions.servers import role_in_words
from console.core.conditions.virtual_ip import no_vip, vip_reaches
from console.core.conditions.vrrp import keepalived_stopped
from console.core.model import Redis, Role
from console.core.model.verdict import Check, Verdict
from console.core.replication.history import compare_advice, compare_histories

PAUSED = 1_000_000
"""`pause-writes` adds it to min-replicas-to-write and `resume-writes` subtracts it, so the old value is kept."""


def paused(redis: Redis) -> bool:
    """Whether its writes are paused by `pause-writes`, as far as its settings are known."""
    return (redis.config.min_replicas_to_write or 0) >= PAUSED


def newest(question: Question) -> Check:
    """H03: the histories decide. Without a master the roles tell nothing."""
    statement = f"no other node holds data that {question.name} lacks"
    redis_of(question.node)
    reasons = []
    for other in question.state.nodes:
        if other is question.node:
            continue
        found = compare_histories(question.state, question.node, other)
        advice = compare_advice(question.name, other.name)
        if found.verdict is Verdict.FAILS:
            return fails(statement, found.reason, f"choose {other.name}, or {advice}")
        if found.verdict is Verdict.UNKNOWN:
            return unknown(statement, found.reason, advice)
        reasons.append(found.reason)
    return holds(statement, "; ".join(reasons))


def histories_compared(question: Question) -> Check:
    """H18: the evidence says what each node would lose by following the other. The operator decides."""
    other = question.node_of("other")
    statement = f"the histories of {question.name} and {other.name} can be compared"
    redis_of(question.node)
    redis_of(other)
    words = {Verdict.HOLDS: "loses nothing", Verdict.FAILS: "loses writes", Verdict.UNKNOWN: "may lose writes"}
    sides = ((question.node, other), (other, question.node))
    found = [(stays, goes, compare_histories(question.state, stays, goes)) for stays, goes in sides]
    return holds(
        statement,
        "; ".join(
            f"if {stays.name} stays, {goes.name} {words[one.verdict]}: {one.reason}" for stays, goes, one in found
        ),
    )


def writes_paused(question: Question) -> Check:
    """Writes are paused by a high min-replicas-to-write. Unlike CLIENT PAUSE it is visible and does not expire."""
    statement = f"the writes of {question.name} are paused"
    elsewhere = str(question.arguments.get("unless", ""))
    if elsewhere:
        serving = Question(question.state, question.state.node(elsewhere), {})
        if only_master(serving).holds and vip_reaches(serving).holds:
            return holds(statement, f"{elsewhere} is the only master, and {question.state.vip} reaches it")
    redis = redis_of(question.node)
    wanted, good = redis.config.min_replicas_to_write, redis.good_replicas
    if wanted is None:
        return unknown(
            statement, "min-replicas-to-write could not be read", "name the alias of CONFIG in the inventory"
        )
    if wanted < PAUSED:
        return fails(statement, f"min-replicas-to-write {wanted}")
    if good is None and redis.role is Role.MASTER:
        return fails(statement, f"min-replicas-to-write {wanted} has no effect", "set min-replicas-max-lag above 0")
    return holds(
        statement, f"min-replicas-to-write {wanted}, good replicas {good or 0}: clients wait or get NOREPLICAS"
    )


def writes_not_paused(question: Question) -> Check:
    statement = f"the writes of {question.name} are not paused"
    wanted = redis_of(question.node).config.min_replicas_to_write
    if wanted is None:
        return unknown(
            statement, "min-replicas-to-write could not be read", "name the alias of CONFIG in the inventory"
        )
    return holds_if(wanted < PAUSED, statement, f"min-replicas-to-write {wanted}", "run resume-writes")


def no_pause_known(question: Question) -> Check:
    """As `writes_not_paused`, for servers whose CONFIG is out of reach, too: this console cannot have paused those."""
    statement = f"no pause of writes is known on {question.name}"
    if redis_of(question.node).config.min_replicas_to_write is None:
        return holds(statement, "min-replicas-to-write cannot be read, so this console cannot have raised it")
    told = writes_not_paused(question)
    return Check(told.verdict, statement, told.evidence, told.advice)


def caught_up(question: Question) -> Check:
    """Both offsets are equal. This proves something only while writes are paused."""
    source = question.node_of("source")
    statement = f"{question.name} has every byte that {source.name} acknowledged"
    paused = writes_paused(Question(question.state, source, {}))
    if not paused.holds:
        return Check(paused.verdict, statement, paused.evidence, f"hold back the writes of {source.name} first")
    near = in_sync(Question(question.state, question.node, {"source": source.name, "within_bytes": 0}))
    mine, theirs = redis_of(question.node).offset, redis_of(source).offset
    if not near.holds or mine is None or theirs is None:
        word = near.evidence if not near.holds else "the offsets are not known"
        return Check(Verdict.FAILS if near.holds else near.verdict, statement, word, near.advice)
    return holds_if(mine == theirs, statement, f"{source.name} at {theirs}, {question.name} at {mine}", "wait")


def resumes_alone(question: Question) -> Check:
    """H18: writes may resume only if no other master can get any, or has any that this node lacks."""
    redis = redis_of(question.node)
    statement = f"{question.name} is a replica and refuses writes, or it is the only master that clients reach"
    if redis.role is Role.REPLICA:
        return holds(statement, role_in_words(redis))
    alone = no_other_master(question)
    if alone.holds or not question.state.vip or not vip_reaches(question).holds:
        return Check(alone.verdict, statement, alone.evidence, alone.advice)
    others = [one for one in question.state.nodes if one is not question.node and one.name in question.state.masters]
    for one in others:
        other = Question(question.state, one, {})
        older = compare_histories(question.state, question.node, one)
        if not (keepalived_stopped(other).holds and no_vip(other).holds):
            return Check(alone.verdict, statement, alone.evidence, alone.advice)
        if older.verdict is not Verdict.HOLDS:
            return Check(older.verdict, statement, f"{alone.evidence}; {older.reason}", alone.advice)
    names = ", ".join(one.name for one in others)
    return holds(statement, f"{alone.evidence}; {names} has neither keepalived nor the virtual IP, and no newer data")
