"""Takeovers of the virtual IP: those that the logs of keepalived record, and one that keepalived will still make."""

from __future__ import annotations

from console.core.keepalived.priority import effective
from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, NodeState, VrrpInstance, VrrpState
from console.core.model.facts import age_at, does_not_answer, proved_down
from console.core.model.silence import failing_for
from console.core.quantities import span

PAIR = 2
_ADVERTS = 4
"""One until the master tells its lower priority, and three that the other node misses (RFC 3768, 6.1)."""
_LEVELS = 256
"""The skew time: a lower priority waits longer, by up to one advert."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ExpectedTakeover:
    """keepalived itself moves the virtual IP away from a node whose Redis failed."""

    node: str
    """The node that has the address."""
    successor: str
    check: float
    """Seconds until the check has failed, at the latest."""
    adverts: float
    """Seconds from then on until the other node has the address, at the latest."""
    left: float | None
    """Seconds until both have passed; below 0: they have. None: it is not known since when Redis fails."""

    @property
    def whole(self) -> float:
        return self.check + self.adverts


def expected_takeover(state: ClusterState) -> ExpectedTakeover | None:
    """The takeover that keepalived makes by itself; None: there is none to be made, or that is not certain.

    The address is on one node, whose Redis does not run or does not answer. Both keepaliveds run, and by their files
    the failed check lets the other node take the address.
    """
    if state.sentinels or len(state.nodes) != PAIR or len(state.vip_holders) != 1 or state.vip_unread:
        return None
    holder = state.node(state.vip_holders[0])
    other = next(node for node in state.nodes if node is not holder)
    mine, theirs = _running(holder), _running(other)
    failed = proved_down(holder) or does_not_answer(holder)
    if not failed or mine is None or theirs is None or not other.redis.ok or not _gives_way(mine, theirs):
        return None
    tracked = [one for one in mine.scripts if mine.weight == 0 or one.weight]
    # A check that gets no answer is ended after its interval.
    rounds = 1 if does_not_answer(holder) else 0
    check = float(max(one.interval * (one.fall + rounds) for one in tracked))
    adverts = _ADVERTS * mine.advert_interval + mine.advert_interval * (_LEVELS - theirs.priority) / _LEVELS
    failing = failing_for(holder.redis)
    left = None if failing is None else check + adverts - failing
    return ExpectedTakeover(holder.name, other.name, check, adverts, left)


def _running(node: NodeState) -> VrrpInstance | None:
    """The instance of a keepalived that runs and is not in FAULT, if its file tells for certain how it acts."""
    keepalived = node.keepalived.value
    if keepalived is None or not keepalived.running or keepalived.state is VrrpState.FAULT:
        return None
    one = keepalived.instance
    return one if one is not None and one.scripts and one.tells("priority", "state", "track_script") else None


def _gives_way(mine: VrrpInstance, theirs: VrrpInstance) -> bool:
    if mine.weight == 0:
        return True  # FAULT: it gives the address up, whatever the priorities
    return theirs.preempts and effective(mine, check_ok=False) < effective(theirs, check_ok=True)


def takeovers_in_words(state: ClusterState) -> str:
    """`redis-b took the VIP 60 s ago, redis-a 12 s ago`, by the logs of keepalived; empty: they tell of none.

    Only where several nodes took it: then it tells how two masters came about.
    """
    found: list[tuple[float, str]] = []
    for node in state.nodes:
        logs = (node.notify_log.value, node.system_log.value)
        # Both logs may tell of the same one.
        at = {
            round(one.at) for log in logs if log for one in log.transitions if one.at and one.state is VrrpState.MASTER
        }
        found += [(age_at(node, state.observed_at, moment), node.name) for moment in at]
    moves = sorted(found, reverse=True)
    told = [one for place, one in enumerate(moves) if place == 0 or moves[place - 1][1] != one[1]][-_SHOWN:]
    if len({name for _, name in told}) < PAIR:
        return ""
    (first_age, first), *rest = told
    more = "".join(f", {name} {span(age)} ago" for age, name in rest)
    return f"by the logs of keepalived {first} took {state.vip} {span(first_age)} ago{more}"
