"""No advice repairs a node whose keepalived then takes the virtual IP from newer data (H01)."""

from __future__ import annotations

import pytest
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.conditions.predicate import Question
from console.core.conditions.replication import lives_as_replica, writes_accepted
from console.core.keepalived.preempting import may_take_back_from, takes_back_from
from console.core.kinds.diagnose import all_rules, diagnose
from console.core.model import ProblemKind, VrrpState, unread

FAILED, HEALTHY = s.failed_over_pair(), s.healthy_pair()
CHECKED_AGAIN = s.with_keepalived(s.with_vip(s.split_brain(), s.B, held=False), s.B, state=VrrpState.BACKUP)
"""redis-a serves; redis-b is a master of its own that lost the address by its check, and has the higher priority."""
FULL = s.with_persistence(CHECKED_AGAIN, s.B, rdb_last_status="err")
NOT_A_REPAIR = {
    # code: why its advice cannot make the check of the node succeed
    "clock-skew": "the clock is no part of a check",
    "data-not-in-config": "it says what a restart would load, and to save before",
    "empty-master": "it says what nobody may do",
    "fork-headroom": "its master has saved, so no failed save keeps its check from succeeding",
    "notify-in-progress": "it says to wait for a script",
    "persistence-off": "without save points a failed save refuses nothing",
    "redis-auth-failed": "the inventory's password is not the check's",
    "replica-link-down": "it heals replication, and a replica in sync may take the address",
    "masterauth-mismatch": "the same",
    "replica-not-in-config": "it says what a restart would make of it",
    "replica-writable": "a setting of replicas, which no check asks for",
    "script-fights-operator": "it says to stop keepalived before anything is done there",
    "script-security-off": "scripts run with or without it",
    "ssh-auth-failed": "the login of this user is not the check's",
    "ssh-unreachable": "it is about the way to the node, and what runs there is not known",
    "unsaved-changes": "a server whose save has failed has redis-misconf instead",
    "version-skew": "it says in which order to upgrade",
    "maxmemory-mismatch": "a setting of both",
    "vrrp-state-disagrees": "it says to look again",
    "nobody-promotes": "it is about the next failover",
    "too-long-to-read": "it says to read",
    "vip-reaches-stranger": "it is about the way to the address",
    "vip-silent": "the same",
    "check-without-effect": "a check that moves nothing keeps no priority down",
    "nopreempt-ineffective": "it makes a node yield",
    "keepalived-config-partly-read": "it says to read",
    "keepalived-config-invalid": "what is not known of its configuration is what keeps this from being judged",
    "vrrp-mismatch": "who wins after both files agree is what it asks the operator to decide",
    "vrrp-dual-master": "both are masters of VRRP: neither waits for a check",
    "failover-not-known": "no other finding was found",
    "replica-lagging": "a replica with its link up is in sync for this purpose",
    "backlog-too-small": "a setting for replicas",
    "failover-loses-writes": "it says to keep the master running",
    "replica-of-stranger": "a change of the inventory, or of what it follows",
    "replica-of-vip": "the same",
}


def away(kind):
    return unread(kind, kind.value, s.NOW)


def in_its_log(state):
    return s.with_script(state, s.B, "check", executable=False, mode=0o644)


BROKEN = [
    (FULL, "redis-misconf"),
    (s.with_persistence(CHECKED_AGAIN, s.B, aof=True, aof_last_write_status="err"), "redis-misconf"),
    (s.with_redis(CHECKED_AGAIN, s.B, loading=True), "redis-loading"),
    (s.with_node(FAILED, s.B, redis=away(ProblemKind.LOADING)), "redis-loading"),
    (s.with_redis(CHECKED_AGAIN, s.B, config=s.RedisConfig(min_replicas_to_write=1)), "writes-refused"),
    (s.with_node(FAILED, s.B, redis=away(ProblemKind.TIMEOUT), processes=HEALTHY.node(s.B).processes), "redis-hung"),
    (in_its_log(CHECKED_AGAIN), "script-missing"),
]


@pytest.mark.parametrize(("state", "code"), BROKEN)
def test_what_would_let_a_stale_node_take_the_address_is_left_to_the_runbook(state, code):
    found = {one.code: one for one in diagnose(state, s.NOW) if s.B in one.nodes}
    assert may_take_back_from(state, state.node(s.B)).name == s.A
    assert found[code].next.advice is None
    assert found[code].next.runbook == ("resolve-dual-master" if s.B in state.masters else "one-shot-rebuild")


@pytest.mark.parametrize(("state", "code"), BROKEN)
def test_once_its_keepalived_is_stopped_it_says_what_to_repair(state, code):
    stopped = s.with_keepalived(state, s.B, running=False, state=VrrpState.STOP)
    (finding,) = [one for one in diagnose(stopped, s.NOW) if one.code == code and s.B in one.nodes]
    assert finding.next.advice is not None
    assert "stop keepalived" not in finding.next.advice


