"""A run of a runbook as a value: what each step stands at, what is asked, what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from console.core.command import Planned
from console.core.predicate import Check
from console.core.resync import LossPreview
from console.core.runbook import GateKind, Runbook, Step


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


class QuestionKind(StrEnum):
    """What the operator is asked. What is safe is the default answer of each."""

    CONFIRM = "confirm"
    TYPE_NAME = "type-name"
    BLOCKED = "blocked"
    """A precondition does not hold: look again, skip (where the step can be skipped) or abort. Nothing is forced."""
    TROUBLE = "trouble"
    """The step failed or its outcome is unknown: look again, retry where that is safe, or abort."""


class Choice(StrEnum):
    """What the operator can answer."""

    RUN = "run"
    SKIP = "skip"
    ABORT = "abort"
    LOOK_AGAIN = "look again"


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


@dataclass(frozen=True, slots=True)
class Decision:
    """What the operator answered to which question."""

    choice: Choice
    digest: str
    typed: str = ""
    """The name as it was typed, at a gate that asks for it."""
