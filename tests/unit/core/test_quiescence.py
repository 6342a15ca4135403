"""How quiet it is: the master against its own last minutes, and the hours that the inventory names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.inventory import QuietHours
from console.core.previews.quiescence import (
    WINDOW,
    Level,
    TrafficSample,
    add_sample,
    median,
    quiescence,
    traffic_sample,
)
from console.core.previews.quiet_hours import is_quiet, quiet_words

NIGHT = QuietHours(2 * 60, 5 * 60)
OVER_MIDNIGHT = QuietHours(23 * 60, 60)


def watched(*stretches, every=2.0):
    """Pulses of (seconds, operations/s, bytes/s) one after the other."""
    at, offset, found = s.NOW, 1_000, []
    for seconds, ops, written in stretches:
        for _ in range(int(seconds / every)):
            found.append(TrafficSample(at, s.A, s.RUN_ID[s.A], ops, 4, int(offset), 0))
            at, offset = at + every, offset + written * every
    return tuple(found)


def judged(*stretches):
    traffic_samples = watched(*stretches)
    return quiescence(traffic_samples, traffic_samples[-1].at)


def test_writes_at_three_times_their_median():
    found = judged((250, 400, 100_000), (20, 420, 310_000))
    assert found.level is Level.BUSY
    assert found.words == "writes on redis-a are at 3.1 times the median of the last 4 min"
    assert found.advice == f"{found.words}: wait for a quieter time if you can"
    assert "writes: 310.0 kB/s now, 100.0 kB/s is the median of 4 min" in found.figures
    assert any(one.startswith("operations: 420/s now") for one in found.figures)


@pytest.mark.parametrize(
    ("stretches", "level"),
    [
        ([(250, 400, 100_000), (20, 410, 105_000)], Level.USUAL),
        ([(250, 400, 100_000), (20, 100, 20_000)], Level.QUIET),
        ([(270, 3, 10)], Level.QUIET),
        ([(250, 2, 10), (20, 15, 1_500)], Level.QUIET),  # five times next to nothing is next to nothing
        ([(250, 2, 10), (20, 500, 10)], Level.BUSY),
        ([(270, 4_000, 100_000)], Level.BUSY),
        ([(6, 300, 50_000)], Level.UNKNOWN),
        ([(6, 4_000, 50_000)], Level.BUSY),
        ([(6, 5, 100)], Level.QUIET),
    ],
)
def test_levels(stretches, level):
    found = judged(*stretches)
    assert found.level is level, found
    assert bool(found.advice) == (level is Level.BUSY)


def test_a_short_history_says_that_it_is_short():
    assert "was watched for 4 s only" in judged((6, 300, 50_000)).words
    assert "was looked at once only" in quiescence(watched((2, 300, 0)), s.NOW).words
    assert quiescence((), s.NOW).level is Level.UNKNOWN


def test_the_master_behind_the_vip_is_meant():
    assert traffic_sample(s.healthy_pair()).node == s.B
    assert traffic_sample(s.split_brain()).node == s.A
    assert traffic_sample(s.fresh_pair()) is None
    assert traffic_sample(s.unreachable_node()).node == s.A


def test_a_stream_that_is_not_fed_says_nothing_and_changes_do():
    """Before 7.0 the offset of a master without replicas stands still while it takes writes."""
    idle = replace(s.promoted().backlog, active=False)
    traffic_samples = ()
    for second in range(60):
        state = s.with_redis(s.failed_over_pair(s.NOW + second), s.A, backlog=idle)
        traffic_samples = add_sample(traffic_samples, s.with_persistence(state, s.A, changes_since_save=40 * second))
    assert {one.offset for one in traffic_samples} == {None}
    assert any(one.startswith("writes: 40/s now") for one in quiescence(traffic_samples, s.NOW + 60).figures)


def test_history_is_of_one_server_and_of_the_last_minutes():
    traffic_samples = ()
    for second in range(0, 1_000, 10):
        traffic_samples = add_sample(traffic_samples, s.failed_over_pair(s.NOW + second))
    assert traffic_samples[-1].at - traffic_samples[0].at == WINDOW
    assert add_sample(traffic_samples, s.failed_over_pair(s.NOW)) == traffic_samples, (
        "an older observation adds nothing"
    )
    restarted = s.with_redis(s.failed_over_pair(s.NOW + 1_000), s.A, run_id="f" * 40)
    restarted = replace(restarted, vip_reach=restarted.vip_reach.map(lambda reach: replace(reach, run_id="f" * 40)))
    assert len(add_sample(traffic_samples, restarted)) == 1


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e6), st.integers(0, 10**7), st.integers(0, 10**4), st.none() | st.integers(-1, 2**62),
            st.none() | st.integers(0, 10**9),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_whatever_was_seen_there_is_an_answer(points):
    traffic_samples = [
        TrafficSample(at, s.A, "run", ops, clients, offset, changes)
        for at, ops, clients, offset, changes in sorted(points, key=lambda one: one[0])
    ]
    found = quiescence(traffic_samples, s.NOW, (NIGHT,), "UTC")
    assert found.words
    assert not any("-" in one.split(": ", 1)[1] for one in found.figures[:3] if not one.startswith("quiet hours"))
    assert not found.advice or "wait" in found.advice


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_the_median_has_as_many_below_as_above(values):
    middle = median(values)
    assert sum(one < middle for one in values) <= len(values) / 2
    assert sum(one > middle for one in values) <= len(values) / 2


# --- quiet hours --------------------------------------------------------------------------------------------------


def at(hour, minute=0):
    return datetime(2026, 11, 21, hour, minute, tzinfo=UTC).timestamp()


def test_within_quiet_hours():
    lines, outside = quiet_words((NIGHT,), "UTC", at(3, 30))
    assert lines == ("quiet hours: 02:00-05:00; it is 03:30 UTC, they last 90 min more",)
    assert outside == ""


def test_outside_quiet_hours_the_next_are_named():
    found = quiescence(watched((270, 3, 10)), at(20), (NIGHT, OVER_MIDNIGHT), "UTC")
    assert found.level is Level.QUIET
    assert found.advice.startswith(
        "quiet hours are 02:00-05:00, 23:00-01:00, and it is 20:00 UTC: the next begin in 3 h"
    )


def test_the_zone_counts():
    assert quiet_words((NIGHT,), "Europe/Berlin", at(1, 30))[1] == ""
    assert quiet_words((NIGHT,), "UTC", at(1, 30))[1] != ""
    assert quiet_words((NIGHT,), "No/Such", at(3))[1] == "", "a zone that has gone counts as UTC"
    assert quiet_words((), "UTC", at(3)) == ((), "")
    assert quiet_words((NIGHT,), "", at(3))[0], "this machine's own zone"


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_a_minute_is_quiet_in_the_hours_or_in_the_rest_of_the_day(start, end, minute):
    if start != end:
        assert is_quiet(QuietHours(start, end), minute) != is_quiet(QuietHours(end, start), minute)
