"""What the console keeps of a cluster: transitions, points of the plot, what is too old to count."""

from dataclasses import replace

import pytest
import sample_races
import samples
from tui_stage import spec_of

from console.core.changes.timeline import events_from_logs, tell
from console.core.model import ClusterState, ProblemKind, VrrpState, unread
from console.core.previews.quiescence import Level
from console.tui.present.clusters.cluster import history
from console.tui.state.cluster_view import ClusterView, absorb


def texts(before: ClusterState, after: ClusterState) -> list[str]:
    told, _ = tell(None, before)
    return [f"{event.subject}: {event.text}" for event in tell(told, after)[1]]


def test_a_failover_is_told_in_its_transitions():
    assert texts(samples.healthy_pair(), samples.failed_over_pair()) == [
        "VIP: held by redis-b → redis-a",
        "VIP: clients reach redis-b → redis-a",
        "redis-a: Redis replica → master",
        "redis-a: keepalived BACKUP → MASTER",
        "redis-b: Redis lost: connection refused",
        "redis-b: keepalived MASTER → BACKUP",
        "redis-b: effective priority 139 → 129",
    ]


def test_nothing_is_told_where_nothing_changed():
    assert texts(samples.healthy_pair(), samples.healthy_pair(samples.NOW + 60)) == []


def test_a_node_that_cannot_be_read_has_not_lost_the_vip():
    before = samples.failed_over_pair()
    blind = unread(ProblemKind.TIMEOUT, "no answer in time", samples.NOW)
    after = samples.with_node(before, samples.A, addresses=blind, ssh=blind)
    assert texts(before, after) == ["redis-a: SSH lost: no answer in time"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: samples.with_link(s, samples.A, up=False), "redis-a: link up → down"),
        (lambda s: samples.with_link(s, samples.A, sync_in_progress=True), "redis-a: sync began"),
        (lambda s: samples.with_redis(s, samples.A, run_id="f" * 40), "redis-a: Redis restarted"),
        (
            lambda s: samples.with_keepalived(s, samples.A, running=False, state=VrrpState.STOP),
            "redis-a: keepalived BACKUP → STOP",
        ),
    ],
)
def test_each_kind_of_transition(change, told):
    healthy = samples.healthy_pair()
    assert told in texts(healthy, change(healthy))


def test_the_window_in_which_a_failure_loses_writes_opens_and_closes():
    announced, open_, closed = sample_races.returning(), sample_races.promoted(), sample_races.attached()
    opened = "VIP: a failure of redis-b now loses writes, until redis-a is in sync"
    assert opened in texts(announced, open_)
    assert opened not in texts(open_, sample_races.promoted(age=13))
    assert "VIP: redis-a is in sync: a failure of redis-b loses no writes any more" in texts(open_, closed)
    unread_ = samples.with_node(open_, samples.B, redis=unread(ProblemKind.TIMEOUT, "no answer", samples.NOW))
    assert not [one for one in texts(open_, unread_) if "any more" in one], "not seen is not closed"


def test_what_logs_tell_comes_on_the_operators_clock():
    events = events_from_logs(samples.healthy_pair())
    assert [event.subject for event in events] == ["redis-a", "redis-b"]
    assert all(event.from_log for event in events)
    assert events[0].at == pytest.approx(samples.NOW - 3600, abs=1)


def view_of(*states: ClusterState) -> ClusterView:
    view = ClusterView(spec_of(states[0]))
    for state in states:
        view = absorb(view, state, state.observed_at)
    return view


def test_an_observation_older_than_the_one_shown_changes_nothing():
    newer = view_of(samples.healthy_pair(samples.NOW))
    assert absorb(newer, samples.failed_over_pair(samples.NOW - 5), samples.NOW) is newer


def test_the_plot_has_lag_and_write_rate():
    first = samples.healthy_pair(samples.NOW)
    second = samples.with_redis(samples.healthy_pair(samples.NOW + 2), samples.B, offset=8107 + 400)
    view = view_of(first, second)
    assert [(point.lag, point.written) for point in view.samples] == [(14, None), (414, 200.0)]


def test_a_restart_of_the_master_is_not_a_write_rate():
    second = samples.with_redis(samples.healthy_pair(samples.NOW + 2), samples.B, run_id="f" * 40, offset=0)
    assert view_of(samples.healthy_pair(samples.NOW), second).samples[-1].written is None


def test_the_view_keeps_its_age():
    view = view_of(samples.healthy_pair(samples.NOW))
    assert view.age(samples.NOW + 12) == 12
    assert replace(view, state=None).age(samples.NOW) is None


def test_the_master_is_watched_and_its_traffic_rated():
    view = ClusterView(spec_of(samples.failed_over_pair()))
    for second in range(0, 120, 2):
        busy = second > 110
        state = samples.failed_over_pair(samples.NOW + second)
        state = samples.with_redis(state, samples.A, ops_per_second=900 if busy else 100)
        view = absorb(view, state, samples.NOW + second)
    assert view.traffic is not None
    assert view.traffic.level is Level.BUSY
    drawn = "\n".join(one.plain for one in history(view.samples, 100, view.traffic))
    assert "! busy now" in drawn
    assert "→ operations on redis-a are at 9.0 times the median of the last 118 s: wait for a quieter time" in drawn
    assert "· operations: 900/s now, 100/s is the median of 118 s" in drawn
