"""The priority rule of a pair, s < m < s + abs(weight), and the smallest change that makes it hold (H15).

While both checks succeed, the priority m of the master must be above the priority s of the replica. When the master's
check fails, m must fall below s. This is the documented rule ("priority must be higher than the backup's, but by less
than the weight"). With weight 0 keepalived puts the instance in FAULT instead of changing its priority. Then the rule
does not apply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from console.core.keepalived.configuration import HIGHEST, LOWEST
from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, Keepalived, VrrpInstance


def rule_holds(master: int, replica: int, weight: int) -> bool:
    """Whether the master's priority is above the replica's, by less than the weight: s < m < s + abs(weight)."""
    return replica < master < replica + abs(weight)


def rule_in_words(master: str, m: VrrpInstance, replica: str, s: VrrpInstance) -> str:
    """The rule for two nodes with the priorities that they advertise, which is true as it stands.

    It names each number: whose it is, and what the check and its weight make of it. Keepalived's limits are in it.
    """
    ready, good, failed = effective(s, check_ok=True), effective(m, check_ok=True), effective(m, check_ok=False)
    stands = f"stands between {failed} and {good}" if pair_rule_holds(m, s) else f"is not between {failed} and {good}"
    return (
        f"{replica} with {_sum(s, ready)} {stands}: {master} has {_sum(m, good)} while its check succeeds, and"
        f" {_sum(m, failed)} when it fails"
        f" (weight {m.weight:+d})"
    )


def _sum(instance: VrrpInstance, value: int) -> str:
    """`137`, or `100 = 98 + 2`: what is advertised is not always the number in the file."""
    if abs(value - instance.priority) != abs(instance.weight) or not instance.weight:
        return str(value)  # its own number, or keepalived's limit
    sign = "+" if instance.weight > 0 else "-"
    return f"{value} = {instance.priority} {sign} {abs(instance.weight)}"


def pair_rule_holds(master: VrrpInstance, replica: VrrpInstance) -> bool:
    """Whether the rule holds for two nodes whose weights may differ."""
    good, failed = effective(master, check_ok=True), effective(master, check_ok=False)
    return failed < effective(replica, check_ok=True) < good


def effective(instance: VrrpInstance, *, check_ok: bool) -> int:
    """The sum of priority and weight in keepalived. A negative weight counts on failure, a positive one on success."""
    return _advertised(instance.priority, instance.weight, check_ok=check_ok)


def _advertised(priority: int, weight: int, *, check_ok: bool) -> int:
    """The sum, limited to 1..254. At these limits two nodes can get the same value. Then the higher address wins."""
    moved = weight if (weight > 0) == check_ok else 0
    return min(HIGHEST, max(LOWEST, priority + moved))


def _numbers_hold(master: int, replica: int, weight: int) -> bool:
    """The rule on the advertised values. With weight -10, s = 1 and m = 2 both become 1 when the check fails."""
    ready = _advertised(replica, weight, check_ok=True)
    return _advertised(master, weight, check_ok=False) < ready < _advertised(master, weight, check_ok=True)


@dataclass(frozen=True, slots=True)
class PriorityPlan:
    """One priority to change on one node."""

    node: str
    was: int
    to: int
    why: str
    """The rule in words after the change, and why this node is changed."""


def smallest_change(state: ClusterState, master: str, replica: str) -> PriorityPlan | None:
    """The one edit that makes the rule hold for the pair; None: it holds. Raises ValueError if there is none.

    A node whose keepalived is stopped is changed if that is enough: then the running holder of the VIP stays
    untouched. Otherwise the master is changed.
    """
    first, second = _keepalived(state, master), _keepalived(state, replica)
    m, s = _instance(first, master), _instance(second, replica)
    for name, one in ((master, m), (replica, s)):
        if not one.tells("priority", "state", "track_script"):
            raise ValueError(f"the keepalived.conf of {name} does not tell its priority and checks for certain")
    if m.weight == 0 or s.weight == 0:
        where = master if m.weight == 0 else replica
        raise ValueError(f"the check on {where} has weight 0: a failed check means FAULT, whatever the priority")
    if pair_rule_holds(m, s):
        return None
    if m.weight != s.weight:
        raise ValueError(
            f"the check has weight {m.weight} on {master} and {s.weight} on {replica}: make them equal first"
        )
    if abs(m.weight) == 1:
        raise ValueError("with weight 1 there is no number between s and s + 1: give the check a larger weight first")
    options = [(replica, second.running), (master, first.running)]
    options.sort(key=lambda option: option[1])  # stopped first; if both are the same, see below
    if first.running == second.running:
        options.reverse()  # the documentation changes the master
    for node, running in options:
        make = closest_master if node == master else closest_replica
        to = make(m.priority, s.priority, m.weight)
        if to is not None:
            how = (
                f"keepalived of {node} is stopped: nothing running changes"
                if not running
                else f"keepalived of {node} reloads the file"
            )
            changed = (replace(m, priority=to), s) if node == master else (m, replace(s, priority=to))
            why = f"{rule_in_words(master, changed[0], replica, changed[1])}; {how}"
            return PriorityPlan(node, (m if node == master else s).priority, to, why)
    raise ValueError(f"no single change makes the rule hold for {m.priority} and {s.priority}: edit both by hand")


def closest_master(master: int, replica: int, weight: int) -> int | None:
    """The priority of the master nearest to its present one that satisfies the rule; None: there is none."""
    return _closest(master, lambda one: _numbers_hold(one, replica, weight))


def closest_replica(master: int, replica: int, weight: int) -> int | None:
    """The priority of the replica nearest to its present one that satisfies the rule; None: there is none."""
    return _closest(replica, lambda one: _numbers_hold(master, one, weight))


def _closest(value: int, holds: Callable[[int], bool]) -> int | None:
    possible = [one for one in range(LOWEST, HIGHEST + 1) if holds(one)]
    return min(possible, key=lambda one: abs(one - value), default=None)


def _keepalived(state: ClusterState, node: str) -> Keepalived:
    reading = state.node(node).keepalived
    if reading.value is None:
        raise ValueError(f"keepalived on {node} could not be read: {reading.problem}")
    return reading.value


def _instance(keepalived: Keepalived, node: str) -> VrrpInstance:
    if keepalived.instance is None:
        raise ValueError(f"the vrrp_instance of {node} is not known")
    return keepalived.instance
