"""What a run says of itself is so at that moment, whatever happens in whatever order."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import pytest
import samples
from dying import Room, insist
from hypothesis import given
from hypothesis import strategies as st
from run_events import START, events
from walks import WALKS, walk
from world import World

from console.core.command import Planned, ShellCommand
from console.core.runbooks.document import Action, Step
from console.core.runbooks.verbs import VERBS, changes_something
from console.core.runs.advance import advance
from console.core.runs.by_hand import BY_HAND
from console.core.runs.events import IntentWritten
from console.core.runs.progress import (
    Activity,
    activity,
    can_stop_waiting,
    duration,
    no_commands_in_words,
    success_in_words,
    tally,
)
from console.core.runs.question import Choice
from console.core.runs.state import FINAL_STATUSES, Outcome, StepState, StepStatus

NUMBER = re.compile(r"\d+")


@given(st.lists(events, max_size=40))
def test_what_is_said_of_a_run_is_what_its_state_is(stream):
    state, begun = START, None
    for event in stream:
        before, state = state, advance(state, event)
        if isinstance(event, IntentWritten) and state is not before and state.steps != before.steps:
            begun = event.at
        step = state.steps[state.current] if state.current is not None else None
        doing = activity(state)
        assert (doing is Activity.ENDED) is (state.outcome is not Outcome.RUNNING)
        assert (doing is Activity.ASKS) is (step is not None and step.status is StepStatus.ASKING)
        assert (doing is Activity.SENDS) is (step is not None and step.status is StepStatus.SENDING)
        if doing in (Activity.ASKS, Activity.SENDS, Activity.ENDED, Activity.BEGINS):
            assert not can_stop_waiting(state), "nothing is waited for"
        if doing is Activity.SENDS:
            assert step is not None
            assert duration(step, begun + 30.0) == "for 30 s", "from the newest command on"
        done = sum(one.status is StepStatus.DONE for one in state.steps)
        skipped = sum(one.status is StepStatus.SKIPPED for one in state.steps)
        assert [int(one) for one in NUMBER.findall(tally(state))] == [done, 3, *([skipped] if skipped else [])]
        if state.outcome is Outcome.DONE:
            assert sum(int(one) for one in NUMBER.findall(success_in_words(state))) == 3, "each step once"


@pytest.mark.parametrize("status", StepStatus)
@pytest.mark.parametrize("verb", [None, *VERBS])
def test_only_a_step_that_can_never_send_says_that_it_sends_nothing(verb, status):
    action = None if verb is None else Action(verb)
    said = no_commands_in_words(StepState(Step("id", "title", "why", "role", action=action), "redis-a", status))
    assert said.startswith("Sends nothing") is not changes_something(action)
    assert ("only looks" in said) is (verb is None)
    assert ("by hand" in said) is (verb in BY_HAND)
    if said == "Nothing was sent.":
        assert status in FINAL_STATUSES


@pytest.mark.parametrize("name", WALKS)
def test_a_step_asks_exactly_while_its_question_is_open(name, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    room = walk(tmp_path, name)
    answered = []

    def answer(question):
        assert room.operator.told[-1].steps[question.index].status is StepStatus.ASKING
        answered.append(len(room.operator.told))
        return insist(question)

    ended = room.run(answer=answer)
    assert ended.outcome is Outcome.DONE, ended.message
    asking = [at for at, run in enumerate(room.operator.told) if activity(run) is Activity.ASKS]
    assert asking == [at - 1 for at in answered], "not a moment longer"


@pytest.mark.parametrize("name", WALKS)
def test_what_the_operator_stops_is_stopped_and_not_refused(name, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    room = walk(tmp_path, name)
    ended = room.run(answer=lambda question: insist(question).__class__(Choice.ABORT, question.digest))
    assert ended.outcome is Outcome.ABORTED
    assert "refused" not in {one.status.value for one in ended.steps}
    assert StepStatus.STOPPED in {one.status for one in ended.steps}


def test_writes_that_no_client_could_send_are_not_said_to_have_waited(tmp_path, monkeypatch):
    """The node that loses its data is not the one behind the virtual IP: nobody waited for it."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    ended = walk(tmp_path / "other", "resolve-dual-master").run(answer=insist)
    assert "could not write" not in ended.message, ended.message
    room = walk(tmp_path / "clients", "planned-switchover")
    room.pair.look = lambda: replace(room.pair.state, observed_at=room.clock.now())
    room.actuator.carry_out = lambda planned: (room.clock.sleep(0.5), room.pair.carry_out(planned))[1]
    ended = room.run(answer=insist)
    assert f"then {samples.A} took their writes" in ended.message, ended.message


def test_what_was_done_by_hand_between_question_and_answer_does_not_refuse_the_answer(tmp_path, monkeypatch):
    """It is what the step waits for: the run looks, finds it, and goes on."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    book = walk(tmp_path / "any", "one-shot-rebuild").runbook
    by_hand = replace(
        next(one for one in book.steps if one.id == "start-returning"),
        action=Action("manual", {"instruction": "Start it.", "command": "systemctl start redis-server"}),
    )
    steps = tuple(by_hand if one.id == by_hand.id else one for one in book.steps)
    room = Room(tmp_path / "runs", World(samples.failed_over_pair()), replace(book, steps=steps))

    def answer(question):
        if question.step.id == by_hand.id:
            assert question.by_hand[0].command == "systemctl start redis-server"
            command = ShellCommand("systemctl start redis-server")
            room.pair.carry_out(Planned(question.node, command, ""))
        return insist(question)

    ended = room.run(answer=answer)
    assert ended.outcome is Outcome.DONE, ended.message
    assert len(room.operator.asked(by_hand.id)) == 1
    assert not any("start redis" in text for text in room.actuator.texts)
