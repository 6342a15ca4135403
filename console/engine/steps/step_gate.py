"""The gate of a step: what the operator is shown, and whether the answer permits sending."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from console.core.previews.key_comparison import each_alone_lines
from console.core.previews.loss_preview import RunFindings
from console.core.runbooks.document import GateKind
from console.core.runs.by_hand import decides_between, is_work
from console.core.runs.disk_findings import disk_findings, exported_keys
from console.core.runs.events import OperatorAnswered, OperatorAsked
from console.core.runs.past.kept_keys import exported_line
from console.core.runs.question import Choice, Decision, Question, QuestionKind
from console.core.runs.state import Outcome, StepStatus
from console.engine.steps.loss_measurement import measure_preview
from console.engine.steps.recorder import RunRecorder
from console.engine.steps.run_context import RunContext, RunStoppedError
from console.engine.steps.step_view import StepView, changes, gate_of, may_skip, not_seen_again


@dataclass(frozen=True, slots=True)
class Notice:
    """Why a question is asked again: what changed since the last one, and why its answer was no yes."""

    differences: tuple[str, ...] = ()
    reason: str = ""
    refused: bool = False
    """The answer was a yes, and was refused because of the differences."""


class StepGate:
    """Asks the questions of one step. It sends nothing."""

    def __init__(self, recorder: RunRecorder, context: RunContext, index: int) -> None:
        run = recorder.run
        self.kind = gate_of(run.steps[index].step)
        self.may_skip = may_skip(run.runbook, index)
        """Whether the operator may skip the step."""
        self._recorder = recorder
        self._record = partial(recorder.record_step, index)
        self._context = context
        self._index = index
        self._step = run.steps[index].step
        self._node = run.steps[index].node
        self._overridden = ""
        """Digest of what was shown when the operator overrode it. The override ends when anything of that changes."""
        self._given_to_human = False
        """Whether the work of the step was shown to a human, who may do it from then on."""

    def blocked(self, view: StepView) -> bool:
        """Whether something forbids sending. What the operator overrode on exactly these facts does not."""
        if self._given_to_human:
            return view.blocked_after_work
        return view.blocked and not (view.sentence and self._overridden == view.digest)

    def needs_no_answer(self, view: StepView) -> bool:
        """Whether the step only observes and is not blocked: then nobody is asked."""
        return self.kind is GateKind.NONE and not self.blocked(view)

    def ask(self, view: StepView, notice: Notice) -> Decision:
        """The question before sending. Raises RunStoppedError where the operator aborts."""
        if self.needs_no_answer(view):
            return Decision(Choice.RUN, view.digest)
        skip = (Choice.SKIP,) if self.may_skip else ()
        if self.blocked(view):
            kind, notice = QuestionKind.BLOCKED, _with_obstacles(view, notice)
            override = (Choice.OVERRIDE,) if view.sentence else ()
            choices = (Choice.LOOK_AGAIN, *skip, *override, Choice.ABORT)
        else:
            kind = QuestionKind.TYPE_NAME if self.kind is GateKind.TYPE_NAME else QuestionKind.CONFIRM
            choices = (Choice.LOOK_AGAIN, Choice.RUN, *skip, Choice.ABORT)
            self._given_to_human = self._given_to_human or _is_work_only(view)
        decision = self._put(self._measured(view), kind, choices, notice)
        if decision.choice is Choice.ABORT:
            raise RunStoppedError(Outcome.ABORTED, StepStatus.STOPPED, "Stopped by the operator")
        return decision

    def ask_in_trouble(
        self, view: StepView, choices: tuple[Choice, ...], reason: str, remedies: tuple[str, ...]
    ) -> Decision:
        """The question about a step that failed or whose result is not known."""
        return self._put(view, QuestionKind.TROUBLE, choices, Notice(reason=reason), remedies)

    def objection(self, shown: StepView, now: StepView, decision: Decision) -> Notice | None:
        """Why nothing may be sent on this decision. None: it is a yes, and everything is as it was shown."""
        reason = self._not_a_yes(shown, decision)
        if reason or decision.choice not in (Choice.RUN, Choice.OVERRIDE):
            return Notice(changes(shown, now), reason)
        if decision.choice is Choice.RUN and _is_work_only(shown) and not now.planned:
            # What was done by hand is what has changed. Nothing is sent, so nothing needs to be as it was shown.
            return Notice(changes(shown, now)) if self.blocked(now) else None
        overriding = decision.choice is Choice.OVERRIDE
        if differences := self._refused_changes(shown, now, overriding=overriding):
            return Notice(differences, "what was shown is no longer so: nothing was sent", refused=True)
        if overriding:
            return Notice(reason=self._override(now, decision))
        return None

    def _not_a_yes(self, shown: StepView, decision: Decision) -> str:
        """Why an answer that was meant as a yes is none. Empty: it is one, or it was not meant as one."""
        if decision.choice is Choice.SKIP:
            return "this step cannot be skipped: a later one relies on what it does"
        if decision.choice not in (Choice.RUN, Choice.OVERRIDE):
            return ""
        overriding = decision.choice is Choice.OVERRIDE
        if self.blocked(shown) and not (overriding and shown.sentence):
            return "a precondition does not hold, and none can be forced: nothing was sent"
        if decision.digest != shown.digest:
            return "the answer belongs to an older question: nothing was sent"
        if overriding:
            right = " ".join(decision.typed.split()) == shown.sentence
            return "" if right else "cancelled, that is not the sentence: nothing was overridden or sent"
        if self.kind is GateKind.TYPE_NAME and decision.typed.strip() != self._node:
            return f"cancelled, the name that was typed is not {self._node}: nothing was sent"
        return ""

    def _refused_changes(self, shown: StepView, now: StepView, *, overriding: bool) -> tuple[str, ...]:
        """What changed between showing and now. Any change refuses this attempt (H08)."""
        differences = (*changes(shown, now), *not_seen_again(shown, now))
        if not differences and (not now.sentence if overriding else self.blocked(now)):
            differences = ("a precondition does not hold any more",)
        if differences:
            self._record("refused", {"differences": differences, "shown": shown.digest, "now": now.digest})
        return differences

    def _override(self, now: StepView, decision: Decision) -> str:
        """Accepts the operator's word for the checks that fail now. Returns the reason that the gate shows then."""
        self._overridden = now.digest
        failing = tuple(check for check in now.checks if not check.holds)
        data = {"sentence": now.sentence, "typed": decision.typed, "digest": now.digest, "preview": now.preview}
        self._record("overridden", {**data, "checks": failing})
        return f"Accepted in words, although {'; '.join(check.told for check in failing)}"

    def _measured(self, view: StepView) -> StepView:
        """The view with its loss preview measured, just before the operator reads it."""
        if view.preview is None:
            return self._compared(view)
        run, entries, target = self._recorder.run, self._recorder.entries, view.preview.target
        found = RunFindings(disk_findings(run, entries, target), exported_keys(entries, target))
        cluster = self._context.command_context.cluster
        preview = measure_preview(view.preview, view.state, self._context.inspector, cluster, found)
        self._record("preview", {"preview": preview})
        return replace(view, preview=preview)

    def _compared(self, view: StepView) -> StepView:
        """The view of a step that decides whose data stays: with what each node has and the other lacks."""
        pair = decides_between(self._step, self._context.command_context.roles)
        if pair is None or not all(view.state.node(name).redis.ok for name in pair):
            return view
        earlier = (one for one in self._context.earlier_exports() if one.node in pair)
        lines = (*each_alone_lines(self._context.inspector.compare(*pair)), *map(exported_line, earlier))
        self._record("compared", {"lines": lines})
        return replace(view, each_alone=lines)

    def _put(
        self,
        view: StepView,
        kind: QuestionKind,
        choices: tuple[Choice, ...],
        notice: Notice,
        remedies: tuple[str, ...] = (),
    ) -> Decision:
        question = Question(
            kind=kind,
            index=self._index,
            step=self._step,
            node=self._node,
            gate=self.kind,
            planned=view.planned,
            checks=view.checks,
            evidence=view.evidence,
            preview=view.preview,
            differences=notice.differences,
            refused=notice.refused,
            digest=view.digest,
            observed_at=view.state.observed_at,
            choices=choices,
            reason=notice.reason,
            sentence=view.sentence if Choice.OVERRIDE in choices else "",
            by_hand=view.by_hand,
            each_alone=view.each_alone,
            remedies=remedies,
        )
        self._recorder.advance(OperatorAsked(self._index, self._context.clock.now(), notice.reason))
        decision = self._recorder.ask(question)
        self._recorder.advance(OperatorAnswered(self._index, self._context.clock.now()))
        return decision


def _is_work_only(view: StepView) -> bool:
    """Whether a human is to change something, and nothing is sent."""
    return is_work(view.by_hand) and not view.planned


def _with_obstacles(view: StepView, notice: Notice) -> Notice:
    """The notice with everything that forbids sending, each thing once."""
    missing = [check.advice or check.told for check in view.checks if not check.holds]
    if view.role_choice:
        return replace(notice, reason="; ".join(filter(None, (view.role_choice, notice.reason))))
    reasons = dict.fromkeys((notice.reason, view.obstacle, *missing))
    return replace(notice, reason="; ".join(filter(None, reasons)))
