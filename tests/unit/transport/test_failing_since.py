"""Since when a server fails is told only if it had answered before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.core.model import ProblemKind, read, unread
from console.transport.connections.failing_since import FailingSince


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_the_time_is_that_of_the_first_failure_after_the_last_answer(answers):
    failing, last, first = FailingSince(), None, None
    for at, answered in enumerate(answers, start=1):
        reading = read("x", at) if answered else unread(ProblemKind.REFUSED, "refused", at)
        noted = failing.noted(reading)
        last, first = (at, None) if answered else (last, first or at)
        assert noted.at == at
        assert noted.ok is answered
        if not answered:
            assert noted.problem.kind is ProblemKind.REFUSED
            assert noted.problem.since == (first if last is not None else None)
            first = None if last is None else first
