"""A run of a runbook as a value: where each step stands, and how the run ended."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from console.core.command import Planned
from console.core.lazy_dataclass import dataclass
from console.core.model.verdict import Check
from console.core.runbooks.document import Runbook, Step
from console.core.runbooks.naming import named

if TYPE_CHECKING:  # they would load every rule, and lists of past runs need none of them
    from console.core.runs.by_hand import HandWork
    from console.core.runs.ending import EndSection


class StepStatus(StrEnum):
    """Where a step stands. The last six are final."""

    WAITING = "waiting"
    CHECKING = "checking"
    ASKING = "asking"
    SENDING = "sending"
    VERIFYING = "verifying"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    REFUSED = "refused"
    """The console refused to send: without its journal or its lock, or because another server answered."""
    STOPPED = "stopped"
    """The operator ended the run here. No command of the step has failed, and none is without an answer."""
    UNKNOWN = "unknown"


FINAL_STATUSES = frozenset(
    {
        StepStatus.DONE,
        StepStatus.SKIPPED,
        StepStatus.FAILED,
        StepStatus.REFUSED,
        StepStatus.STOPPED,
        StepStatus.UNKNOWN,
    }
)
PASSED_STATUSES = frozenset({StepStatus.DONE, StepStatus.SKIPPED})
"""After these the next step may begin. After any other final status the run ends."""


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
    """The node that the step's role is bound to."""
    status: StepStatus = StepStatus.WAITING
    checks: tuple[Check, ...] = ()
    """Its preconditions on the newest observation. Where it was skipped: its skip conditions."""
    planned: tuple[Planned, ...] = ()
    """The exact commands. Empty until the step is reached, or where it sends nothing."""
    by_hand: tuple[HandWork, ...] = ()
    """What a human must do. Empty: the console does all of it, or the step is not reached."""
    output: tuple[str, ...] = ()
    """What was sent and answered, line by line."""
    proofs: tuple[Check, ...] = ()
    """Its `verify` conditions on the newest observation."""
    note: str = ""
    """Why it has this status: the refusal, the failure with its advice, or the reason of a skip."""
    started_at: float | None = None
    since: float | None = None
    """When it got its status; while it is `sending`, when the newest command was begun."""
    ended_at: float | None = None


class AssessmentKind(StrEnum):
    """What a resumed run assumes of a step before it goes on."""

    OBSERVED = "done by observation"
    """The journal says that it was done or skipped, and the servers show it now."""
    JOURNAL = "done by the journal alone"
    """Only the journal says that it was done. The servers cannot show its effect, or do not show it any more."""
    SKIPPED = "skipped"
    """The operator skipped it."""
    OPEN = "open"
    """It was not begun, or its effect is gone. It is run as in a new run."""
    UNKNOWN = "UNKNOWN"
    """A command was sent, or may have been, and its result is not known. An observation decides, or the operator."""


@dataclass(frozen=True, slots=True)
class StepAssessment:
    """What is assumed of one step, and why. The journal keeps it: its names are keys there."""

    index: int
    """Of the step."""
    kind: AssessmentKind
    why: str
    command: str = ""
    """For UNKNOWN: `NODE> COMMAND` whose answer was never recorded."""


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
    """Index of the step under way. None before the first one and after the last one."""
    outcome: Outcome = Outcome.RUNNING
    message: str = ""
    """Why the run ended as it did: its last line on the screen."""
    ending: tuple[EndSection, ...] = ()
    """What the run leaves: what was skipped, what remains, what was lost or kept, and the ways back."""
    journal: str = ""
    """Folder of the journal."""
    waiting_until: float | None = None
    """Deadline of the verification under way, in epoch seconds."""
    resumed: bool = False
    """It was begun by a console that ended before the run did."""
    assessments: tuple[StepAssessment, ...] = ()
    """Of a resumed run that has looked at the servers: one for each step, in their order."""


def new_run(run_id: str, cluster: str, runbook: Runbook, roles: Mapping[str, str], *, journal: str = "") -> RunState:
    """A run before its first step. The texts of its runbook name the nodes."""
    runbook = named(runbook, roles)
    steps = tuple(StepState(step=step, node=roles.get(step.role, "")) for step in runbook.steps)
    return RunState(run_id=run_id, cluster=cluster, runbook=runbook, roles=roles, steps=steps, journal=journal)
