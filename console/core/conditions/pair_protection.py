"""The whole pair at once: each part of being protected against the next failure."""

from __future__ import annotations

from collections.abc import Callable

from console.core.conditions import replication, virtual_ip, vrrp
from console.core.conditions.spec import Ask, UnreadError, decided
from console.core.model import ClusterState, NodeState
from console.core.model.facts import proved_down
from console.core.model.verdict import Check, Verdict

PAIR = 2
SYNC_MARGIN = 1_048_576
"""Bytes that a busy pair may have on the way between two readings and still count as in sync."""


def part_in_words(check: Check) -> str:
    """A part that is missing or not known, in words."""
    word = "not so" if check.verdict is Verdict.FAILS else "not known whether"
    return f"{word}: {check.statement} ({check.evidence})"


def pair_protected(ask: Ask) -> Check:
    """All parts at once, as a condition: the final proof of a rebuild."""
    return all_of("the pair survives the next failure of its master", protection_checks(ask.state))


def all_of(statement: str, checks: tuple[Check, ...]) -> Check:
    """The parts as one: what fails comes before what is not known."""
    for verdict in (Verdict.FAILS, Verdict.UNKNOWN):
        found = [check for check in checks if check.verdict is verdict]
        if found:
            return Check(verdict, statement, "; ".join(part_in_words(check) for check in found), found[0].advice)
    return Check(Verdict.HOLDS, statement, "; ".join(check.evidence for check in checks))


def protection_checks(state: ClusterState) -> tuple[Check, ...]:
    """Each part of being protected, judged by itself, in the order in which a rebuild restores them."""
    master = master_in_question(state)
    replica = next((node for node in state.nodes if node is not master), None)
    if master is None or replica is None or len(state.nodes) != PAIR:
        return (no_single_master(state, "one of two nodes is the master"),)
    this, that = Ask(state, master, {}), Ask(state, replica, {"source": master.name, "master": master.name})
    synced = Ask(state, replica, {"source": master.name, "within_bytes": SYNC_MARGIN})
    return (
        answered(replication.only_master, this),
        answered(virtual_ip.only_vip_holder, this),
        answered(virtual_ip.vip_reaches, this),
        answered(replication.in_sync, synced),
        answered(priorities, that),
        _standing(state, master, "MASTER"),
        _standing(state, replica, "BACKUP"),
        answered(vrrp.no_script_running, this),
        answered(vrrp.no_script_running, that),
    )


def answered(rule: Callable[[Ask], Check], ask: Ask) -> Check:
    """The rule's answer; where something could not be read, that it is not known."""
    try:
        return rule(ask)
    except UnreadError as unread:
        return Check(unread.verdict, f"{ask.name}: {rule.__name__.replace('_', ' ')}", str(unread), unread.advice)


def _standing(state: ClusterState, node: NodeState, word: str) -> Check:
    """Whether keepalived runs, and in this state."""
    ask = Ask(state, node, {"is": word})
    running = answered(vrrp.keepalived_running, ask)
    return answered(vrrp.vrrp_state, ask) if running.holds else running


def priorities(ask: Ask) -> Check:
    """The rule, or with checks of weight 0 that the master stands above: there a failed check means FAULT."""
    master = ask.other("master")
    m, s = vrrp.instance_of(ask, master.name), vrrp.instance_of(ask, ask.name)
    if m.weight == 0 and m.scripts and s.weight == 0 and s.scripts:
        figures = f"priority {m.priority} and {s.priority}, checks of weight 0: FAULT moves the VIP"
        return decided(m.priority > s.priority, f"{master.name} stands above {ask.name}", figures)
    return vrrp.priority_rule(ask)


def master_in_question(state: ClusterState) -> NodeState | None:
    """The master in question: the one behind the VIP, else the only one."""
    if state.vip_reaches in state.masters and state.vip_reaches is not None:
        return state.node(state.vip_reaches)
    return state.node(state.masters[0]) if len(state.masters) == 1 else None


def no_single_master(state: ClusterState, statement: str) -> Check:
    """Why nothing more can be judged: who is a master, and whose Redis could not be read."""
    unread = [node.name for node in state.nodes if not node.redis.ok and not proved_down(node)]
    figures = f"masters: {', '.join(state.masters) or 'none'}"
    if unread and not state.masters:
        return Check(Verdict.UNKNOWN, statement, f"{figures}; Redis could not be read on {', '.join(unread)}")
    return Check(Verdict.FAILS, statement, figures)