def test_the_only_master_is_repaired_at_once():
    full = s.with_persistence(HEALTHY, s.B, rdb_last_status="err")
    (finding,) = [one for one in diagnose(full, s.NOW) if one.code == "redis-misconf"]
    assert finding.next.advice.endswith("BGSAVE")
    assert "stop keepalived" not in finding.next.advice


def test_a_failover_that_has_only_moved_the_address_counts_as_one():
    moved = s.with_vip(s.with_vip(HEALTHY, s.B, held=False), s.A, held=True)
    full = s.with_persistence(moved, s.B, rdb_last_status="err")
    (finding,) = [one for one in diagnose(full, s.NOW) if one.code == "redis-misconf"]
    assert finding.next.advice.startswith("stop keepalived on redis-b first: ")
    assert finding.next.advice.endswith("BGSAVE")


@pytest.mark.parametrize("rule", [lives_as_replica, writes_accepted])
def test_what_a_step_asks_for_says_the_same(rule):
    full = s.with_redis(FULL, s.B, version="7.2.4")
    assert rule(Question(full, full.node(s.B), {})).advice.startswith("stop keepalived on redis-b first: ")
    stopped = s.with_keepalived(full, s.B, running=False, state=VrrpState.STOP)
    assert "stop keepalived" not in rule(Question(stopped, stopped.node(s.B), {})).advice


def test_the_danger_is_told_of_a_redis_that_answers_in_true_words():
    (answers,) = [one for one in diagnose(FULL, s.NOW) if one.code == "would-preempt-stale"]
    (down,) = [one for one in diagnose(FAILED, s.NOW) if one.code == "would-preempt-stale"]
    assert "as soon as its check succeeds" in answers.summary
    assert "as soon as Redis there answers" in down.summary


def test_what_is_proved_is_also_possible():
    for state in (FAILED, FULL, CHECKED_AGAIN):
        assert takes_back_from(state, state.node(s.B)) is may_take_back_from(state, state.node(s.B))


SOFT_WRONGS = st.fixed_dictionaries(
    {},
    optional={
        "loading": st.booleans(),
        "maxmemory": st.sampled_from([0, 9]),
        "read_only_replica": st.booleans(),
        "version": st.sampled_from(["3.0.4", "7.2.4"]),
        "used_memory": st.sampled_from([1024, 40 * s.GIB]),
        "config": st.sampled_from([s.RedisConfig(save=""), s.RedisConfig(min_replicas_to_write=1)]),
    },
)


@st.composite
def broken_pairs(draw):
    """A pair in which whatever may keep a check from succeeding is wrong on redis-b."""
    bases = [FAILED, CHECKED_AGAIN, HEALTHY, s.stale_master_back(), s.split_brain()]
    state = s.with_priority(draw(st.sampled_from(bases)), s.B, draw(st.sampled_from([120, 138, 139, 200])))
    if state.node(s.B).redis.ok:
        saved = draw(st.sampled_from(["ok", "err"]))
        state = s.with_persistence(s.with_redis(state, s.B, **draw(SOFT_WRONGS)), s.B, rdb_last_status=saved)
    problem = draw(st.sampled_from([None, *ProblemKind]))
    if problem is not None:
        state = s.with_node(state, s.B, redis=away(problem))
    state = s.with_script(state, s.B, "check", executable=draw(st.booleans()))
    state = s.with_keepalived(state, s.B, running=draw(st.booleans()))
    return s.with_node(state, s.B, keepalived=away(ProblemKind.TIMEOUT)) if draw(st.booleans()) else state


@given(broken_pairs())
def test_no_advice_repairs_a_node_that_may_take_the_address_from_newer_data(state):
    if may_take_back_from(state, state.node(s.B)) is None:
        return
    for one in diagnose(state, s.NOW):
        if one.nodes[:1] == (s.B,) and one.next.advice is not None and one.code not in NOT_A_REPAIR:
            assert one.next.advice.startswith(f"stop keepalived on {s.B} first: "), one


def test_a_reading_that_is_missing_makes_no_repair_safe():
    keepalived = away(ProblemKind.TIMEOUT)
    state = s.with_node(FULL, s.B, keepalived=keepalived)
    assert may_take_back_from(state, state.node(s.B)) is state.node(s.A)
    assert takes_back_from(state, state.node(s.B)) is None


def test_a_replica_in_sync_may_take_it():
    state = s.with_persistence(HEALTHY, s.A, rdb_last_status="err")
    assert may_take_back_from(state, state.node(s.A)) is None


@pytest.mark.parametrize("priority", [100, 127])
def test_a_node_that_loses_by_its_priority_may_be_repaired(priority):
    state = s.with_priority(FULL, s.B, priority)
    assert may_take_back_from(state, state.node(s.B)) is None


def test_equal_priorities_are_decided_by_the_address():
    state = s.with_priority(FULL, s.B, s.PRIORITY[s.A])
    assert may_take_back_from(state, state.node(s.B)) is state.node(s.A)


def test_each_code_is_a_repair_or_has_a_reason_why_not_or_names_a_runbook_there():
    rows = {row.code: row for row in all_rules()}
    assert set(NOT_A_REPAIR) <= set(rows)
    assert not [code for code in NOT_A_REPAIR if rows[code].mends]
