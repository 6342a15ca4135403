"""Conditions of a set that Sentinels steer: whether they agree, could fail over, and let a step go its way."""

from __future__ import annotations

from console.core.conditions.predicate import Question, UnreadError, Value, fails, holds, holds_if, redis_of, unknown
from console.core.conditions.replication import in_sync, refuses_writes, would_accept_writes
from console.core.conditions.virtual_ip import holders_in_words, only_vip_holder, vip_reaches
from console.core.model import ClusterState, NodeState, Role
from console.core.model.facts import node_by_address, proved_down
from console.core.model.verdict import Check, Verdict
from console.core.quantities import counted
from console.core.watchers.sentinels import (
    agreed_master,
    named_masters_in_words,
    proved_silent,
    readable_sentinels,
    sentinels_by_master,
    watched_masters,
    what_settles,
)

WITHIN = 16_384
"""Bytes of the stream that may be on their way: as much as `in-sync` allows."""
_THE_SENTINEL_WAY = (
    "the Sentinels would undo it: to change the master run sentinel-switchover; a node that comes back they make a"
    " replica themselves"
)


def not_under_sentinels(question: Question) -> Check:
    """H20: Sentinels undo a change of roles that they did not make, or take it for a failure."""
    statement = f"no Sentinel decides whom {question.name} follows"
    if not question.state.sentinels:
        return holds(statement, "this cluster has no Sentinels")
    return fails(statement, named_masters_in_words(question.state), _THE_SENTINEL_WAY)


def sentinels_name(question: Question) -> Check:
    """H21: all that could be read name it, and those are more than half of the inventory's."""
    statement = f"the Sentinels agree that {question.name} is the master"
    words, names = named_masters_in_words(question.state), sentinels_by_master(question.state)
    if not names:
        return unknown(statement, words)
    if len(names) > 1 or agreed_master(question.state) is not question.node:
        return fails(statement, words, what_settles(question.state))
    if 2 * len(readable_sentinels(question.state)) <= len(question.state.sentinels):
        return unknown(statement, words, "start the Sentinels that are down: a minority may be wrong")
    return holds(statement, words)


def quorum_reachable(question: Question) -> Check:
    """H21: as each Sentinel itself says (SENTINEL CKQUORUM)."""
    statement = "the Sentinels can decide and authorize a failover"
    seen = readable_sentinels(question.state)
    words = "; ".join(f"{one.name}: {said.quorum_text or 'this version does not say'}" for one, said in seen)
    if not seen:
        return unknown(statement, "no Sentinel could be read")
    if any(said.quorum_ok is False for _, said in seen):
        return fails(statement, words, "start the Sentinels that are down, or mend the network between them")
    if all(said.quorum_ok is None for _, said in seen):
        enough = 2 * len(seen) > len(question.state.sentinels)
        return holds_if(enough, statement, f"{len(seen)} of {len(question.state.sentinels)} answer", "start the others")
    return holds(statement, words)


def no_failover_running(question: Question) -> Check:
    """H21: nothing is begun while roles are about to change."""
    statement = "no failover is under way"
    seen = watched_masters(question.state)
    going = [(one.name, master.failover_state) for one, master in seen if master.failing_over]
    busy = [f"{name}: {word or 'failover_in_progress'}" for name, word in going]
    if not seen:
        return unknown(statement, "no Sentinel could be read")
    return holds_if(
        not busy,
        statement,
        "; ".join(busy) or f"so {counted(len(seen), 'Sentinel says', 'Sentinels say')}",
        "wait for its end",
    )


def no_tilt(question: Question) -> Check:
    """H21: a Sentinel in TILT mode acts on nothing, and says less than it sees."""
    statement = "no Sentinel is in TILT mode"
    seen = readable_sentinels(question.state)
    tilted = [one.name for one, said in seen if said.tilt]
    if not seen:
        return unknown(statement, "no Sentinel could be read")
    words = f"in TILT: {', '.join(tilted)}" if tilted else counted(len(seen), "Sentinel acts", "Sentinels act")
    return holds_if(not tilted, statement, words, "TILT ends 30 s after the last jump of the clock")


