"""What a run would do now: every condition is evaluated, every command is made, and nothing is sent.

A condition that does not hold now does not block a plan in two cases. Either an earlier step that would run has this
condition in its `verify`. Or the verb of such a step can change its answer (`VerbSpec.affects`). The condition is then
marked with that step, because it can be judged only after it. Every other condition that does not hold blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from console.core.command import Planned
from console.core.conditions.switching import PAUSED
from console.core.inventory import ClusterSpec
from console.core.kinds.protection import protection
from console.core.model import ClusterState, NodeState, Redis
from console.core.model.verdict import Check, Verdict
from console.core.previews.loss_preview import LossPreview
from console.core.replication.resync import ResyncKind
from console.core.runbooks.document import Condition, GateKind, Runbook, Step
from console.core.runbooks.naming import named
from console.core.runbooks.verbs import VERBS, changes_something
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.by_hand import HandWork
from console.core.runs.lock import lock_in_words, runs_on
from console.engine.actions.commands import CommandContext
from console.engine.ports import Clock, Inspector
from console.engine.steps.loss_measurement import measure_preview
from console.engine.steps.step_view import StepView, cannot_be_done, gate_of, proofs, view_step

NOT_PROVED = (
    "A plan looks once and sends nothing: it does not prove that a service starts or stops, or that sudo permits it.",
    "Nor does it prove that a file can be written, that the replica's link comes up, or how long the sync takes.",
    "Commands of later steps are made from what is expected then; the run makes and shows them anew when it is there.",
    "Conditions marked `after step N` can be judged only then.",
    "The run looks again before every step and before every command, and refuses if anything changed.",
)


class Prospect(StrEnum):
    """What would happen to a step."""

    SKIPPED = "would be skipped"
    READY = "ready"
    LATER = "depends on earlier steps"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """A condition as it is now, and the earlier step after which it can be judged."""

    check: Check
    after: int | None = None
    """Number of the step, from 1. None: the condition holds, or it blocks."""

    @property
    def blocks(self) -> bool:
        return not self.check.holds and self.after is None


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step of a plan."""

    number: int
    step: Step
    gate: GateKind
    prospect: Prospect
    checks: tuple[PlannedCheck, ...]
    planned: tuple[Planned, ...] = ()
    obstacle: str = ""
    preview: LossPreview | None = None
    depends_on: int | None = None
    """Number of the earlier step after which this one can be judged. None: it is judged now."""
    node: str = ""
    by_hand: tuple[HandWork, ...] = ()
    proofs: tuple[Check, ...] = ()
    """Its `verify` now: what the run will look for, not what it will find."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A whole plan, from one observation."""

    runbook: Runbook
    cluster: str
    roles: Mapping[str, str]
    observed_at: float
    steps: tuple[StepPlan, ...]
    runs: tuple[str, ...] = ()
    """Runs that hold the lock of these nodes. Meanwhile no other run can be armed (H26)."""
    protected: bool = False
    """Whether the cluster survives the next failure of its master now."""
    role_choice: str = ""
    """What is wrong with the choice of roles, and which one passes; empty: it is not what blocks the plan."""

    @property
    def nothing_to_do(self) -> bool:
        """Whether every step is done already, by this observation."""
        return all(one.prospect is Prospect.SKIPPED for one in self.steps)

    @property
    def could_start(self) -> bool:
        return not self.runs and all(one.prospect is not Prospect.BLOCKED for one in self.steps)


def make_plan(runbook: Runbook, state: ClusterState, command_context: CommandContext) -> RunPlan:
    """Evaluates every step on one observation. Commands are made as if the steps before had been carried out."""
    runs = tuple(lock_in_words(one) for one in runs_on(state))
    protected = protection(state).verdict is Verdict.HOLDS
    runbook = named(runbook, command_context.roles)
    if done := _skipped_as_done(runbook, state, command_context):
        return RunPlan(runbook, state.name, command_context.roles, state.observed_at, done, runs, protected)
    steps: list[StepPlan] = []
    expected, wrong = state, ""
    for number, step in enumerate(runbook.steps, start=1):
        runbook_require = runbook.require if number == 1 else ()
        view = view_step(step, state, command_context, runbook_require=runbook_require, unsent=runbook)
        wrong = wrong or view.role_choice
        if expected is not state:
            then = view_step(step, expected, command_context)
            may_pass = then.obstacle_may_pass
            view = replace(view, planned=then.planned, obstacle=then.obstacle, obstacle_may_pass=may_pass)
        before = [one for one in steps if one.prospect is not Prospect.SKIPPED]
        checks = tuple(
            PlannedCheck(check, None if check.holds else _waits_for(condition, before))
            for condition, check in zip(view.asked, view.checks, strict=True)
        )
        changed_by = _changes_skip_condition(step, before)
        if view.done_already and changed_by is None and not any(one.blocks for one in checks[: len(runbook_require)]):
            one = _skipped(number, step, view)
        elif cannot_be_done(step, view):
            one = replace(_skipped(number, step, view), obstacle=view.obstacle)
        else:
            one = _plan_step(number, step, view, checks, before)
        steps.append(
            replace(
                one, node=command_context.roles.get(step.role, ""), proofs=proofs(step, state, command_context.roles)
            )
        )
        if one.prospect is not Prospect.SKIPPED:
            expected = _after(step, expected, command_context.roles)
    made = RunPlan(runbook, state.name, command_context.roles, state.observed_at, tuple(steps), runs, protected)
    return made if made.could_start else replace(made, role_choice=wrong)


