from __future__ import annotations

import re
from functools import lru_cache

import pytest
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.keepalived.priority import (
    PriorityPlan,
    closest_master,
    closest_replica,
    effective,
    pair_rule_holds,
    rule_holds,
    rule_in_words,
    smallest_change,
)
from console.core.model import TrackScript, VrrpState
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate

ROLES = {"master": s.A, "node": s.B}
PRIORITIES = st.integers(1, 254)
WEIGHTS = st.integers(-254, 254)


@pytest.mark.parametrize(
    ("master", "replica", "weight", "holds"),
    [
        (139, 138, -10, True),
        (138, 139, -10, False),
        (139, 139, -10, False),
        (148, 139, -10, True),
        (149, 139, -10, False),
        (100, 99, 2, True),
        (101, 99, 2, False),
        (139, 138, 0, False),
        (139, 138, -1, False),
    ],
)
def test_the_documented_rule(master, replica, weight, holds):
    assert rule_holds(master, replica, weight) is holds


@given(PRIORITIES, PRIORITIES, WEIGHTS.filter(bool))
def test_the_rule_is_what_keepalived_computes(master, replica, weight):
    span = abs(weight)
    if not (master - span >= 1 and master + span <= 254 and replica + span <= 254):
        return  # keepalived clips at its ends; see the next test
    script = (TrackScript("c", "/c", 1, weight),)
    first = s.replace(s.vrrp_instance(s.A, master), scripts=script)
    second = s.replace(s.vrrp_instance(s.B, replica), scripts=script)
    assert pair_rule_holds(first, second) == rule_holds(master, replica, weight)


@given(PRIORITIES, PRIORITIES, WEIGHTS.filter(bool), WEIGHTS.filter(bool))
def test_the_rule_in_words_is_true_and_names_whose_each_number_is(master, replica, weight, other):
    m = s.replace(s.vrrp_instance(s.A, master), scripts=(TrackScript("c", "/c", 1, weight),))
    r = s.replace(s.vrrp_instance(s.B, replica), scripts=(TrackScript("c", "/c", 1, other),))
    said = rule_in_words(s.A, m, s.B, r)
    good, failed, ready = effective(m, check_ok=True), effective(m, check_ok=False), effective(r, check_ok=True)
    stands = "stands" if failed < ready < good else "is not"
    bare = re.sub(r"(\d+) = \d+ [+-] \d+", r"\1", said)
    assert bare.startswith(f"{s.B} with {ready} {stands} between {failed} and {good}: ")
    assert f"{s.A} has {good} while its check succeeds, and {failed} when it fails (weight {weight:+d})" in bare
    for whole, number, sign, change in re.findall(r"(\d+) = (\d+) ([+-]) (\d+)", said):
        assert int(whole) == int(number) + int(sign + change), said
    for value, instance in ((ready, r), (good, m), (failed, m)):
        assert value == instance.priority or f"{value} = {instance.priority} " in said or value in (1, 254), said


def test_effective_priorities_stay_in_range():
    low = s.vrrp_instance(s.A, 5)
    assert effective(low, check_ok=False) == 1
    assert effective(low, check_ok=True) == 5


@given(PRIORITIES, PRIORITIES, WEIGHTS.filter(bool))
def test_the_smallest_changes_satisfy_the_rule_and_are_smallest(master, replica, weight):
    lowered = closest_replica(master, replica, weight)
    possible = [one for one in range(1, 255) if _holds(master, one, weight)]
    assert (lowered is None) == (not possible)
    if lowered is not None:
        assert lowered in possible
        assert abs(lowered - replica) == min(abs(one - replica) for one in possible)
    raised = closest_master(master, replica, weight)
    possible = [one for one in range(1, 255) if _holds(one, replica, weight)]
    assert (raised is None) == (not possible)
    if raised is not None:
        assert abs(raised - master) == min(abs(one - master) for one in possible)


def _holds(master, replica, weight):
    return pair_rule_holds(_with_check(s.A, master, weight), _with_check(s.B, replica, weight))


@lru_cache(1024)
def _with_check(node, priority, weight):
    return s.replace(s.vrrp_instance(node, priority), scripts=(TrackScript("c", "/c", 1, weight),))


def test_no_number_is_chosen_that_ends_in_a_tie_at_the_ends_of_the_range():
    """With weight -10 a failed 2 is 1, and so is the replica's: nothing would fail over."""
    assert not _holds(2, 1, -10)
    assert closest_replica(3, 9, -10) == 2
    assert closest_replica(2, 9, -10) is None
    assert closest_master(1, 1, -10) is None
    assert closest_master(1, 2, -10) == 3
    assert not _holds(250, 249, 10)
    assert closest_master(243, 243, 10) == 244