def promotable_replica(question: Question) -> Check:
    """The Sentinels promote a replica that is up, linked and has a priority. They take the one with the newest data.

    Each one that they may take has to accept writes then.
    """
    statement = f"a replica of {question.name} can be promoted by the Sentinels and is in sync"
    redis_of(question.node)
    reasons, fit, unread = [], "", False
    for node in _others(question):
        trouble, synced = _why_not_promoted(question, node), _synced(question, node, WITHIN)
        if not trouble:
            writes = would_accept_writes(Question(question.state, node, {}))
            if not writes.holds:
                return Check(writes.verdict, statement, f"{node.name}: {writes.evidence}", writes.advice)
            fit = fit or f"{node.name}: {synced.evidence}"
            continue
        reasons.append(f"{node.name}: {trouble}")
        unread = unread or synced.verdict is Verdict.UNKNOWN
    if fit and not readable_sentinels(question.state):
        return unknown(statement, f"{fit}; no Sentinel could be read")
    if fit:
        return holds(statement, fit)
    words = "; ".join(reasons) or "there is no other node"
    return unknown(statement, words) if unread else fails(statement, words, "bring one of them in sync first")


def replicas_caught_up(question: Question) -> Check:
    """Exact: each of them has every write that was acknowledged before the writes were paused."""
    statement = f"every replica that could be promoted has every byte of {question.name}"
    master = redis_of(question.node)
    seen, behind = [], []
    for node in _others(question):
        replica = node.redis.value
        if replica is None or _why_not_promoted(question, node):
            continue
        seen.append(f"{node.name} at {replica.offset}")
        if replica.offset is None or master.offset is None or replica.offset < master.offset:
            behind.append(node.name)
    words = f"{question.name} at {master.offset}, {', '.join(seen) or 'no replica'}"
    return holds_if(bool(seen) and not behind, statement, words, "wait; the Sentinels' own messages move the stream")


def handed_over(question: Question) -> Check:
    """Another node is the master: the Sentinels name it, it says so itself, and the virtual IP leads to it."""
    state = question.state
    statement = f"another node than {question.name} is the master, and clients reach it"
    master = _named(state)
    if master is None or master is question.node:
        return fails(statement, named_masters_in_words(state))
    words = f"{named_masters_in_words(state)}; {holders_in_words(state)}"
    if redis_of(master).role is not Role.MASTER:
        return fails(statement, f"{words}; {master.name} is still a replica")
    refusal = refuses_writes(master)
    if refusal is not None:
        return fails(statement, f"{master.name}: {refusal[0]}", refusal[1])
    for rule in (only_vip_holder, vip_reaches):
        check = rule(Question(state, master, {}))
        if not check.holds:
            return Check(check.verdict, statement, f"{named_masters_in_words(state)}; {check.evidence}", check.advice)
    return holds(statement, words)


def follows_named_master(question: Question) -> Check:
    """Its link is up, and it has what the master has that the Sentinels name."""
    statement = f"{question.name} follows the master that the Sentinels name, and is in sync with it"
    master = _named(question.state)
    if master is None or master is question.node:
        return fails(statement, named_masters_in_words(question.state))
    check = _synced(question, question.node, WITHIN, master)
    return Check(check.verdict, statement, f"{master.name}: {check.evidence}", check.advice)


def replicas_follow(question: Question) -> Check:
    """Every other node that runs follows it with its link up."""
    statement = f"every other node follows {question.name} and is in sync"
    checks = [(node, _synced(question, node, WITHIN)) for node in _others(question)]
    for verdict in (Verdict.FAILS, Verdict.UNKNOWN):
        found = [(node, check) for node, check in checks if check.verdict is verdict]
        if found:
            words = "; ".join(f"{node.name}: {check.evidence}" for node, check in found)
            return Check(verdict, statement, words, found[0][1].advice)
    return holds(statement, "; ".join(f"{node.name}: {check.evidence}" for node, check in checks))


def no_other_vip_holder(question: Question) -> Check:
    """H17: an address that is set beside another holder's is on two."""
    state = question.state
    statement = f"no other node than {question.name} holds {state.vip}"
    others = [one for one in state.vip_holders if one != question.name]
    unread = [one for one in state.vip_unread if one != question.name]
    if others:
        return fails(statement, holders_in_words(state), f"take it off {' and '.join(others)} first")
    if unread:
        return unknown(statement, holders_in_words(state))
    return holds(statement, holders_in_words(state))


