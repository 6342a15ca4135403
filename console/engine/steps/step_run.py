"""One step of a run: look, ask, look again, write the intent down, send once, look until it is proved.

Nothing here knows a screen or a server: the ports do. A run is safe because of the order of the lines in `_go_on`,
`_carry_out` and `StepSender._send`:

    look → ask (StepGate) → look again, and refuse if anything changed → for each command: intent on disk, send once,
    result on disk (StepSender) → look until it is proved (Proof) → end, or ask about the trouble
"""

from __future__ import annotations

from collections.abc import Mapping

from console.core.command import Planned
from console.core.runbooks.verbs import VERBS, VerbSpec
from console.core.runs.events import ConditionsChecked, StepBegan, StepEnded, VerificationBegan
from console.core.runs.node_figures import node_figures
from console.core.runs.question import Choice
from console.core.runs.state import StepStatus
from console.engine.ports import Answer, AnswerKind
from console.engine.steps.attempt import Attempt, sendable
from console.engine.steps.proof import Proof
from console.engine.steps.recorder import RunRecorder
from console.engine.steps.remedies import answer_in_words, ended_by_operator, may_repeat, remedies, trouble
from console.engine.steps.step_gate import RunContext, StepGate, StoppedError
from console.engine.steps.step_sender import StepSender
from console.engine.steps.step_view import StepView, changes, view_step

UNANSWERED_GRACE = 1.0
"""Seconds in which a command whose answer was lost may still show its effect, before anybody is asked."""
ANSWERED_GRACE = 10.0
"""The same for a command of which the server said that it carried it out."""


