"""What must be true of a run whatever events come, in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from run_events import START, events

from console.core.runs.advance import advance
from console.core.runs.events import (
    AnswerReceived,
    ConditionsChecked,
    IntentWritten,
    OperatorAnswered,
    OperatorAsked,
    RunEnded,
    StepBegan,
    StepEnded,
    VerificationBegan,
)
from console.core.runs.state import FINAL_STATUSES, PASSED_STATUSES, Outcome, StepStatus


@given(st.lists(events, max_size=40))
def test_invariants(stream):
    state = START
    for event in stream:
        before, state = state, advance(state, event)
        if before.outcome is not Outcome.RUNNING:
            assert state == before, "a run that ended stays as it is"
        for old, new in zip(before.steps, state.steps, strict=True):
            if old.status in FINAL_STATUSES:
                assert new == old, "a final step stays as it is"
            if new.status is StepStatus.SENDING and old.status is not StepStatus.SENDING:
                assert isinstance(event, IntentWritten), "nothing is sent without its intent on disk"
            if new.status is StepStatus.DONE and old.status is not StepStatus.DONE:
                assert old.status is StepStatus.VERIFYING, "done is proved"
            if new.status is not old.status:
                assert old.status is not StepStatus.WAITING or isinstance(event, StepBegan)
        started = [one.status for one in state.steps if one.status is not StepStatus.WAITING]
        assert all(status in PASSED_STATUSES for status in started[:-1]), "one step at a time"
        assert (state.waiting_until is None) or state.outcome is Outcome.RUNNING
    if state.outcome is Outcome.DONE:
        assert all(one.status in PASSED_STATUSES for one in state.steps)


def through(*stream):
    state = START
    for event in stream:
        state = advance(state, event)
    return state


def test_the_usual_way():
    state = through(
        StepBegan(0, 1.0),
        ConditionsChecked(0, 1.5, ()),
        OperatorAsked(0, 2.0),
        OperatorAnswered(0, 40.0),
        ConditionsChecked(0, 41.0, ()),
        IntentWritten(0, 42.0, "redis-a> x"),
        AnswerReceived(0, "done"),
        VerificationBegan(0, 44.0, 9.0),
    )
    assert state.steps[0].output == ("redis-a> x", "done")
    assert (state.current, state.waiting_until) == (0, 9.0)
    ended = advance(state, StepEnded(0, StepStatus.DONE, "proved", 3.0))
    assert ended.steps[0].status is StepStatus.DONE
    assert ended.waiting_until is None
    assert advance(ended, StepBegan(1, 4.0)).current == 1


def test_a_step_that_was_refused_is_not_passed():
    state = through(StepBegan(0, 1.0), StepEnded(0, StepStatus.REFUSED, "", 2.0), StepBegan(1, 3.0))
    assert state.steps[1].status is StepStatus.WAITING
    assert advance(state, RunEnded(Outcome.DONE, "")).outcome is Outcome.RUNNING
