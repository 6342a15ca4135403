"""The priority rule of a pair, s < m < s + abs(weight), and the smallest change that makes it hold (H15).

While both checks succeed the master m must stand above the replica s; once the master's check fails it must fall below.
The rule is the documented one ("priority must be higher than the backup's, but by less than the weight"). With weight 0
keepalived puts the instance in FAULT instead of moving its priority: then no priorities can keep or break it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.core.keepalived.configuration import HIGHEST, LOWEST
from console.core.model import ClusterState, Keepalived, VrrpInstance


def rule_holds(master: int, replica: int, weight: int) -> bool:
    """Whether s < m < s + abs(weight)."""
    return replica < master < replica + abs(weight)


def rule_text(master: int, replica: int, weight: int) -> str:
    """The rule in figures: `137 < 138 < 137 + 10`."""
    return f"{replica} < {master} < {replica} + {abs(weight)}"


def pair_rule_holds(master: VrrpInstance, replica: VrrpInstance) -> bool:
    """The same rule where the two nodes' weights may differ: on both checks good, and on the master's failed."""
    good, failed = effective(master, check_ok=True), effective(master, check_ok=False)
    return failed < effective(replica, check_ok=True) < good


def effective(instance: VrrpInstance, *, check_ok: bool) -> int:
    """Priority and weight as keepalived adds them: a negative weight on failure, a positive one on success."""
    return _advertised(instance.priority, instance.weight, check_ok=check_ok)


def _advertised(priority: int, weight: int, *, check_ok: bool) -> int:
    """The sum is kept within 1..254: at the ends two nodes can meet, and a tie is decided by address."""
    moved = weight if (weight > 0) == check_ok else 0
    return min(HIGHEST, max(LOWEST, priority + moved))


def _numbers_hold(master: int, replica: int, weight: int) -> bool:
    """The rule on what both would advertise: with weight -10, s = 1 and m = 2 meet at 1 when the check fails."""
    ready = _advertised(replica, weight, check_ok=True)
    return _advertised(master, weight, check_ok=False) < ready < _advertised(master, weight, check_ok=True)


@dataclass(frozen=True, slots=True)
class PriorityPlan:
    """One number to change on one node."""

    node: str
    was: int
    to: int
    why: str
    """The rule in figures afterwards, and why on this node."""


def smallest_change(state: ClusterState, master: str, replica: str) -> PriorityPlan | None:
    """The one edit that makes the rule hold for the pair; None: it holds. Raises ValueError where none can.

    On the node whose keepalived is stopped if that suffices: lowering a stopped replica leaves the live holder of the
    VIP untouched. Else on the master.
    """
    first, second = _keepalived(state, master), _keepalived(state, replica)
    m, s = _instance(first, master), _instance(second, replica)
    if m.weight == 0 or s.weight == 0:
        where = master if m.weight == 0 else replica
        raise ValueError(f"the check on {where} has weight 0: a failed check means FAULT, whatever the priority")
    if pair_rule_holds(m, s):
        return None
    if m.weight != s.weight:
        raise ValueError(f"the check weighs {m.weight} on {master} and {s.weight} on {replica}: make them equal first")
    if abs(m.weight) == 1:
        raise ValueError("with a weight of 1 no number lies between s and s + 1: give the check a larger weight first")
    options = [(replica, second.running), (master, first.running)]
    options.sort(key=lambda option: option[1])  # stopped first; of two alike see below
    if first.running == second.running:
        options.reverse()  # the documents adjust the master
    for node, running in options:
        make = _on_master if node == master else _on_replica
        plan = make(m.priority, s.priority, m.weight, node)
        if plan is not None:
            how = (
                "its keepalived is stopped: nothing live changes" if not running else "keepalived there reads it again"
            )
            return PriorityPlan(plan.node, plan.was, plan.to, f"{plan.why}; {how}")
    raise ValueError(f"no single change makes the rule hold for {m.priority} and {s.priority}: edit both by hand")


def closest_master(master: int, replica: int, weight: int) -> int | None:
    """The master's priority nearest to what it is with which the rule holds; None: there is none in 1..254."""
    return _closest(master, lambda one: _numbers_hold(one, replica, weight))


def closest_replica(master: int, replica: int, weight: int) -> int | None:
    """The replica's priority nearest to what it is with which the rule holds; None: there is none in 1..254."""
    return _closest(replica, lambda one: _numbers_hold(master, one, weight))


def _closest(value: int, holds: Callable[[int], bool]) -> int | None:
    possible = [one for one in range(LOWEST, HIGHEST + 1) if holds(one)]
    return min(possible, key=lambda one: abs(one - value), default=None)


def _on_master(master: int, replica: int, weight: int, node: str) -> PriorityPlan | None:
    to = closest_master(master, replica, weight)
    return None if to is None else PriorityPlan(node, master, to, rule_text(to, replica, weight))


def _on_replica(master: int, replica: int, weight: int, node: str) -> PriorityPlan | None:
    to = closest_replica(master, replica, weight)
    return None if to is None else PriorityPlan(node, replica, to, rule_text(master, to, weight))


def _keepalived(state: ClusterState, node: str) -> Keepalived:
    reading = state.node(node).keepalived
    if reading.value is None:
        raise ValueError(f"keepalived on {node} could not be read: {reading.problem}")
    return reading.value


def _instance(keepalived: Keepalived, node: str) -> VrrpInstance:
    if keepalived.instance is None:
        raise ValueError(f"the vrrp_instance of {node} is not known")
    return keepalived.instance