class StepRun:
    """One step, from its beginning to its end."""

    def __init__(self, recorder: RunRecorder, context: RunContext, index: int) -> None:
        self._recorder = recorder
        self._context = context
        self._index = index
        self._runbook = recorder.run.runbook
        self._step = recorder.run.steps[index].step
        self._verb = _verb_of(self._step.action.verb if self._step.action else "")
        self._unsent: tuple[Planned, ...] | None = None
        """What is left to send where a part of the step was carried out already. None: all of it."""
        self._gate = StepGate(recorder, context, index)
        self._sender = StepSender(recorder, context, index, self._verb)
        self._proof = Proof(recorder, context.inspector, context.clock, index)

    def run(self) -> None:
        """Until the step is done or skipped. Raises StoppedError where the operator ends the run at it."""
        self._recorder.advance(StepBegan(self._index, self._context.clock.now()))
        self._go_on()

    def end_as_recorded(self, status: StepStatus, note: str) -> None:
        """A step that a resumed run finds done: it ends as the journal says that it did, and nothing is asked."""
        self._recorder.advance(StepBegan(self._index, self._context.clock.now()))
        if status is StepStatus.DONE:
            self._recorder.advance(VerificationBegan(self._index, self._context.clock.now()))
        self._finish(status, note)

    def resume(self, attempt: Attempt) -> None:
        """Goes on with a step of which something was sent before the console ended. Sends nothing by itself.

        Where the step could be sent as things stand, it was hardly carried out, or a reboot has undone it. Then nobody
        has to wait for its whole deadline to be asked what to do (H27).
        """
        self._recorder.advance(StepBegan(self._index, self._context.clock.now()))
        self._unsent = attempt.planned
        seen = self._look()
        self._unsent = None
        answer, place = attempt.answer, attempt.place
        if answer is None and (rest := attempt.rest):
            self._unsent = rest
        else:
            grace = ANSWERED_GRACE if answer is None else UNANSWERED_GRACE
            within = None if self._gate.blocks(seen) else grace
            proved = self._can_be_proved(answer, place) and self._proof.holds(within)
            if self._end_proved(seen, answer, place) if proved else self._ask_about_trouble(seen, answer, place):
                return
        self._go_on()

    def _go_on(self) -> None:
        seen = self._look()
        differences: tuple[str, ...] = ()
        reason = ""
        while not self._skipped_as_done(seen):
            decision = self._gate.ask(seen, differences, reason)
            if self._gate.skips(decision):
                self._finish(StepStatus.SKIPPED, "skipped by the operator")
                return
            overriding = decision.choice is Choice.OVERRIDE
            differences, reason = (), self._gate.why_no_yes(seen, decision)
            now = seen if self._gate.only_observes(seen) else self._look()
            if reason or decision.choice not in (Choice.RUN, Choice.OVERRIDE):
                differences = changes(seen, now)
            elif refused := self._gate.refuse_changes(seen, now, overriding=overriding):
                differences, reason = refused, "what was shown is no longer so: nothing was sent"
            elif overriding:
                reason = self._gate.override(now, decision)
            elif self._carry_out(now):
                return
            else:
                now = self._look()
            seen = now

    # --- before anything is sent ------------------------------------------------------------------------------------

    def _look(self) -> StepView:
        """A fresh observation of every node, judged for this step, shown and recorded."""
        state = self._context.inspector.observe(fresh=True)
        self._recorder.show(state)
        entrance = self._runbook.require if self._index == 0 else ()
        seen = view_step(self._step, state, self._context.commands, entrance=entrance, rest=self._unsent)
        step = f"{self._index + 1}/{len(self._recorder.run.steps)} {self._step.id}"
        guard = self._context.guard
        seen = guard.guarded(seen, guard.why_not_held(self._record, step, state))
        judged = {"facts": seen.facts, "digest": seen.digest, "checks": seen.checks, "skip_if": seen.skips}
        plan = {"planned": seen.planned, "obstacle": seen.obstacle, "preview": seen.preview}
        shown = {"evidence": seen.evidence, "figures": node_figures(state)}
        self._record("observed", {"observed_at": state.observed_at, **judged, **plan, **shown})
        self._recorder.advance(ConditionsChecked(self._index, seen.checks, seen.planned))
        return seen

    def _skipped_as_done(self, seen: StepView) -> bool:
        """Skips a step that is done already, with the evidence. What the runbook requires must hold even then."""
        entrance = seen.checks[: len(self._runbook.require)] if self._index == 0 else ()
        if not seen.done_already or not all(check.holds for check in entrance):
            return False
        self._recorder.advance(ConditionsChecked(self._index, seen.skips))
        evidence = "; ".join(f"{check.statement} ({check.evidence})" for check in seen.skips)
        self._finish(StepStatus.SKIPPED, f"already so: {evidence}")
        return True

    # --- sending and proving ----------------------------------------------------------------------------------------

    def _carry_out(self, seen: StepView) -> bool:
        """Sends and proves. False: the step has to be asked again, from a new observation on."""
        answer, place = self._sender.send_all(seen)
        if self._can_be_proved(answer, place) and self._proof.holds(state=None if seen.planned else seen.state):
            return self._end_proved(seen, answer, place)
        return not self._proof.overtaken and self._ask_about_trouble(seen, answer, place)

    def _can_be_proved(self, answer: Answer | None, place: int) -> bool:
        """Whether an observation can decide about a lost answer.

        Not where only the answer is a proof. After the first command it may show only what the commands before did.
        """
        if answer is None:
            return True
        visible = bool(self._step.verify) and not self._verb.answer_is_proof
        return answer.kind is AnswerKind.UNKNOWN and visible and not (place and self._verb.rest_unseen)

    def _end_proved(self, seen: StepView, answer: Answer | None, place: int) -> bool:
        """The proof holds. Commands behind a lost answer are still to be sent: False, they are asked for anew."""
        if answer is not None and (rest := sendable(seen.planned[place + 1 :])):
            self._unsent = rest
            return False
        note = "proved" if answer is None else f"proved by looking, though {answer_in_words(answer)}"
        self._finish(StepStatus.DONE, note)
        return True

    def _ask_about_trouble(self, seen: StepView, answer: Answer | None, place: int) -> bool:
        """Asks what to do about a step that is not proved. Answer, place and result are those of `_carry_out`."""
        again = bool(seen.planned) and may_repeat(self._verb, answer)
        choices = (Choice.LOOK_AGAIN, *((Choice.RUN,) if again else ()), Choice.ABORT)
        offered = remedies(self._step, self._verb, answer, again=again)
        while True:
            reason = trouble(self._step, answer, self._recorder.run.steps[self._index].proofs)
            decision = self._gate.ask_about_trouble(seen, choices, reason, offered)
            if decision.choice is Choice.ABORT:
                raise StoppedError(*ended_by_operator(answer), reason, offered)
            if decision.choice is Choice.RUN and again:
                halfway = answer is not None and place and not self._verb.answer_is_proof
                self._unsent = sendable(seen.planned[place:]) or None if halfway else None
                return False
            if decision.choice is Choice.LOOK_AGAIN and self._can_be_proved(answer, place) and self._proof.holds():
                return self._end_proved(seen, answer, place)
            if self._proof.overtaken:
                return False

    def _finish(self, status: StepStatus, note: str) -> None:
        self._record("step", {"id": self._step.id, "status": status, "note": note})
        self._recorder.advance(StepEnded(self._index, status, note, self._context.clock.now()))

    def _record(self, kind: str, data: Mapping[str, object]) -> None:
        self._recorder.record_of_step(self._index, kind, data)


def _verb_of(name: str) -> VerbSpec:
    """The verb of this name. One that nothing is known of counts as neither repeatable nor provable."""
    return VERBS.get(name) or VerbSpec(name, "", repeatable=False, twice_is_once=False, answer_is_proof=True)
