"""A run of a runbook as a value: what each step stands at, what is asked, what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from console.core.command import Planned
from console.core.model.verdict import Check
from console.core.runbooks.document import GateKind, Runbook, Step

if TYPE_CHECKING:  # all rules would come with it, and lists of past runs need none of them
    from console.core.previews.loss_preview import LossPreview


class StepStatus(StrEnum):
    """Where a step stands. The last five are final."""

    WAITING = "waiting"
    CHECKING = "checking"
    ASKING = "asking"
    SENDING = "sending"
    VERIFYING = "verifying"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How a run ended. Only `done` is success."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StepState:
    """A step and all that is known of it so far."""

    step: Step
    node: str
    """The node its role is bound to."""
    status: StepStatus = StepStatus.WAITING
    checks: tuple[Check, ...] = ()
    """Its preconditions on the newest observation (skip conditions, where it was skipped)."""
    planned: tuple[Planned, ...] = ()
    """The exact commands; empty until the step is reached, or where it sends nothing."""
    output: tuple[str, ...] = ()
    """What was sent and answered, line by line."""
    proofs: tuple[Check, ...] = ()
    """Its `verify` conditions on the newest observation."""
    note: str = ""
    """Why it is where it is: the refusal, the failure and its advice, the reason of a skip."""
    started_at: float | None = None
    ended_at: float | None = None


class AssessmentKind(StrEnum):
    """What a resumed run believes of a step before it goes on."""

    OBSERVED = "done by observation"
    """The journal says that it was done or skipped, and the servers show it now."""
    JOURNAL = "done by the journal alone"
    """Its effect cannot be seen on the servers (or not any more): only the journal says that it was done."""
    SKIPPED = "skipped"
    """The operator passed over it."""
    OPEN = "open"
    """Not begun, or not so any more: it is gone through as in a new run."""
    UNKNOWN = "UNKNOWN"
    """A command was sent, or may have been, and its end is not known: observation decides, or the operator."""


@dataclass(frozen=True, slots=True)
class StepAssessment:
    """What is believed of one step, and why."""

    index: int
    """Of the step."""
    kind: AssessmentKind
    why: str
    command: str = ""
    """`NODE> COMMAND` whose answer was never recorded, for UNKNOWN."""


@dataclass(frozen=True, slots=True)
class RunState:
    """A whole run at one moment."""

    run_id: str
    cluster: str
    runbook: Runbook
    roles: Mapping[str, str]
    """Role → node."""
    steps: tuple[StepState, ...]
    current: int | None = None
    """Index of the step under way; None before the first and after the last."""
    outcome: Outcome = Outcome.RUNNING
    message: str = ""
    """The last line of the story: why it ended as it did."""
    journal: str = ""
    """Folder of the journal."""
    waiting_until: float | None = None
    """Deadline of the verification under way, epoch seconds."""
    resumed: bool = False
    """It was begun by a console that ended before the run did."""
    assessments: tuple[StepAssessment, ...] = ()
    """Of a resumed run, once it has looked: one a step, in their order."""


class QuestionKind(StrEnum):
    """What the operator is asked. What is safe is the default answer of each."""

    CONFIRM = "confirm"
    TYPE_NAME = "type-name"
    BLOCKED = "blocked"
    """A precondition does not hold: look again, skip (where the step can be skipped) or abort. Nothing is forced, but
    for what `core.runbooks.hazards` lets an operator override in words: then `Question.sentence` is to be typed."""
    TROUBLE = "trouble"
    """The step failed or its outcome is unknown: look again, retry where that is safe, or abort."""


class Choice(StrEnum):
    """What the operator can answer."""

    RUN = "run"
    SKIP = "skip"
    ABORT = "abort"
    LOOK_AGAIN = "look again"
    OVERRIDE = "override"
    """Takes the loss that was shown, by the whole sentence. The step's own gate still follows."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is put before the operator, with everything the answer rests on."""

    kind: QuestionKind
    index: int
    """Of the step."""
    step: Step
    node: str
    gate: GateKind
    planned: tuple[Planned, ...]
    checks: tuple[Check, ...]
    evidence: tuple[str, ...]
    """The material facts about the nodes concerned, one a line."""
    preview: LossPreview | None
    differences: tuple[str, ...]
    """What changed since it was shown last: why the gate closed again. Empty at the first time."""
    digest: str
    """Of the material facts shown; the decision carries it back."""
    observed_at: float
    choices: tuple[Choice, ...]
    """What can be chosen, the safe one first."""
    reason: str = ""
    """Why it is asked, for BLOCKED and TROUBLE."""
    sentence: str = ""
    """What has to be typed, word for word, for OVERRIDE; empty where nothing can be overridden."""
    ways: tuple[str, ...] = ()
    """For TROUBLE: everything that can be done now, a line each, beginning with the word of it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the operator answered to which question."""

    choice: Choice
    digest: str
    typed: str = ""
    """The name, or the sentence of an override, as it was typed."""


