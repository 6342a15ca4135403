"""What a run and its steps do at this moment, in words: one source for the screen, the plain mode and the end of a run.

Every word here is derived from the state of the run, so that none can outlive what it speaks of.
"""

from __future__ import annotations

from enum import StrEnum

from console.core.quantities import counted, span
from console.core.runbooks.verbs import VERBS
from console.core.runs.by_hand import BY_HAND
from console.core.runs.records.recorded import skipped_by_operator
from console.core.runs.state import FINAL_STATUSES, Outcome, RunState, StepState, StepStatus


class Activity(StrEnum):
    """What a run does now. The value is how a screen says it."""

    BEGINS = "begins"
    """No step has begun, or the next one has not."""
    LOOKS = "looking"
    """It observes, and nobody is asked."""
    ASKS = "waits for your answer"
    SENDS = "sending"
    PROVES = "waits for the proof"
    ENDED = "ended"


_ACTIVITIES = {
    StepStatus.CHECKING: Activity.LOOKS,
    StepStatus.ASKING: Activity.ASKS,
    StepStatus.SENDING: Activity.SENDS,
    StepStatus.VERIFYING: Activity.PROVES,
}


def activity(run: RunState) -> Activity:
    """What the run does now, by its current step."""
    if run.outcome is not Outcome.RUNNING:
        return Activity.ENDED
    if run.current is None:
        return Activity.BEGINS
    return _ACTIVITIES.get(run.steps[run.current].status, Activity.BEGINS)


def can_stop_waiting(run: RunState) -> bool:
    """Whether the run waits for something other than an answer: a proof, or a server that is silent."""
    doing = activity(run)
    silent = doing is Activity.LOOKS and run.current is not None and bool(run.steps[run.current].note)
    return doing is Activity.PROVES or silent


def tally(run: RunState) -> str:
    """`11 of 14 steps done, 2 needed nothing, 1 skipped`: a step that sent nothing does not count as done."""
    needless, skipped = _passed_over(run)
    parts = [f"{_number(run, StepStatus.DONE)} of {counted(len(run.steps), 'step')} done"]
    parts += [f"{needless} needed nothing"] if needless else []
    parts += [f"{skipped} skipped"] if skipped else []
    return ", ".join(parts)


def success_in_words(run: RunState) -> str:
    """What a run that ended well has done, as a sentence without its full stop."""
    done = [one for one in run.steps if one.status is StepStatus.DONE]
    proved = [one for one in done if one.step.verify]
    needless, skipped = _passed_over(run)
    parts = [f"{_are(len(proved))} done and proved"] if proved else []
    if unproved := len(done) - len(proved):
        parts.append(f"{_are(unproved)} done and {'has' if unproved == 1 else 'have'} nothing that proves it")
    if needless:
        parts.append(f"{counted(needless, 'step')} needed nothing")
    if skipped:
        parts.append(f"{counted(skipped, 'step')} {'was' if skipped == 1 else 'were'} skipped by the operator")
    return ", ".join(parts) or "there was no step"


def duration(one: StepState, now: float) -> str:
    """For how long the step has had its status; of a step that ended, how long it took. Empty: it has not begun."""
    if one.started_at is None:
        return ""
    if one.ended_at is not None:
        return f"after {span(max(0.0, one.ended_at - one.started_at))}"
    return f"for {span(max(0.0, now - (one.since if one.since is not None else one.started_at)))}"


def commands_heading(one: StepState) -> str:
    """The heading above the commands of the step."""
    if one.status in FINAL_STATUSES and one.planned and not one.output:
        return "Commands, not sent"
    return "Commands"


def no_commands_in_words(one: StepState) -> str:
    """Why the step has no commands to show, in one sentence."""
    action = one.step.action
    if action is None:
        return "Sends nothing: it only looks."
    if action.verb in BY_HAND:
        return "Sends nothing: it is done by hand."
    if one.output:
        return "Sent by the console that began the run: see its output."
    if one.status in FINAL_STATUSES:
        return "Nothing was sent."
    if one.status is StepStatus.WAITING:
        verb = VERBS.get(action.verb)
        return f"Its commands are made when its turn comes. {verb.doc if verb else ''}".rstrip()
    if one.status is StepStatus.CHECKING:
        return "Its commands are not made yet: the run looks first."
    if one.status is StepStatus.VERIFYING:
        return "Nothing is sent now: the run waits for the proof."
    return "Its commands cannot be made now: see what does not hold."


def _passed_over(run: RunState) -> tuple[int, int]:
    """How many steps needed nothing, and how many the operator has skipped."""
    passed = [one for one in run.steps if one.status is StepStatus.SKIPPED]
    skipped = sum(skipped_by_operator(one.note) for one in passed)
    return len(passed) - skipped, skipped


def _number(run: RunState, status: StepStatus) -> int:
    return sum(one.status is status for one in run.steps)


def _are(number: int) -> str:
    return f"{counted(number, 'step')} {'is' if number == 1 else 'are'}"