def _skipped_as_done(runbook: Runbook, state: ClusterState, command_context: CommandContext) -> tuple[StepPlan, ...]:
    """Every step as skipped, if the runbook's `done_if` holds already. Else nothing."""
    checks = tuple(PlannedCheck(evaluate(one, state, command_context.roles)) for one in runbook.done_if)
    if not checks or not all(one.check.holds for one in checks):
        return ()
    return tuple(
        StepPlan(number, step, gate_of(step), Prospect.SKIPPED, checks, node=command_context.roles.get(step.role, ""))
        for number, step in enumerate(runbook.steps, start=1)
    )


def _after(step: Step, state: ClusterState, roles: Mapping[str, str]) -> ClusterState:
    """The state after a step, as far as the commands of later steps depend on it.

    The file that is edited depends on which keepalived runs, and writes are resumed only where they were paused.
    """
    verb = step.action.verb if step.action else ""
    change = _CHANGES.get(verb)
    if change is None:
        return state
    nodes = tuple(change(node) if node.name == roles.get(step.role) else node for node in state.nodes)
    return replace(state, nodes=nodes)


def _keepalived(node: NodeState, *, running: bool) -> NodeState:
    return replace(node, keepalived=node.keepalived.map(lambda one: replace(one, running=running)))


def _with_min_replicas(node: NodeState, by: int) -> NodeState:
    def changed(redis: Redis) -> Redis:
        wanted = redis.config.min_replicas_to_write
        config = replace(redis.config, min_replicas_to_write=None if wanted is None else max(0, wanted + by))
        return replace(redis, config=config)

    return replace(node, redis=node.redis.map(changed))


_CHANGES: Mapping[str, Callable[[NodeState], NodeState]] = {
    "start-keepalived": partial(_keepalived, running=True),
    "stop-keepalived": partial(_keepalived, running=False),
    "pause-writes": partial(_with_min_replicas, by=PAUSED),
    "resume-writes": partial(_with_min_replicas, by=-PAUSED),
}


def _plan_step(
    number: int, step: Step, view: StepView, checks: tuple[PlannedCheck, ...], before: Sequence[StepPlan]
) -> StepPlan:
    waits_for = [_changes_skip_condition(step, before), _takes_obstacle_away(view, before)]
    depends_on = max(filter(None, (*waits_for, *(one.after for one in checks))), default=None)
    if (view.obstacle and waits_for[1] is None) or any(one.blocks for one in checks):
        prospect, depends_on = Prospect.BLOCKED, None
    else:
        prospect = Prospect.LATER if depends_on else Prospect.READY
    return StepPlan(
        number,
        step,
        gate_of(step),
        prospect,
        checks,
        view.planned,
        view.obstacle,
        view.preview,
        depends_on,
        by_hand=view.by_hand,
    )


def _takes_obstacle_away(view: StepView, before: Sequence[StepPlan]) -> int | None:
    """The last earlier step that sends something, where the commands cannot be made by what is observed now only."""
    if not view.obstacle_may_pass:
        return None
    return next((one.number for one in reversed(before) if changes_something(one.step.action)), None)


def _skipped(number: int, step: Step, view: StepView) -> StepPlan:
    checks = tuple(PlannedCheck(check) for check in view.skips)
    return StepPlan(number, step, gate_of(step), Prospect.SKIPPED, checks)


def _changes_skip_condition(step: Step, before: Sequence[StepPlan]) -> int | None:
    """The last earlier step on the same role that can change the `skip_if` of this step."""
    for one in reversed(before):
        verb = VERBS.get(one.step.action.verb) if one.step.action else None
        if verb and any(
            wanted.predicate in verb.affects and wanted.subject == one.step.role for wanted in step.skip_if
        ):
            return one.number
    return None


def _waits_for(condition: Condition | None, before: Sequence[StepPlan]) -> int | None:
    """The last earlier step that would run and after which the condition can be judged anew."""
    if condition is None:
        return None
    for one in reversed(before):
        verb = VERBS.get(one.step.action.verb) if one.step.action else None
        if condition in one.step.verify or (verb is not None and condition.predicate in verb.affects):
            return one.number
    return None


SECOND_LOOK = 1.0
"""Seconds after the first look. The server's own number of operations is an average over 1.6 seconds."""


def measure_plan(
    made: RunPlan, state: ClusterState, inspector: Inspector, cluster: ClusterSpec, clock: Clock
) -> RunPlan:
    """The plan with its previews measured, each pair of nodes once. A second observation tells how much is written."""
    shown = {(one.preview.source, one.preview.target): one.preview for one in made.steps if one.preview is not None}
    if any(one.resync is not ResyncKind.NONE for one in shown.values()):
        clock.sleep(max(0.0, SECOND_LOOK - (clock.now() - state.observed_at)))
        inspector.observe()
    found = {pair: measure_preview(one, state, inspector, cluster) for pair, one in shown.items()}
    steps = tuple(
        replace(one, preview=found[one.preview.source, one.preview.target]) if one.preview is not None else one
        for one in made.steps
    )
    return replace(made, steps=steps)