def test_a_tie_at_the_end_of_the_range_is_told_as_that():
    check = evaluate(Condition("priority-rule", "node", {"master": "master"}), _pair(2, 1, -10, True, True), ROLES)
    assert not check.holds
    assert "choose values in between" in check.evidence


@given(PRIORITIES, PRIORITIES, st.integers(2, 100), st.booleans(), st.booleans())
def test_the_plan_makes_the_rule_hold(master, replica, weight, first_runs, second_runs):
    state = _pair(master, replica, -weight, first_runs, second_runs)
    if master <= weight or replica + weight > 254:
        return
    plan = smallest_change(state, s.A, s.B)
    after = {s.A: master, s.B: replica}
    if plan is not None:
        assert plan.was == after[plan.node]
        after[plan.node] = plan.to
    assert rule_holds(after[s.A], after[s.B], weight)
    assert (plan is None) == rule_holds(master, replica, weight)


def _pair(master, replica, weight, first_runs, second_runs):
    state = s.failed_over_pair()
    for name, priority, runs in ((s.A, master, first_runs), (s.B, replica, second_runs)):
        script = (TrackScript("chk_redis", "/check", 2, weight),)
        state = s.with_instance(state, name, priority=priority, scripts=script)
        state = s.with_keepalived(state, name, running=runs)
    return state


def test_the_stopped_replica_is_lowered():
    plan = smallest_change(s.stale_master_back(), s.A, s.B)
    assert plan is not None
    assert (plan.node, plan.was, plan.to) == (s.B, 139, 137)
    assert "redis-b with 137 stands between 128 and 138: redis-a has 138" in plan.why
    assert "stopped" in plan.why


def test_with_both_running_the_master_is_raised():
    plan = smallest_change(s.failed_over_pair(), s.A, s.B)
    assert isinstance(plan, PriorityPlan)
    assert (plan.node, plan.was, plan.to) == (s.A, 138, 140)


def test_with_both_stopped_the_master_is_raised():
    assert smallest_change(s.fresh_pair(), s.A, s.B) is not None
    assert smallest_change(s.fresh_pair(), s.A, s.B).node == s.A


def test_where_one_node_cannot_the_other_is_changed():
    plan = smallest_change(_pair(1, 139, -10, first_runs=True, second_runs=False), s.A, s.B)
    assert plan is not None
    assert (plan.node, plan.to) == (s.A, 140)


def test_a_pair_that_is_right_needs_no_change():
    assert smallest_change(s.healthy_pair(), s.B, s.A) is None
    assert smallest_change(s.rebuilt_pair(), s.A, s.B) is None


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (_pair(138, 139, 0, first_runs=True, second_runs=False), "FAULT"),
        (_pair(138, 139, -1, first_runs=True, second_runs=False), "there is no number between"),
        (_pair(1, 254, -10, first_runs=True, second_runs=False), "by hand"),
        (s.unreachable_node(), "could not be read"),
        (s.with_keepalived(s.failed_over_pair(), s.B, instance=None), "not known"),
        (
            s.with_instance(s.failed_over_pair(), s.B, scripts=(TrackScript("c", "/c", 2, -20),)),
            "make them equal first",
        ),
    ],
)
def test_what_priorities_cannot_do_is_said(state, words):
    with pytest.raises(ValueError, match=words):
        smallest_change(state, s.A, s.B)


def test_samples_are_what_their_names_say():
    assert s.failed_over_pair().node(s.B).keepalived.value.effective_priority == 129
    assert s.fresh_pair().node(s.A).keepalived.value.state is VrrpState.STOP


@pytest.mark.parametrize("keyword", ["priority", "track_script", "state", "include"])
@pytest.mark.parametrize("node", [s.A, s.B])
def test_what_the_file_does_not_tell_for_certain_is_relied_on_nowhere(keyword, node):
    sure = s.rebuilt_pair()
    asked = Condition("priority-rule", "node", {"master": "master"})
    assert evaluate(asked, sure, ROLES).verdict is not Verdict.UNKNOWN
    state = s.with_instance(sure, node, uncertain=frozenset({keyword}))
    check = evaluate(asked, state, ROLES)
    assert check.verdict is Verdict.UNKNOWN
    assert "does not tell for certain" in check.evidence
    with pytest.raises(ValueError, match="does not tell its priority"):
        smallest_change(state, s.A, s.B)
    other = s.with_instance(sure, node, uncertain=frozenset({"garp_master_delay"}))
    assert evaluate(asked, other, ROLES) == evaluate(asked, sure, ROLES)
