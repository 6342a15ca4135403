"""The failover that Sentinels will still make by themselves, and how long that may take."""

from __future__ import annotations

from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState
from console.core.model.facts import does_not_answer, proved_down
from console.core.model.silence import failing_for
from console.core.watchers.sentinels import agreed_master, readable_sentinels, watched_masters

ELECTION_SECONDS = 11.0
"""A Sentinel begins up to one second late, and its election may take ten (sentinel.c: SENTINEL_MAX_DESYNC,
SENTINEL_ELECTION_TIMEOUT)."""


@dataclass(frozen=True, slots=True)
class ExpectedFailover:
    """The Sentinels count the silence of the master that they name, or elect the one that promotes."""

    master: str
    silence: float
    """Seconds of silence after which the slowest of them takes the master for down."""
    whole: float
    """Seconds until one of them promotes, at the latest."""
    left: float | None
    """Seconds until then; below 0: they have passed. None: it is not known since when the master fails."""


def expected_failover(state: ClusterState) -> ExpectedFailover | None:
    """The failover that is still to come; None: none is to come, one is under way, or that is not certain."""
    master = agreed_master(state)
    watched = [one for _, one in watched_masters(state)]
    if master is None or not (proved_down(master) or does_not_answer(master)):
        return None
    if any(one.failing_over or one.down_after is None for one in watched):
        return None
    if any(said.tilt or said.quorum_ok is False for _, said in readable_sentinels(state)):
        return None
    if len(watched) < max(one.quorum for one in watched) or len(watched) <= len(state.sentinels) // 2:
        return None
    if not any(node.redis.ok for node in state.nodes if node is not master):
        return None
    silence = max(one.down_after or 0.0 for one in watched)
    whole = silence + ELECTION_SECONDS
    failing = failing_for(master.redis)
    return ExpectedFailover(master.name, silence, whole, None if failing is None else whole - failing)
