"""Since when a source is silent: the first question without an answer, whatever connection it was asked on."""

from __future__ import annotations

import pytest

from console.core.model import Problem, ProblemKind
from console.transport.connections.inspection_thread import Unanswered

WENT_ON = {ProblemKind.TIMEOUT, ProblemKind.CONNECTING, ProblemKind.NOT_READ}
FROZEN, LATER = 1_795_246_800.0, 1_795_246_823.0


def test_the_time_stays_that_of_the_first_question_until_an_answer_comes():
    source = Unanswered()
    first = source.in_words("Redis on redis-a", FROZEN)
    assert first == "Redis on redis-a has not answered since 07:40:00 UTC"
    assert source.in_words("Redis on redis-a", LATER) == first
    source.ended()
    assert "07:40:23" in source.in_words("Redis on redis-a", LATER)


@pytest.mark.parametrize("kind", list(ProblemKind))
def test_only_silence_goes_on_over_a_new_connection(kind):
    source = Unanswered()
    source.in_words("it", FROZEN)
    source.ended(Problem(kind, "why"))
    assert ("07:40:00" in source.in_words("it", LATER)) is (kind in WENT_ON)
