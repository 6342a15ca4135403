"""What a resumed run believes of each step: the journal says what was done, an observation says what is so now.

Nothing is sent because of a belief. It only decides where the run goes on; whatever is sent from there passes its whole
gate again. A step that is recorded as done is believed only where it can be seen, or where nothing of it can be seen.

A later step may have overtaken what an earlier one proved: keepalived was stopped in the beginning, and is started
again in the end. What was proved is then not asked for any more, but only as long as the later step itself stands:
where one step is undone, everything from there on counts as not done, and the steps before it are judged without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.core.model import ClusterState
from console.core.model.verdict import Check
from console.core.runbooks.document import Condition, Runbook, Step
from console.core.runbooks.verbs import VERBS, changes_something
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.answer import AnswerKind
from console.core.runs.replay import PastRun, PastStep
from console.core.runs.state import PASSED_STATUSES, AssessmentKind, StepAssessment, StepStatus

_OF_ITS_NODE = frozenset({"redis-up", "redis-down", "redis-on-this-host", "keepalived-running", "keepalived-stopped"})
"""Conditions that only what is sent to the very node can change."""


def assessments(
    past: PastRun, runbook: Runbook, state: ClusterState, roles: Mapping[str, str]
) -> tuple[StepAssessment, ...]:
    """One a step, in their order, from one observation."""
    carried = {index for index, was in enumerate(past.steps) if any(one.arrived for one in was.commands)}
    until = len(runbook.steps)
    while True:
        standing = {index for index in carried if index < until}
        found = tuple(
            _assessment(index, past.steps[index], runbook.steps, standing, state, roles)
            for index in range(len(runbook.steps))
        )
        undone = [one.index for one in found if _passed(past.steps[one.index]) and one.kind is AssessmentKind.OPEN]
        first = min(undone, default=until)
        if first >= until:
            return found
        until = first


def _passed(was: PastStep) -> bool:
    return was.status in PASSED_STATUSES


def _assessment(
    index: int,
    was: PastStep,
    steps: Sequence[Step],
    standing: set[int],
    state: ClusterState,
    roles: Mapping[str, str],
) -> StepAssessment:
    if not _passed(was):
        return _not_passed(index, was)
    if was.chosen:
        return StepAssessment(index, AssessmentKind.SKIPPED, "the operator passed over it")
    step = steps[index]
    skips = tuple(evaluate(one, state, roles) for one in step.skip_if)
    if skips and all(check.holds for check in skips):
        return StepAssessment(index, AssessmentKind.OBSERVED, _seen(skips))
    proofs = step.skip_if if was.status is StepStatus.SKIPPED else step.verify
    wanted = [
        one for one in proofs if not any(_overtakes(steps[later], one, roles) for later in standing if later > index)
    ]
    checks = tuple(evaluate(one, state, roles) for one in wanted)
    missing = [check for check in checks if not check.holds]
    if missing:
        return StepAssessment(
            index, AssessmentKind.OPEN, f"was {was.status.value}, and is not so now: {_seen(missing)}"
        )
    if _only_its_answer(step) or not checks:
        return StepAssessment(index, AssessmentKind.JOURNAL, _only_the_journal(step, was, had_proofs=bool(proofs)))
    return StepAssessment(index, AssessmentKind.OBSERVED, _seen(checks))


def _not_passed(index: int, was: PastStep) -> StepAssessment:
    """A step that has no end in the journal, or was never begun."""
    last = was.attempt[-1] if was.attempt else None
    if last is None:
        begun = was.status is not StepStatus.WAITING
        return StepAssessment(index, AssessmentKind.OPEN, "begun, and nothing was sent" if begun else "not begun")
    if last.answer is None or last.answer.kind is AnswerKind.UNKNOWN:
        why = "sent, or may have been, and no answer is recorded: looking decides, nothing is sent again by itself"
        return StepAssessment(index, AssessmentKind.UNKNOWN, why, f"{last.node}> {last.sent}")
    if last.answer.kind is AnswerKind.DONE:
        rest = len(was.planned) - len(was.attempt)
        more = f"{rest} more to send, after a new question" if rest > 0 else "its proof was not seen yet"
        return StepAssessment(index, AssessmentKind.OPEN, f"the server carried it out; {more}")
    return StepAssessment(index, AssessmentKind.OPEN, f"{last.answer.kind.value}: {last.answer.text}")


def _overtakes(later: Step, condition: Condition, roles: Mapping[str, str]) -> bool:
    """Whether what a later step sends can have changed the answer to this condition."""
    verb = VERBS.get(later.action.verb) if later.action else None
    if verb is None:
        return later.action is not None  # an unknown verb may change anything
    if condition.predicate not in verb.affects:
        return False
    return condition.predicate not in _OF_ITS_NODE or roles.get(condition.subject) == roles.get(later.role)


def _only_its_answer(step: Step) -> bool:
    verb = VERBS.get(step.action.verb) if step.action else None
    return verb is not None and verb.answer_is_proof


def _only_the_journal(step: Step, was: PastStep, *, had_proofs: bool) -> str:
    if _only_its_answer(step):
        return f"only its answer proves it, and the journal has it: {was.note}"
    if had_proofs:
        return "a later step has changed since what it proved"
    return "nothing of it can be seen" if changes_something(step.action) else "it was confirmed by hand"


def _seen(checks: Sequence[Check]) -> str:
    return "; ".join(f"{check.statement} ({check.evidence})" for check in checks)
