"""What a resumed run assumes of each step: the journal says what was done, an observation says what is so now.

An assessment sends nothing. It only decides where the run goes on. Whatever is sent from there passes its whole gate
again. A step that is recorded as done counts as done only where an observation shows it, or where none could show it.

A later step may have changed what an earlier one proved: keepalived is stopped at the beginning of a run and started
again at its end. The earlier proof is then not required any more, but only as long as the later step itself stands. If
a step is undone, it and every step after it count as not done. The steps before it are then judged again without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.core.model import ClusterState
from console.core.model.verdict import Check
from console.core.runbooks.document import Condition, Runbook, Step
from console.core.runbooks.verbs import VERBS, changes_something
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.answer import AnswerKind
from console.core.runs.past.past_run import PastRun, PastStep
from console.core.runs.state import PASSED_STATUSES, AssessmentKind, StepAssessment, StepStatus

_OF_ONE_NODE = frozenset({"redis-up", "redis-down", "redis-on-this-host", "keepalived-running", "keepalived-stopped"})
"""Predicates that only a command to the same node can change."""


def assessments(
    past: PastRun, runbook: Runbook, state: ClusterState, roles: Mapping[str, str]
) -> tuple[StepAssessment, ...]:
    """One for each step, in their order, from one observation."""
    sent = {index for index, was in enumerate(past.steps) if any(one.may_have_arrived for one in was.commands)}
    first_undone = len(runbook.steps)
    while True:
        standing = {index for index in sent if index < first_undone}
        found = tuple(
            _assess(index, past.steps[index], runbook.steps, standing, state, roles)
            for index in range(len(runbook.steps))
        )
        undone = [one.index for one in found if _passed(past.steps[one.index]) and one.kind is AssessmentKind.OPEN]
        first = min(undone, default=first_undone)
        if first >= first_undone:
            return found
        first_undone = first


def _passed(was: PastStep) -> bool:
    return was.status in PASSED_STATUSES


def _assess(
    index: int,
    was: PastStep,
    steps: Sequence[Step],
    standing: set[int],
    state: ClusterState,
    roles: Mapping[str, str],
) -> StepAssessment:
    """`standing`: indexes of the steps that sent something and still count as done."""
    if not _passed(was):
        return _assess_unfinished(index, was)
    if was.skipped_by_operator:
        return StepAssessment(index, AssessmentKind.SKIPPED, "the operator skipped it")
    step = steps[index]
    skips = tuple(evaluate(one, state, roles) for one in step.skip_if)
    if skips and all(check.holds for check in skips):
        return StepAssessment(index, AssessmentKind.OBSERVED, _evidence(skips))
    proofs = step.skip_if if was.status is StepStatus.SKIPPED else step.verify
    still_required = [
        one
        for one in proofs
        if not any(_may_have_changed(steps[later], one, roles) for later in standing if later > index)
    ]
    checks = tuple(evaluate(one, state, roles) for one in still_required)
    missing = [check for check in checks if not check.holds]
    if missing:
        why = f"was {was.status.value}, and now {_evidence(missing)}"
        return StepAssessment(index, AssessmentKind.OPEN, why)
    if _only_answer_proves(step) or not checks:
        return StepAssessment(index, AssessmentKind.JOURNAL, _why_journal_alone(step, was, had_proofs=bool(proofs)))
    return StepAssessment(index, AssessmentKind.OBSERVED, _evidence(checks))


def _assess_unfinished(index: int, was: PastStep) -> StepAssessment:
    """A step that has no end in the journal, or was never begun."""
    last = was.attempt[-1] if was.attempt else None
    if last is None:
        begun = was.status is not StepStatus.WAITING
        return StepAssessment(index, AssessmentKind.OPEN, "begun, and nothing was sent" if begun else "not begun")
    if last.answer is None or last.answer.kind is AnswerKind.UNKNOWN:
        why = (
            "sent, or may have been, and no answer is recorded: an observation decides, nothing is sent again by itself"
        )
        return StepAssessment(index, AssessmentKind.UNKNOWN, why, f"{last.node}> {last.sent}")
    if last.answer.kind is AnswerKind.DONE:
        unsent = len(was.planned) - len(was.attempt)
        more = f"{unsent} more to send, after a new question" if unsent > 0 else "its proof was not seen yet"
        return StepAssessment(index, AssessmentKind.OPEN, f"the server carried it out; {more}")
    return StepAssessment(index, AssessmentKind.OPEN, f"{last.answer.kind.value}: {last.answer.text}")


def _may_have_changed(later: Step, condition: Condition, roles: Mapping[str, str]) -> bool:
    """Whether what a later step sends can have changed the answer to this condition."""
    verb = VERBS.get(later.action.verb) if later.action else None
    if verb is None:
        return later.action is not None  # an unknown verb may change anything
    if condition.predicate not in verb.affects:
        return False
    return condition.predicate not in _OF_ONE_NODE or roles.get(condition.subject) == roles.get(later.role)


def _only_answer_proves(step: Step) -> bool:
    verb = VERBS.get(step.action.verb) if step.action else None
    return verb is not None and verb.answer_is_proof


def _why_journal_alone(step: Step, was: PastStep, *, had_proofs: bool) -> str:
    if _only_answer_proves(step):
        return f"only its answer proves it, and the journal has it: {was.note}"
    if had_proofs:
        return "a later step has changed since what it proved"
    return "its effect cannot be observed" if changes_something(step.action) else "it was confirmed by hand"


def _evidence(checks: Sequence[Check]) -> str:
    return "; ".join(f"{check.told} ({check.evidence})" for check in checks)
