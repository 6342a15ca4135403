"""Conditions for a node with data of its own under Sentinels: what makes it a replica, and drops that data.

Sentinels make every node a replica that they know and that says that it is a master. They forget a node that is down
when they are reset (SENTINEL RESET), and learn it again only from its master.
"""

from __future__ import annotations

from console.core.conditions.backups import nothing_unsaved
from console.core.conditions.dump_copies import dump_kept
from console.core.conditions.predicate import Question, fails, holds, holds_if, redis_of, unknown
from console.core.keepalived.virtual_servers import virtual_servers
from console.core.model import Role
from console.core.model.facts import node_by_address, proved_down
from console.core.model.verdict import Check, Verdict
from console.core.quantities import counted
from console.core.watchers.read_vip import director_entries
from console.core.watchers.sentinels import agreed_master, named_masters_in_words, readable_sentinels


def unknown_to_sentinels(question: Question) -> Check:
    """H20: a Sentinel that could not be read may know it."""
    state = question.state
    statement = f"no Sentinel knows {question.name}, so none makes it a replica"
    if not state.sentinels:
        return holds(statement, "this cluster has no Sentinels")
    unread = [f"{one.name}: {one.sentinel.problem}" for one in state.sentinels if not one.sentinel.ok]
    seen = readable_sentinels(state)
    knowing = [
        one.name
        for one, said in seen
        for known in (*said.replicas, *((said.master,) if said.master is not None else ()))
        if node_by_address(state, known.host, known.port) is question.node
    ]
    if knowing:
        return fails(statement, f"{' and '.join(dict.fromkeys(knowing))} know it", "make them forget it")
    if unread:
        return unknown(statement, "; ".join(unread), "start it, or prove that it cannot start")
    strangers = [one.name for one, said in seen if len(said.peers) >= len(state.sentinels)]
    if strangers:
        words = f"{' and '.join(strangers)} know more Sentinels than the inventory has"
        return unknown(statement, words, "add the others to the inventory")
    return holds(statement, f"{counted(len(seen), 'Sentinel')} asked: other nodes only are known there")


def kept_from_sentinels(question: Question) -> Check:
    """H25: a node that comes back is made a replica, and its first sync drops what it holds."""
    state = question.state
    statement = f"the data of {question.name} has a copy, or no Sentinel makes it a replica"
    if not state.sentinels:
        return holds(statement, "this cluster has no Sentinels")
    if readable_sentinels(state) and agreed_master(state) is question.node:
        return holds(statement, named_masters_in_words(state))
    forgotten = unknown_to_sentinels(question)
    if forgotten.holds:
        return holds(statement, forgotten.evidence)
    kept = dump_kept(question)
    if kept.verdict is Verdict.FAILS and any(not one.sentinel.ok for one in state.sentinels):
        return unknown(statement, f"{kept.evidence}; {named_masters_in_words(state)}", kept.advice)
    return Check(kept.verdict, statement, kept.evidence, kept.advice)


def survives_stop(question: Question) -> Check:
    """H25: what is in memory only is lost when Redis stops. An append-only file has every acknowledged write."""
    statement = f"a stop of Redis on {question.name} loses nothing"
    if proved_down(question.node):
        return holds(statement, "it does not run")
    redis = redis_of(question.node)
    if redis.persistence.aof and not redis.loading and redis.persistence.aof_last_write_status == "ok":
        return holds(statement, "AOF is on, and its last write succeeded")
    saved = nothing_unsaved(question)
    return Check(saved.verdict, statement, saved.evidence, saved.advice)


def unused_by_directors(question: Question) -> Check:
    """H23: a director adds each server of its configuration as soon as its check connects, with the weight there."""
    state = question.state
    statement = f"no director would send readers to {question.name} when its Redis starts"
    if not state.directors:
        return holds(statement, "this cluster has no directors")
    unread = [one.name for one in state.directors if not one.services.ok or not one.keepalived_config.ok]
    if unread:
        return unknown(statement, f"{' and '.join(unread)} could not be read")
    named = [
        one.name
        for one in state.directors
        if (config := one.keepalived_config.value) is not None
        for service in virtual_servers(config.file.text)
        for server in service.servers
        if node_by_address(state, server.address, server.port) is question.node
    ]
    entered = [one.director.name for one in director_entries(state, question.node) if one.server is not None]
    words = [f"keepalived.conf of {' and '.join(dict.fromkeys(named))} names it"] if named else []
    words += [f"it is in the table of {' and '.join(entered)}"] if entered else []
    return holds_if(
        not words,
        statement,
        "; ".join(words) or f"{counted(len(state.directors), 'director')} asked: none names it",
        "take its real_server block out of keepalived.conf there, and reload keepalived",
    )


def not_the_named_master(question: Question) -> Check:
    """H04, H24: not the master that clients are led to, by its role and by what the Sentinels say."""
    statement = f"{question.name} is not the master that clients use"
    master = agreed_master(question.state) if readable_sentinels(question.state) else None
    if master is question.node:
        return fails(statement, named_masters_in_words(question.state), "its data is what clients use: fail over first")
    if master is None:
        return unknown(statement, named_masters_in_words(question.state))
    alive = redis_of(master).role is Role.MASTER
    return holds_if(
        alive, statement, named_masters_in_words(question.state), f"{master.name} is no master that answers"
    )
