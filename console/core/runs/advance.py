"""How an event moves a run on: two tables say what may happen when, and `advance` applies one event.

waiting → checking → asking → checking → sending → verifying → done
              ╰→ skipped  (refused, stopped, failed and unknown are reached from every status between)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from console.core.runs.events import (
    AnswerReceived,
    ConditionsChecked,
    Event,
    IntentWritten,
    OperatorAnswered,
    OperatorAsked,
    ProgressReported,
    ProofsChecked,
    RunEnded,
    StepBegan,
    StepEnded,
    StepEvent,
    StepsAssessed,
    VerificationBegan,
)
from console.core.runs.state import FINAL_STATUSES, PASSED_STATUSES, Outcome, RunState, StepState, StepStatus

_S = StepStatus
_ALLOWED: Mapping[type[StepEvent], frozenset[StepStatus]] = {
    # Event → statuses of a step in which it may happen. Anything else is ignored.
    # A step begins once.
    StepBegan: frozenset({_S.WAITING}),
    # Conditions are evaluated before each question, and again after it: the answer was given, or a name was mistyped.
    # They are evaluated while a step waits for its proof, too, as long as nothing of it was sent: then its skip
    # condition may hold meanwhile.
    ConditionsChecked: frozenset({_S.CHECKING, _S.ASKING, _S.VERIFYING}),
    # A question comes before sending, and after anything that went wrong: no answer, a bad answer, no proof in time.
    OperatorAsked: frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING}),
    # From the answer on the step is looked at, whatever was chosen: a step that asks has an open question.
    OperatorAnswered: frozenset({_S.ASKING}),
    # A step of several commands writes an intent for each. After `verifying` nothing is sent without a new question.
    IntentWritten: frozenset({_S.CHECKING, _S.SENDING}),
    # Only what was sent is answered.
    AnswerReceived: frozenset({_S.SENDING}),
    # While it is sent; and while it is looked at again because something gave no answer.
    ProgressReported: frozenset({_S.CHECKING, _S.SENDING}),
    # Straight from `checking` where a step sends nothing; from `asking` where the operator looks again.
    VerificationBegan: frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING}),
    ProofsChecked: frozenset({_S.VERIFYING}),
    # A step can end from every status that is not final. `_MAY_END` says how.
    StepEnded: frozenset(_S) - FINAL_STATUSES - {_S.WAITING},
}
_MAY_END: Mapping[StepStatus, frozenset[StepStatus]] = {
    # Final status → statuses from which it can be reached.
    # Done is proved: it comes from looking, never from an answer alone.
    _S.DONE: frozenset({_S.VERIFYING}),
    # It was done already, or the operator skipped it. From `sending` where the answer is that it was not carried out,
    # and nothing relies on it. Never while a command is under way.
    _S.SKIPPED: frozenset({_S.CHECKING, _S.ASKING, _S.SENDING}),
    # Nothing was carried out: the console refused the step, or the operator gave it up before that.
    _S.REFUSED: frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING}),
    _S.STOPPED: frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING}),
    _S.FAILED: frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING}),
    # A command was sent and its result is not known.
    _S.UNKNOWN: frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING}),
}


def advance(state: RunState, event: Event) -> RunState:
    """The run after the event. An event that is not allowed here changes nothing: what is final stays final."""
    if state.outcome is not Outcome.RUNNING:
        return state
    if isinstance(event, RunEnded):
        return _end_run(state, event)
    if isinstance(event, StepsAssessed):
        return replace(state, assessments=event.assessments)
    if not 0 <= event.index < len(state.steps):
        return state
    step = state.steps[event.index]
    if step.status not in _ALLOWED[type(event)]:
        return state
    if isinstance(event, StepBegan):
        return _begin_step(state, event)
    changed = _since(step, _change_step(step, event), event)
    until = event.until if isinstance(event, VerificationBegan) else state.waiting_until
    if changed.status is not StepStatus.VERIFYING:
        until = None
    return replace(state, steps=_steps_with(state, event.index, changed), waiting_until=until)


def _begin_step(state: RunState, event: StepBegan) -> RunState:
    """A step begins only after every step before it was done or skipped."""
    if any(one.status not in PASSED_STATUSES for one in state.steps[: event.index]):
        return state
    step = replace(state.steps[event.index], status=StepStatus.CHECKING, started_at=event.at, since=event.at)
    return replace(state, steps=_steps_with(state, event.index, step), current=event.index)


def _since(before: StepState, after: StepState, event: StepEvent) -> StepState:
    """The step with the time of its status. Each command begins anew: what is read between two is not sending."""
    if isinstance(event, AnswerReceived | ProgressReported | ProofsChecked):
        return after
    sent = isinstance(event, IntentWritten) and after is not before
    return replace(after, since=event.at) if sent or after.status is not before.status else after


def _change_step(step: StepState, event: StepEvent) -> StepState:
    match event:
        case ConditionsChecked() if step.output and step.status is StepStatus.VERIFYING:
            return step
        case ConditionsChecked():
            return replace(
                step,
                status=StepStatus.CHECKING,
                note="",
                checks=event.checks,
                planned=event.planned,
                by_hand=event.by_hand,
            )
        case OperatorAsked():
            return replace(step, status=StepStatus.ASKING, note=event.note)
        case OperatorAnswered():
            return replace(step, status=StepStatus.CHECKING, note="")
        case IntentWritten() | AnswerReceived():
            return replace(step, status=StepStatus.SENDING, note="", output=(*step.output, event.line))
        case ProgressReported():
            return replace(step, note=event.line)
        case VerificationBegan():
            return replace(step, status=StepStatus.VERIFYING, note="")
        case ProofsChecked():
            return replace(step, proofs=event.proofs)
        case StepEnded() if step.status in _MAY_END.get(event.status, frozenset()):
            return replace(step, status=event.status, note=event.note, ended_at=event.at)
        case _:
            return step


def _end_run(state: RunState, event: RunEnded) -> RunState:
    """A run is done only when each of its steps was done or skipped."""
    if event.outcome is Outcome.RUNNING:
        return state
    if event.outcome is Outcome.DONE and any(one.status not in PASSED_STATUSES for one in state.steps):
        return state
    return replace(
        state, outcome=event.outcome, message=event.message, ending=event.ending, current=None, waiting_until=None
    )


def _steps_with(state: RunState, index: int, step: StepState) -> tuple[StepState, ...]:
    return (*state.steps[:index], step, *state.steps[index + 1 :])
