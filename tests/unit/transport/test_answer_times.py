"""How long a server's next answer is waited for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.transport.connections.answer_times import LONGEST_DEADLINE, SHORTEST_DEADLINE, AnswerTimes


def after(*seconds):
    times = AnswerTimes()
    for one in seconds:
        times.add(one)
    return times


@given(st.lists(st.floats(0, 100), max_size=40))
def test_an_answer_as_slow_as_the_last_ones_is_waited_for_within_the_bounds(seconds):
    times = after(*seconds)
    assert SHORTEST_DEADLINE <= times.deadline <= LONGEST_DEADLINE
    assert times.deadline >= min(LONGEST_DEADLINE, max(seconds[-20:], default=0.0))
    assert times.give_up > times.deadline


def test_a_server_that_is_quick_again_is_soon_taken_for_quick():
    assert after(4.0).deadline == 8.0
    assert after(4.0, *[0.1] * 20).deadline == SHORTEST_DEADLINE
