"""As long as keepalived or the Sentinels may still act by themselves, the advice is to wait for that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sample_sets as sets
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.diagnosis.virtual_ip import SILENT_SECONDS
from console.core.keepalived.takeovers import expected_takeover, takeovers_in_words
from console.core.kinds.diagnose import diagnose
from console.core.model import ClusterState, LogTail, Problem, ProblemKind, Reading, Transition, VrrpState, read
from console.core.model.facts import NEW_CONNECTION_SECONDS, does_not_answer
from console.core.watchers.expected_failover import expected_failover


def failing(kind: ProblemKind, seconds: float | None, at: float = s.NOW) -> Reading[Any]:
    """A source that has brought no answer for so many seconds; None: it never answered."""
    return Reading(None, Problem(kind, kind.value, since=None if seconds is None else at - seconds), at)


def master_killed(seconds: float | None) -> ClusterState:
    """redis-b, the master with the virtual IP, was killed; its keepalived runs on."""
    state = s.with_node(s.healthy_pair(), s.B, redis=failing(ProblemKind.REFUSED, seconds))
    gone = state.node(s.B).processes.map(lambda one: replace(one, redis=()))
    state = s.with_node(state, s.B, processes=gone)
    return replace(state, vip_reach=failing(ProblemKind.REFUSED, seconds))


def advice(state: ClusterState, code: str) -> str:
    (found,) = [one for one in diagnose(state, s.NOW) if one.code == code]
    return found.next.advice or ""


def test_within_the_time_of_keepalived_the_advice_is_to_wait_for_it():
    said = advice(master_killed(4.0), "vip-on-dead-redis")
    # 2 s for the check; 4 adverts of 3 s and a skew of 118/256 adverts; 4 s have passed
    assert said.startswith("wait another 12 s, and change nothing: keepalived lets redis-a take")
    assert "its script makes it the master" in said
    assert "start Redis" not in said


def test_after_that_time_the_advice_is_to_act_and_where_the_log_is():
    said = advice(master_killed(60.0), "vip-on-dead-redis")
    assert said.startswith("start Redis on redis-b if it holds the newest data")
    assert "the log of keepalived on redis-b and redis-a may say why" in said


def test_where_it_is_not_known_since_when_both_are_said():
    said = advice(master_killed(None), "vip-on-dead-redis")
    assert said.startswith("wait 16 s first:")
    assert "If it is still so then: start Redis on redis-b" in said


@given(st.floats(0, 100), st.integers(1, 254), st.integers(1, 254), st.sampled_from([-10, -2, 0, 2, 30]))
def test_an_order_to_act_never_competes_with_a_takeover_that_is_under_way(seconds, mine, theirs, weight):
    state = s.with_priority(s.with_priority(master_killed(seconds), s.B, mine), s.A, theirs)
    for name in (s.A, s.B):
        scripts = state.node(name).keepalived.value.instance.scripts
        state = s.with_instance(state, name, scripts=tuple(replace(one, weight=weight) for one in scripts))
    expected = expected_takeover(state)
    for one in diagnose(state, s.NOW):
        if one.code in {"vip-on-dead-redis", "no-master"}:
            waits = expected is not None and expected.left > 0
            assert (one.next.advice or "").startswith("wait another ") is waits, one


@pytest.mark.parametrize(
    "changed",
    [
        lambda one: s.with_keepalived(one, s.A, running=False, state=VrrpState.STOP),
        lambda one: s.with_keepalived(one, s.B, running=False, state=VrrpState.STOP),
        lambda one: s.with_priority(one, s.A, 10),  # stays below the master whose check failed
        lambda one: s.with_instance(one, s.A, nopreempt=True),
        lambda one: s.with_instance(one, s.B, scripts=()),
    ],
)
def test_nobody_waits_for_a_takeover_that_does_not_come(changed):
    assert expected_takeover(master_killed(1.0)) is not None
    assert expected_takeover(changed(master_killed(1.0))) is None


def killed_under_sentinels(seconds: float | None, **watched: Any) -> ClusterState:
    state = sets.sentinel_consul_set()
    state = s.with_node(state, sets.APP02, redis=failing(ProblemKind.REFUSED, seconds))
    gone = state.node(sets.APP02).processes.map(lambda one: replace(one, redis=()))
    consul = state.consul
    nobody = consul.instances.map(lambda all_: tuple(sets.instance(one.node, "critical") for one in all_))
    known = {"down_after": 10.0, **watched}
    sentinels = tuple(
        replace(one, sentinel=one.sentinel.map(lambda said: replace(said, master=replace(said.master, **known))))
        for one in state.sentinels
    )
    state = s.with_node(state, sets.APP02, processes=gone)
    return replace(state, sentinels=sentinels, consul=replace(consul, instances=nobody))


def test_while_the_sentinels_count_nobody_is_sent_to_see_why_they_promote_nobody():
    said = advice(killed_under_sentinels(5.0), "consul-none-passing")
    assert said.startswith("wait another 16 s, and change nothing: the Sentinels promote a replica")
    assert "see why" not in said
    assert "see why the Sentinels promoted nobody" in advice(killed_under_sentinels(90.0), "consul-none-passing")
    assert advice(killed_under_sentinels(None), "consul-none-passing").startswith("wait 21 s first:")
    under_way = killed_under_sentinels(30.0, failover_state="select_slave")
    assert advice(under_way, "consul-none-passing").startswith("wait for the end of the failover")
    assert expected_failover(under_way) is None


@pytest.mark.parametrize(("seconds", "hung"), [(0.0, False), (4.0, False), (6.0, True), (None, True)])
def test_a_connection_that_is_made_anew_is_no_redis_that_does_not_answer(seconds, hung):
    state = s.with_node(s.healthy_pair(), s.A, redis=failing(ProblemKind.CLOSED, seconds))
    assert does_not_answer(state.node(s.A)) is hung
    assert ("redis-hung" in {one.code for one in diagnose(state, s.NOW)}) is hung
    assert NEW_CONNECTION_SECONDS == 5.0


@pytest.mark.parametrize(("since", "answered", "told"), [(4, 0, True), (2, 0, False), (9, 9, False), (None, 0, True)])
def test_a_silent_virtual_ip_is_told_only_while_its_redis_answers(since, answered, told):
    """`answered`: seconds since the last answer at its own address, which may be shown although it is old."""
    state = replace(s.healthy_pair(), vip_reach=failing(ProblemKind.CLOSED, since))
    state = s.with_node(state, s.B, redis=replace(state.node(s.B).redis, at=s.NOW - answered))
    assert ("vip-silent" in {one.code for one in diagnose(state, s.NOW)}) is told
    assert SILENT_SECONDS == 3.0


def test_the_age_of_a_sentinels_refusal_is_told():
    state = sets.sentinel_vip_set()
    one = state.sentinels[0]
    refused = replace(one, sentinel=failing(ProblemKind.REFUSED, None, s.NOW - 2))
    state = replace(state, sentinels=(refused, *state.sentinels[1:]))
    (found,) = [one for one in diagnose(state, s.NOW) if one.code == "sentinel-unreachable"]
    assert found.evidence[0].endswith(", tried 2 s ago")


def test_two_masters_are_told_with_who_took_the_virtual_ip_and_when():
    """redis-a froze, redis-b took the address, and redis-a took it back when it went on."""
    state = s.split_brain()
    alone = s.with_node(state, s.B, notify_log=read(LogTail("/x", ()), s.NOW))
    assert takeovers_in_words(alone) == ""
    for name, ages in ((s.A, (900, 12)), (s.B, (60,))):
        ahead = state.node(name).clock.value.offset
        took = tuple(Transition(VrrpState.MASTER, s.NOW + ahead - age, "notify log", "x") for age in ages)
        state = s.with_node(state, name, notify_log=read(LogTail("/x", (), took), s.NOW))
    said = "by the logs of keepalived redis-a took 192.168.100.123 15 min ago, redis-b 60 s ago, redis-a 12 s ago"
    assert takeovers_in_words(state) == said
    (found,) = [one for one in diagnose(state, s.NOW) if one.code == "dual-master"]
    assert said in found.evidence


def frozen_master() -> ClusterState:
    """redis-b, the old master, answers nothing; redis-a was promoted and has the virtual IP."""
    state = s.failed_over_pair()
    silent = {"ssh": failing(ProblemKind.TIMEOUT, 30.0), "redis": failing(ProblemKind.TIMEOUT, 30.0)}
    unread = dict.fromkeys(("keepalived", "addresses", "processes"), failing(ProblemKind.TIMEOUT, 30.0))
    return s.with_node(state, s.B, **silent, **unread)


def test_a_frozen_master_is_told_with_who_has_taken_over_and_what_its_return_would_do():
    (found,) = [one for one in diagnose(frozen_master(), s.NOW) if one.code == "ssh-unreachable"]
    assert found.summary.endswith("redis-a is the master, with 192.168.100.123.")
    assert "it may return as a second one" in found.next.advice
    assert "until you can stop its keepalived" in found.next.advice


def test_a_replica_that_is_only_unread_here_is_not_cut_off():
    state = frozen_master()
    line = (s.attached(s.B),)
    attached = s.with_redis(state, s.A, replicas=line)
    (found,) = [one for one in diagnose(attached, s.NOW) if one.code == "ssh-unreachable"]
    assert "is the master" not in found.summary
    assert "second one" not in found.next.advice
