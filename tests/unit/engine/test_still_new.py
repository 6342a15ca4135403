"""The last look of a step serves the next one too, where another look would tell nothing new."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import samples
from fakes import ScriptedOperator, Stage

from console.core.runs.state import Outcome, StepStatus
from console.engine.steps.recorder import STILL_NEW, RunRecorder


def recorder():
    journal = SimpleNamespace(append=lambda kind, data: None, entries=())
    return RunRecorder(None, journal, ScriptedOperator())  # type: ignore[arg-type]


def at(seconds):
    return SimpleNamespace(now=lambda: samples.NOW + seconds)


def test_it_is_new_until_its_time_is_over_or_something_is_sent():
    record, state = recorder(), replace(samples.failed_over_pair(), observed_at=samples.NOW)
    assert record.still_new(at(0)) is None, "nothing was looked at"
    record.show(state)
    assert record.still_new(at(STILL_NEW)) is state
    assert record.still_new(at(STILL_NEW + 0.01)) is None
    assert record.still_new(at(-0.01)) is None, "the clock was set back: its age is not known"
    record.record("decided", {})
    assert record.still_new(at(0)) is state
    record.record("intent", {})
    assert record.still_new(at(0)) is None
    record.record("result", {})
    assert record.still_new(at(0)) is None, "what was sent may have changed it"
    record.show(state)
    assert record.still_new(at(0)) is state


def looks_of_a_run(seconds_an_answer):
    """How often a whole rebuild looks. The operator takes this long for each answer."""
    stage, looks = Stage(), []
    real = stage.pair.look
    stage.pair.look = lambda: looks.append(1) or replace(real(), observed_at=stage.clock.now())
    operator = ScriptedOperator()
    decide = operator.decide

    def slowly(question):
        stage.clock.sleep(seconds_an_answer)
        return decide(question)

    operator.decide = slowly
    run = stage.run(operator)
    assert run.outcome is Outcome.DONE, run.message
    return len(looks), run


def test_a_step_is_looked_at_again_after_its_question_whatever_time_that_took():
    quick, run = looks_of_a_run(0.0)
    asked = [one for one in run.steps if one.planned and one.status is StepStatus.DONE]
    # One look at the beginning; after each question one before anything is sent, and one that proves it.
    assert quick >= 1 + 2 * len(asked)
    assert quick < 1 + 3 * len(asked), "each step has a first look of its own again"
    slow, _ = looks_of_a_run(10.0)
    assert slow == quick, "an answer that took long is followed by a look in any case"
