"""What a run would do as things stand: every condition evaluated now, every command rendered, nothing sent.

A condition that does not hold now does not block a plan in two cases: an earlier step that would run proves that very
condition (it is in its `verify`), or the verb of such a step can change its answer (`VerbSpec.affects`). It is then
marked with that step: it can be judged only after it. Everything else that does not hold blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from console.core.command import Planned
from console.core.model import ClusterState
from console.core.predicate import Check
from console.core.resync import LossPreview
from console.core.runbook import Condition, GateKind, Runbook, Step
from console.core.verbs import VERBS
from console.engine.actions import Workplace
from console.engine.look import Look, gate_of, look

NOT_PROVED = (
    "A plan looks once and sends nothing: it does not prove that a service starts or stops, or that sudo permits it.",
    "Nor does it prove that a file can be written, that the replica's link comes up, or how long the sync takes.",
    "Commands of later steps are made from what is true now; the run makes and shows them anew when it is there.",
    "Conditions marked `after step N` can be judged only then.",
    "The run looks again before every step and before every command, and refuses if anything changed.",
)


class Prospect(StrEnum):
    """What would become of a step."""

    SKIPPED = "would be skipped"
    READY = "ready"
    LATER = "depends on earlier steps"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """A condition as it is now, and the earlier step that it waits for."""

    check: Check
    after: int | None = None
    """Number of the step, from 1; None where it holds, or blocks."""

    @property
    def blocks(self) -> bool:
        return not self.check.holds and self.after is None


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step of a plan."""

    number: int
    step: Step
    node: str
    gate: GateKind
    prospect: Prospect
    checks: tuple[PlannedCheck, ...]
    planned: tuple[Planned, ...]
    obstacle: str
    preview: LossPreview | None


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A whole plan, from one observation."""

    runbook: Runbook
    cluster: str
    roles: Mapping[str, str]
    observed_at: float
    steps: tuple[StepPlan, ...]

    @property
    def could_start(self) -> bool:
        return all(one.prospect is not Prospect.BLOCKED for one in self.steps)


def make_plan(runbook: Runbook, state: ClusterState, work: Workplace) -> RunPlan:
    """Evaluates every step on one observation."""
    steps: list[StepPlan] = []
    for number, step in enumerate(runbook.steps, start=1):
        entrance = runbook.require if number == 1 else ()
        seen = look(step, state, work, entrance=entrance)
        before = [one for one in steps if one.prospect is not Prospect.SKIPPED]
        one = _plan_step(number, step, seen, (*entrance, *step.require), before)
        steps.append(replace(one, node=work.roles.get(step.role, "")))
    return RunPlan(runbook, state.name, work.roles, state.observed_at, tuple(steps))


def _plan_step(
    number: int, step: Step, seen: Look, conditions: Sequence[Condition], before: Sequence[StepPlan]
) -> StepPlan:
    checks = tuple(
        PlannedCheck(check, None if check.holds else _waits_for(condition, before))
        for condition, check in zip(conditions, seen.checks, strict=True)
    )
    entrance = checks[: len(checks) - len(step.require)]
    skipped = seen.done_already and not any(one.blocks for one in entrance)
    if skipped:
        checks = tuple(PlannedCheck(check) for check in seen.skips)
        prospect = Prospect.SKIPPED
    elif seen.obstacle or any(one.blocks for one in checks):
        prospect = Prospect.BLOCKED
    else:
        prospect = Prospect.LATER if any(one.after for one in checks) else Prospect.READY
    planned = () if skipped else seen.planned
    preview = None if skipped else seen.preview
    obstacle = "" if skipped else seen.obstacle
    return StepPlan(number, step, "", gate_of(step), prospect, checks, planned, obstacle, preview)


def _waits_for(condition: Condition, before: Sequence[StepPlan]) -> int | None:
    """The last earlier step that would run and after which the condition can be judged anew."""
    for one in reversed(before):
        verb = VERBS.get(one.step.action.verb) if one.step.action else None
        if condition in one.step.verify or (verb is not None and condition.predicate in verb.affects):
            return one.number
    return None