# --- how a run moves on -------------------------------------------------------------------------------------------

FINAL_STATUSES = frozenset(
    {StepStatus.DONE, StepStatus.SKIPPED, StepStatus.FAILED, StepStatus.REFUSED, StepStatus.UNKNOWN}
)
PASSED_STATUSES = frozenset({StepStatus.DONE, StepStatus.SKIPPED})
"""After these the next step may begin; after any other final status the run ends."""


@dataclass(frozen=True, slots=True)
class StepReached:
    """A step began: the run looks at its conditions."""

    index: int
    at: float


@dataclass(frozen=True, slots=True)
class ConditionsChecked:
    """Its conditions were evaluated on a new observation, and the commands rendered from it."""

    index: int
    checks: tuple[Check, ...]
    planned: tuple[Planned, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatorAsked:
    """A question stands before the operator."""

    index: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class IntentWritten:
    """The intent to send one command is on disk: the only way to `sending`."""

    index: int
    line: str


@dataclass(frozen=True, slots=True)
class AnswerCame:
    """What became of the command that was sent."""

    index: int
    line: str


@dataclass(frozen=True, slots=True)
class ProgressTold:
    """How far a command is that takes long. It says nothing of its end."""

    index: int
    line: str


@dataclass(frozen=True, slots=True)
class VerificationBegan:
    """Nothing more is sent; the proof is looked for until the deadline."""

    index: int
    until: float


@dataclass(frozen=True, slots=True)
class ProofsSeen:
    """The conditions that prove the step, on a new observation."""

    index: int
    proofs: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step is over, one way or the other."""

    index: int
    status: StepStatus
    note: str
    at: float


@dataclass(frozen=True, slots=True)
class StepsAssessed:
    """A resumed run has read its journal and looked at the servers."""

    assessments: tuple[StepAssessment, ...]


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over."""

    outcome: Outcome
    message: str


StepEvent = (
    StepReached
    | ConditionsChecked
    | OperatorAsked
    | IntentWritten
    | AnswerCame
    | ProgressTold
    | VerificationBegan
    | ProofsSeen
    | StepEnded
)
Event = StepEvent | StepsAssessed | RunEnded

_S = StepStatus
_LEGAL: tuple[tuple[type[StepEvent], frozenset[StepStatus]], ...] = (
    # What may happen while a step stands where. Whatever is not in here is passed over.
    # A step is reached once.
    (StepReached, frozenset({_S.WAITING})),
    # Conditions are looked at before each question, and again after it: an answer given, a name mistyped. While a step
    # waits, too, as long as nothing of it was sent: it may not be needed any more.
    (ConditionsChecked, frozenset({_S.CHECKING, _S.ASKING, _S.VERIFYING})),
    # A question comes before sending, and after whatever went wrong: no answer, the wrong one, no proof in time.
    (OperatorAsked, frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING})),
    # A step of several commands writes an intent for each; after `verifying` nothing is sent without a new question.
    (IntentWritten, frozenset({_S.CHECKING, _S.SENDING})),
    # Only what was sent is answered.
    (AnswerCame, frozenset({_S.SENDING})),
    (ProgressTold, frozenset({_S.SENDING})),
    # Straight from `checking` where a step sends nothing; from `asking` when the operator looks again.
    (VerificationBegan, frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING})),
    (ProofsSeen, frozenset({_S.VERIFYING})),
    # Every status but the final ones can end; `_may_end` says how.
    (StepEnded, frozenset(_S) - FINAL_STATUSES - {_S.WAITING}),
)
_MAY_END: Mapping[StepStatus, frozenset[StepStatus]] = {
    # Done is proved: it comes from looking, never from an answer alone.
    _S.DONE: frozenset({_S.VERIFYING}),
    # Already true, or the operator's choice; never with something under way.
    _S.SKIPPED: frozenset({_S.CHECKING, _S.ASKING}),
    # Nothing was carried out: it was refused, or given up, before that.
    _S.REFUSED: frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING}),
    _S.FAILED: frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING}),
    # Something was sent and its end is not known.
    _S.UNKNOWN: frozenset({_S.CHECKING, _S.ASKING, _S.SENDING, _S.VERIFYING}),
}


