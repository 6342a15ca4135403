"""The gate of one step: what blocks it, what the operator is asked, and whether an answer is a yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.core.runbooks.document import GateKind
from console.core.runs.events import OperatorAsked
from console.core.runs.question import Choice, Decision, Question, QuestionKind
from console.core.runs.state import Outcome, StepStatus
from console.engine.actions.request import CommandContext
from console.engine.ports import Actuator, Clock, Inspector
from console.engine.steps.loss_measurement import measured
from console.engine.steps.name_watch import NameWatch
from console.engine.steps.recorder import RunRecorder
from console.engine.steps.run_guard import RunGuard
from console.engine.steps.step_view import StepView, changes, gate_of, may_skip


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run looks and acts with."""

    inspector: Inspector
    actuator: Actuator
    clock: Clock
    commands: CommandContext
    """What the commands of the steps are made from."""
    guard: RunGuard
    """The run's lock on the nodes (H26)."""
    watch: NameWatch | None = None
    """Watches the name that clients resolve. None: clients come by an address."""


class StoppedError(Exception):
    """The operator ends the run at this step. `remedies` is what could have been done instead."""

    def __init__(self, outcome: Outcome, status: StepStatus, note: str, remedies: tuple[str, ...] = ()) -> None:
        super().__init__(note)
        self.outcome, self.status, self.note, self.remedies = outcome, status, note, remedies


class StepGate:
    """Asks about one step, and judges the answers. Sends nothing."""

    def __init__(self, recorder: RunRecorder, context: RunContext, index: int) -> None:
        self._recorder = recorder
        self._context = context
        self._index = index
        self._step = recorder.run.steps[index].step
        self._node = recorder.run.steps[index].node
        self._skip = (Choice.SKIP,) if may_skip(recorder.run.runbook, index) else ()
        self._overridden = ""
        """Digest of what was shown when the operator overrode it in words. It holds while nothing of that changes."""
        self.kind = gate_of(self._step)
        """How strong the gate is. It is never weaker than the step's verb needs."""

    def blocks(self, seen: StepView) -> bool:
        """Whether something keeps the step from being sent. An override of these very facts lifts that."""
        return seen.blocked and not (seen.sentence and self._overridden == seen.digest)

    def only_observes(self, seen: StepView) -> bool:
        """Whether nobody is asked and nothing is sent. The newest observation is then as good as another one."""
        return self.kind is GateKind.NONE and not seen.planned and not self.blocks(seen)

    # --- questions --------------------------------------------------------------------------------------------------

    def ask(self, seen: StepView, differences: tuple[str, ...], reason: str) -> Decision:
        """The step's question. A step that only observes asks nothing. Raises StoppedError."""
        if self.blocks(seen):
            override = (Choice.OVERRIDE,) if seen.sentence else ()
            kind, choices = QuestionKind.BLOCKED, (Choice.LOOK_AGAIN, *self._skip, *override, Choice.ABORT)
            missing = [check.advice or check.statement for check in seen.checks if not check.holds]
            reason = "; ".join(filter(None, dict.fromkeys((reason, seen.obstacle, *missing))))
        elif self.kind is GateKind.NONE:
            return Decision(Choice.RUN, seen.digest)
        else:
            kind = QuestionKind.TYPE_NAME if self.kind is GateKind.TYPE_NAME else QuestionKind.CONFIRM
            choices = (Choice.LOOK_AGAIN, Choice.RUN, *self._skip, Choice.ABORT)
        decision = self._put(seen, kind, choices, differences=differences, reason=reason)
        if decision.choice is Choice.ABORT:
            raise StoppedError(Outcome.ABORTED, StepStatus.REFUSED, "aborted by the operator")
        return decision

    def ask_about_trouble(
        self, seen: StepView, choices: tuple[Choice, ...], reason: str, remedies: tuple[str, ...]
    ) -> Decision:
        """What to do about a step that failed, or whose outcome is not known."""
        return self._put(seen, QuestionKind.TROUBLE, choices, reason=reason, remedies=remedies)

    def _put(
        self,
        seen: StepView,
        kind: QuestionKind,
        choices: tuple[Choice, ...],
        *,
        differences: tuple[str, ...] = (),
        reason: str = "",
        remedies: tuple[str, ...] = (),
    ) -> Decision:
        preview = seen.preview
        if preview is not None and kind is not QuestionKind.TROUBLE:
            preview = measured(preview, seen.state, self._context.inspector, self._context.commands.cluster)
            self._record("preview", {"preview": preview})
        question = Question(
            kind=kind,
            index=self._index,
            step=self._step,
            node=self._node,
            gate=self.kind,
            planned=seen.planned,
            checks=seen.checks,
            evidence=seen.evidence,
            preview=preview,
            differences=differences,
            digest=seen.digest,
            observed_at=seen.state.observed_at,
            choices=choices,
            reason=reason,
            sentence=seen.sentence if Choice.OVERRIDE in choices else "",
            remedies=remedies,
        )
        self._recorder.advance(OperatorAsked(self._index, reason))
        return self._recorder.ask(question)

    # --- answers ----------------------------------------------------------------------------------------------------

    def skips(self, decision: Decision) -> bool:
        """Whether the operator skips the step, and may."""
        return decision.choice is Choice.SKIP and bool(self._skip)

    def why_no_yes(self, seen: StepView, decision: Decision) -> str:
        """Why this answer is no yes. Empty where it is one, or was never meant as one."""
        if decision.choice is Choice.SKIP:
            return "this step cannot be skipped: a later one relies on what it does"
        if decision.choice not in (Choice.RUN, Choice.OVERRIDE):
            return ""
        overriding = decision.choice is Choice.OVERRIDE
        if self.blocks(seen) and not (overriding and seen.sentence):
            return "a precondition does not hold, and none can be forced: nothing was sent"
        if decision.digest != seen.digest:
            return "the answer belongs to an older question: nothing was sent"
        if overriding:
            right = " ".join(decision.typed.split()) == seen.sentence
            return "" if right else "cancelled, that is not the sentence: nothing was overridden or sent"
        if self.kind is GateKind.TYPE_NAME and decision.typed.strip() != self._node:
            return f"cancelled, the name that was typed is not {self._node}: nothing was sent"
        return ""

    def refuse_changes(self, shown: StepView, now: StepView, *, overriding: bool = False) -> tuple[str, ...]:
        """What changed between the showing and now. Anything at all refuses this attempt (H08)."""
        differences = changes(shown, now)
        if not differences and (not now.sentence if overriding else self.blocks(now)):
            differences = ("a precondition does not hold any more",)
        if differences:
            self._record("refused", {"differences": differences, "shown": shown.digest, "now": now.digest})
        return differences

    def override(self, now: StepView, decision: Decision) -> str:
        """Takes the operator's word for what fails, on the facts of this observation. Returns what the gate says."""
        self._overridden = now.digest
        failing = tuple(check for check in now.checks if not check.holds)
        typed = {"sentence": now.sentence, "typed": decision.typed, "digest": now.digest, "preview": now.preview}
        self._record("overridden", {**typed, "checks": failing})
        return "overridden by the operator in words: " + "; ".join(
            f"not so: {check.statement} ({check.evidence})" for check in failing
        )

    def _record(self, kind: str, data: Mapping[str, object]) -> None:
        self._recorder.record_of_step(self._index, kind, data)
