"""A moment's silence during a run: it is waited out, nobody is asked about it, and nothing is refused for it."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import samples
from fakes import A, B, ScriptedOperator, Stage
from hypothesis import given, settings
from hypothesis import strategies as st

from console.core.model import ClusterState, ProblemKind, Reading, unread
from console.core.runs.question import QuestionKind
from console.core.runs.state import Outcome
from console.engine.steps.step_run import SILENCE_PATIENCE

SILENT = st.sampled_from([ProblemKind.TIMEOUT, ProblemKind.CLOSED, ProblemKind.CONNECTING])


def without_ssh(state: ClusterState, name: str, kind: ProblemKind) -> ClusterState:
    """Nothing that comes over SSH is known of the node; its Redis answers by itself."""
    node = state.node(name)
    readings = {one.name: getattr(node, one.name) for one in fields(node) if one.name != "redis"}
    gone = {name: unread(kind) for name, value in readings.items() if isinstance(value, Reading)}
    return samples.with_node(state, name, **gone)


def run_with(silences):
    """A rebuild in which look number N does not hear from a node, for each (N, node, problem)."""
    stage = Stage()
    looks = iter(range(10_000))
    real = stage.pair.look

    def look():
        state, number = real(), next(looks)
        for at, name, kind in silences:
            if at == number:
                state = without_ssh(state, name, kind)
        return replace(state, observed_at=stage.clock.now())

    stage.pair.look = look
    operator = ScriptedOperator()
    return stage, stage.run(operator), operator


def test_without_silence_the_run_is_the_measure():
    stage, run, operator = run_with([])
    assert run.outcome is Outcome.DONE
    assert not [one for one in operator.questions if one.kind is QuestionKind.BLOCKED]
    assert len(stage.actuator.texts) == 9


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 45), st.sampled_from([A, B]), SILENT), min_size=1, max_size=12))
def test_moments_of_silence_ask_nobody_and_refuse_nothing(silences):
    plain, _, quiet = run_with([])
    stage, run, operator = run_with(silences)
    assert run.outcome is Outcome.DONE, run.message
    assert [one.kind for one in operator.questions] == [one.kind for one in quiet.questions]
    assert not [one for one in operator.questions if one.differences or one.refused]
    assert len(stage.actuator.texts) == len(plain.actuator.texts)


def test_a_silence_that_does_not_end_is_asked_about_after_its_patience():
    stage, run, operator = run_with([(at, B, ProblemKind.TIMEOUT) for at in range(5_000)])
    assert operator.questions[0].kind is QuestionKind.BLOCKED
    assert run.outcome is Outcome.ABORTED
    assert SILENCE_PATIENCE <= stage.clock.now() - samples.NOW < 2 * SILENCE_PATIENCE
    waiting = [one for one in operator.told if "looking again by itself" in str(one.steps[0])]
    assert waiting, "the screen says what is waited for"
