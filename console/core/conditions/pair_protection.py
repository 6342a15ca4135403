"""Whether a pair survives the next failure of its master: all conditions for that."""

from __future__ import annotations

from collections.abc import Callable

from console.core.conditions import replication, scripts, virtual_ip, vrrp
from console.core.conditions.predicate import Question, UnreadError, holds_if
from console.core.kept import kept_while_same
from console.core.model import ClusterState, NodeState
from console.core.model.facts import masters_in_words, serving_master, unread_redis
from console.core.model.verdict import Check, Verdict

PAIR = 2
SYNC_MARGIN = 1_048_576
"""Bytes that a busy replica may be behind between two readings and still count as in sync."""


def part_in_words(check: Check) -> str:
    """A condition that fails or is not known, in words."""
    return f"{check.told} ({check.evidence})"


def pair_protected(question: Question) -> Check:
    """All that a rebuild can bring about, combined: its final proof.

    No rebuild writes a script. Where none promotes the replica, the statement says what is left to a human.
    """
    checks = (*protection_checks(question.state), *master_accepts_writes(question.state))
    promoted = [one for one in promotion_checks(question.state) if not one.holds]
    if not promoted:
        return combined("the pair survives the next failure of its master, and its master accepts writes", checks)
    (one,) = promoted
    left = "a human has to promote the other node" if one.verdict is Verdict.FAILS else "who promotes is not known"
    found = combined(f"the pair is in order and its master accepts writes; when that fails, {left}", checks)
    return Check(found.verdict, found.statement, f"{found.evidence}; {part_in_words(one)}", found.advice)


def survival_checks(state: ClusterState) -> tuple[Check, ...]:
    """What the first screen means by a failover that is ready: the pair is in order, and the replica is promoted."""
    return (*protection_checks(state), *promotion_checks(state))


def promotion_checks(state: ClusterState) -> tuple[Check, ...]:
    """Whether keepalived makes a master of the node that gets the virtual IP. Empty: it is not clear which one."""
    master = serving_master(state)
    replica = next((node for node in state.nodes if node is not master), None)
    if master is None or replica is None or len(state.nodes) != PAIR:
        return ()
    return (answer_or_unknown(scripts.promoted_at_takeover, Question(state, replica, {})),)


def master_accepts_writes(state: ClusterState) -> tuple[Check, ...]:
    """A master that refuses every write is no end of a rebuild. Empty: it is not known who the master is."""
    master = serving_master(state)
    return () if master is None else (answer_or_unknown(replication.writes_accepted, Question(state, master, {})),)


def combined(statement: str, checks: tuple[Check, ...]) -> Check:
    """The conditions combined into one. A failed condition counts more than an unknown one."""
    for verdict in (Verdict.FAILS, Verdict.UNKNOWN):
        found = [check for check in checks if check.verdict is verdict]
        if found:
            return Check(verdict, statement, "; ".join(part_in_words(check) for check in found), found[0].advice)
    return Check(Verdict.HOLDS, statement, "; ".join(check.evidence for check in checks))


@kept_while_same(4)
def protection_checks(state: ClusterState) -> tuple[Check, ...]:
    """Each condition by itself, in the order in which a rebuild restores them."""
    master = serving_master(state)
    replica = next((node for node in state.nodes if node is not master), None)
    if master is None or replica is None or len(state.nodes) != PAIR:
        return (no_single_master(state, "one of two nodes is the master"),)
    this, that = Question(state, master, {}), Question(state, replica, {"source": master.name, "master": master.name})
    return (
        answer_or_unknown(replication.only_master, this),
        answer_or_unknown(virtual_ip.only_vip_holder, this),
        answer_or_unknown(virtual_ip.vip_reaches, this),
        fit_to_take_over(state, replica, master),
        answer_or_unknown(priorities, that),
        _standing(state, master, "MASTER"),
        _standing(state, replica, "BACKUP"),
        answer_or_unknown(vrrp.no_script_running, this),
        answer_or_unknown(vrrp.no_script_running, that),
    )


def fit_to_take_over(state: ClusterState, node: NodeState, master: NodeState) -> Check:
    """What keeps a replica from serving after a failover, its data first; otherwise that it is in sync."""
    question = Question(state, node, {"source": master.name, "within_bytes": SYNC_MARGIN})
    synced = answer_or_unknown(replication.in_sync, question)
    writes = answer_or_unknown(replication.would_accept_writes, question)
    return synced if not synced.holds or writes.holds else writes


def answer_or_unknown(rule: Callable[[Question], Check], question: Question) -> Check:
    """The answer of the rule; UNKNOWN: something could not be read."""
    try:
        return rule(question)
    except UnreadError as unread:
        return Check(unread.verdict, _statement(rule, question.name), str(unread), unread.advice)


_STATEMENTS: dict[Callable[[Question], Check], str] = {
    replication.only_master: "{} is the only master",
    replication.in_sync: "{} is in sync",
    replication.would_accept_writes: "{} would accept writes as a master",
    replication.writes_accepted: "{} accepts writes",
    virtual_ip.only_vip_holder: "only {} has the virtual IP",
    virtual_ip.vip_reaches: "the virtual IP leads to {}",
    vrrp.keepalived_running: "keepalived runs on {}",
    vrrp.vrrp_state: "the state of keepalived on {} is right",
    scripts.promoted_at_takeover: "{} is made a master when it gets the virtual IP",
    vrrp.no_script_running: "no notify script runs on {}",
}
"""What a rule asks for, where it could not be read. A rule states it itself where it could."""


def _statement(rule: Callable[[Question], Check], node: str) -> str:
    return _STATEMENTS[rule].format(node) if rule in _STATEMENTS else f"{node}: {rule.__name__.replace('_', ' ')}"


def _standing(state: ClusterState, node: NodeState, word: str) -> Check:
    """Whether keepalived runs and is in this state."""
    question = Question(state, node, {"is": word})
    running = answer_or_unknown(vrrp.keepalived_running, question)
    return answer_or_unknown(vrrp.vrrp_state, question) if running.holds else running


def priorities(question: Question) -> Check:
    """The priority rule. With checks of weight 0 a failed check means FAULT, so only the master must be higher."""
    master = question.node_of("master")
    m, s = vrrp.instance_of(question, master.name), vrrp.instance_of(question, question.name)
    told = not (vrrp.not_told(m, master.name) or vrrp.not_told(s, question.name))
    if told and m.weight == 0 and m.scripts and s.weight == 0 and s.scripts:
        figures = f"priority {m.priority} and {s.priority}, checks of weight 0: FAULT moves the VIP"
        return holds_if(m.priority > s.priority, f"{master.name} has a higher priority than {question.name}", figures)
    return vrrp.priority_rule(question)


def no_single_master(state: ClusterState, statement: str) -> Check:
    """Why no single master is known: the masters, and the nodes whose Redis could not be read."""
    unread = bool(unread_redis(state))
    figures = f"masters: {masters_in_words(state)}"
    return Check(Verdict.UNKNOWN if unread and not state.masters else Verdict.FAILS, statement, figures)
