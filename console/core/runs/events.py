"""The events that move a run on. `advance` applies them."""

from __future__ import annotations

from dataclasses import dataclass

from console.core.command import Planned
from console.core.model.verdict import Check
from console.core.runs.by_hand import HandWork
from console.core.runs.ending import EndSection
from console.core.runs.state import Outcome, StepAssessment, StepStatus


@dataclass(frozen=True, slots=True)
class StepBegan:
    """A step began: the run looks at its conditions."""

    index: int
    at: float


@dataclass(frozen=True, slots=True)
class ConditionsChecked:
    """The step's conditions were evaluated on a new observation, and its commands were made from it."""

    index: int
    at: float
    checks: tuple[Check, ...]
    planned: tuple[Planned, ...] = ()
    by_hand: tuple[HandWork, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatorAsked:
    """The operator sees a question."""

    index: int
    at: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class OperatorAnswered:
    """The operator has answered: no question is open any more."""

    index: int
    at: float


@dataclass(frozen=True, slots=True)
class IntentWritten:
    """The intent to send one command is on disk. Only this event leads to `sending`."""

    index: int
    at: float
    line: str


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The result of the command that was sent."""

    index: int
    line: str


@dataclass(frozen=True, slots=True)
class ProgressReported:
    """How far a long command is. It says nothing about its end."""

    index: int
    line: str


@dataclass(frozen=True, slots=True)
class VerificationBegan:
    """Nothing more is sent. The run looks for the proof until the deadline."""

    index: int
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class ProofsChecked:
    """The conditions that prove the step were evaluated on a new observation."""

    index: int
    proofs: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step reached a final status."""

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
    ending: tuple[EndSection, ...] = ()


StepEvent = (
    StepBegan
    | ConditionsChecked
    | OperatorAsked
    | OperatorAnswered
    | IntentWritten
    | AnswerReceived
    | ProgressReported
    | VerificationBegan
    | ProofsChecked
    | StepEnded
)
Event = StepEvent | StepsAssessed | RunEnded