def is_away(question: Question) -> Check:
    """What a return has to bring back: a server that is down, or not in sync with the master, or keeps its address."""
    state = question.state
    statement = f"{question.name} has to come back: it is not in sync with the master, or it still has the virtual IP"
    master = _named(state)
    if master is question.node:
        return fails(statement, named_masters_in_words(state))
    if master is not None and question.node.holds(state.vip):
        return holds(statement, f"it holds {state.vip}, and {master.name} is the master")
    if proved_down(question.node):
        return holds(statement, "its Redis does not run")
    if master is None:
        return unknown(statement, named_masters_in_words(state))
    synced = _synced(question, question.node, WITHIN, master)
    if synced.verdict is Verdict.UNKNOWN:
        return Check(synced.verdict, statement, synced.evidence, synced.advice)
    return holds_if(not synced.holds, statement, synced.evidence)


def gives_vip_up(question: Question) -> Check:
    """One node only: the one that has the address beside or instead of the master, else the first other node."""
    state = question.state
    statement = f"{question.name} is the node that has to give {state.vip} up, if any has to"
    master = _named(state)
    others = [node for node in state.nodes if node is not master]
    if master is None:
        return fails(statement, named_masters_in_words(state))
    holding = [node for node in others if node.holds(state.vip)]
    return holds_if((holding or others)[0] is question.node, statement, holders_in_words(state))


def sentinels_complete(question: Question) -> Check:
    """Every Sentinel of the inventory answers, names the same master, and can fail over."""
    statement = "every Sentinel answers, and they agree"
    unread = [f"{one.name}: {one.sentinel.problem}" for one in question.state.sentinels if not one.sentinel.ok]
    if unread or not question.state.sentinels:
        return unknown(statement, "; ".join(unread) or "there is no Sentinel", "start it")
    if len(sentinels_by_master(question.state)) != 1:
        return fails(statement, named_masters_in_words(question.state))
    quorum = quorum_reachable(question)
    return Check(
        quorum.verdict, statement, f"{named_masters_in_words(question.state)}; {quorum.evidence}", quorum.advice
    )


def named_sentinels_answer(question: Question) -> Check:
    """H21: of those that this console could start. One that refuses connections does not run."""
    statement = "every Sentinel whose service the inventory names answers"
    named = [one for one in question.state.sentinels if one.start]
    silent = [one for one in named if not one.sentinel.ok]
    if not named:
        return holds(statement, "the inventory names the service of no Sentinel")
    if not silent:
        return holds(statement, f"{', '.join(one.name for one in named)} {'answers' if len(named) == 1 else 'answer'}")
    words = "; ".join(f"{one.name}: {one.sentinel.problem}" for one in silent)
    return fails(statement, words, "start it") if all(map(proved_silent, silent)) else unknown(statement, words)


def _named(state: ClusterState) -> NodeState | None:
    """The master that the Sentinels agree on. Raises UnreadError if no Sentinel could be read."""
    if not readable_sentinels(state):
        raise UnreadError(named_masters_in_words(state))
    return agreed_master(state)


def _others(question: Question) -> list[NodeState]:
    return [node for node in question.state.nodes if node is not question.node]


def _synced(question: Question, node: NodeState, within: int, source: NodeState | None = None) -> Check:
    arguments: dict[str, Value] = {"source": (source or question.node).name, "within_bytes": within}
    try:
        return in_sync(Question(question.state, node, arguments))
    except UnreadError as unread:
        return Check(unread.verdict, f"{node.name} is in sync", str(unread), unread.advice)


def _why_not_promoted(question: Question, node: NodeState) -> str:
    """Why the Sentinels would pass it over, or lose writes by it; empty: they would not."""
    synced = _synced(question, node, WITHIN)
    if not synced.holds:
        return synced.evidence
    redis = node.redis.value
    if redis is not None and redis.replica_priority == 0:
        return "replica-priority 0: never promoted"
    return _given_up(question.state, node)


def _given_up(state: ClusterState, node: NodeState) -> str:
    down = [
        one.name
        for one, said in readable_sentinels(state)
        if any(known.down and node_by_address(state, known.host, known.port) is node for known in said.replicas)
    ]
    return f"{' and '.join(down)} count it as down" if down else ""
