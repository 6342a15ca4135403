"""What keepalived or the Sentinels will still do by themselves: as long as they may, the advice is to wait."""

from __future__ import annotations

from console.core.conditions.pair_protection import answer_or_unknown
from console.core.conditions.predicate import Question
from console.core.conditions.scripts import promoted_at_takeover
from console.core.keepalived.running_scripts import whole_seconds
from console.core.keepalived.takeovers import ExpectedTakeover, expected_takeover
from console.core.model import ClusterState
from console.core.model.verdict import Verdict
from console.core.watchers.expected_failover import ExpectedFailover, expected_failover
from console.core.watchers.sentinels import watched_masters


def wait_or(state: ClusterState, otherwise: str) -> str:
    """The advice, behind the wait for what keepalived or the Sentinels do by themselves.

    Where it is not known since when the Redis fails, both are told: how long that may take, and what to do after it.
    """
    if any(watched.failing_over for _, watched in watched_masters(state)):
        return "wait for the end of the failover that is under way, and look again"
    takeover, failover = expected_takeover(state), expected_failover(state)
    if takeover is not None:
        return _told(
            takeover.left,
            takeover.whole,
            _takes(state, takeover),
            f"the log of keepalived on {takeover.node} and {takeover.successor}",
            otherwise,
        )
    if failover is not None:
        return _told(failover.left, failover.whole, _promote(failover), "the logs of the Sentinels", otherwise)
    return otherwise


def _told(left: float | None, whole: float, does: str, log: str, otherwise: str) -> str:
    if left is None:
        return f"wait {whole_seconds(whole)} s first: {does}. If it is still so then: {otherwise}"
    if left > 0:
        return f"wait another {whole_seconds(left)} s, and change nothing: {does}"
    return f"{otherwise}; {log} may say why nothing has happened in the {whole_seconds(whole)} s that it may take"


def _takes(state: ClusterState, one: ExpectedTakeover) -> str:
    promoted = answer_or_unknown(promoted_at_takeover, Question(state, state.node(one.successor), {}))
    then = {
        Verdict.HOLDS: ", and its script makes it the master",
        Verdict.FAILS: "; nothing makes it the master then: be ready to promote it by hand",
        Verdict.UNKNOWN: "",
    }[promoted.verdict]
    return (
        f"keepalived lets {one.successor} take {state.vip} by itself (check {whole_seconds(one.check)} s, adverts"
        f" {whole_seconds(one.adverts)} s){then}"
    )


def _promote(one: ExpectedFailover) -> str:
    return (
        f"the Sentinels promote a replica by themselves (down after {whole_seconds(one.silence)} s of silence, then an"
        " election)"
    )