def begin(run_id: str, cluster: str, runbook: Runbook, roles: Mapping[str, str], *, journal: str = "") -> RunState:
    """A run before its first step."""
    steps = tuple(StepState(step=step, node=roles.get(step.role, "")) for step in runbook.steps)
    return RunState(run_id=run_id, cluster=cluster, runbook=runbook, roles=roles, steps=steps, journal=journal)


def advance(state: RunState, event: Event) -> RunState:
    """The run after the event. An event that cannot happen here changes nothing: late news never undo what is final."""
    if state.outcome is not Outcome.RUNNING:
        return state
    if isinstance(event, RunEnded):
        return _ended(state, event)
    if isinstance(event, StepsAssessed):
        return replace(state, assessments=event.assessments)
    if not 0 <= event.index < len(state.steps):
        return state
    step = state.steps[event.index]
    if step.status not in dict(_LEGAL)[type(event)]:
        return state
    if isinstance(event, StepReached):
        if any(one.status not in PASSED_STATUSES for one in state.steps[: event.index]):
            return state
        moved = replace(step, status=StepStatus.CHECKING, started_at=event.at)
        return replace(_with(state, event.index, moved), current=event.index)
    changed = _moved(step, event)
    until = event.until if isinstance(event, VerificationBegan) else state.waiting_until
    if changed.status is not StepStatus.VERIFYING:
        until = None
    return replace(_with(state, event.index, changed), waiting_until=until)


def _moved(step: StepState, event: StepEvent) -> StepState:
    match event:
        case ConditionsChecked() if step.output and step.status is StepStatus.VERIFYING:
            return step
        case ConditionsChecked():
            return replace(step, status=StepStatus.CHECKING, checks=event.checks, planned=event.planned)
        case OperatorAsked():
            return replace(step, status=StepStatus.ASKING, note=event.note)
        case IntentWritten():
            return replace(step, status=StepStatus.SENDING, note="", output=(*step.output, event.line))
        case AnswerCame():
            return replace(step, note="", output=(*step.output, event.line))
        case ProgressTold():
            return replace(step, note=event.line)
        case VerificationBegan():
            return replace(step, status=StepStatus.VERIFYING, note="")
        case ProofsSeen():
            return replace(step, proofs=event.proofs)
        case StepEnded() if step.status in _MAY_END.get(event.status, frozenset()):
            return replace(step, status=event.status, note=event.note, ended_at=event.at)
        case _:
            return step


def _ended(state: RunState, event: RunEnded) -> RunState:
    """A run is done only when each of its steps is; nothing else may call itself that."""
    if event.outcome is Outcome.RUNNING:
        return state
    if event.outcome is Outcome.DONE and any(one.status not in PASSED_STATUSES for one in state.steps):
        return state
    return replace(state, outcome=event.outcome, message=event.message, current=None, waiting_until=None)


def _with(state: RunState, index: int, step: StepState) -> RunState:
    return replace(state, steps=(*state.steps[:index], step, *state.steps[index + 1 :]))
