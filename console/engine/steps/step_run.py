"""One step of a run: look, ask, look again, write the intent down, send once, look until it is proved.

Nothing here knows a screen or a server: the ports do. The order of the lines in `go`, `_carry_out` and `_send` is what
keeps a run safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.core.command import FileCopy, Identity, Planned
from console.core.runbooks.document import GateKind
from console.core.runbooks.verbs import VERBS, VerbSpec
from console.core.runs.node_figures import node_figures
from console.core.runs.state import (
    AnswerCame,
    Choice,
    ConditionsChecked,
    Decision,
    IntentWritten,
    OperatorAsked,
    Outcome,
    ProgressTold,
    Question,
    QuestionKind,
    StepEnded,
    StepReached,
    StepStatus,
    VerificationBegan,
)
from console.engine.actions.verbs import CommandContext
from console.engine.actions.write_pause import PAUSES
from console.engine.ports import Actuator, Answer, AnswerKind, Clock, Inspector
from console.engine.steps.attempt import Attempt, sendable
from console.engine.steps.loss_measurement import measured
from console.engine.steps.name_watch import NameWatch
from console.engine.steps.proof import Proof
from console.engine.steps.recorder import RunRecorder
from console.engine.steps.remedies import answer_in_words, ended_by_operator, may_repeat, remedies, trouble
from console.engine.steps.run_guard import RunGuard
from console.engine.steps.step_view import StepView, changes, gate_of, may_skip, view_step

GRACE = 1.0
"""Seconds in which a command whose answer was lost with its console may yet show its effect before anybody is asked."""
SETTLING = 10.0
"""The same for what the server said that it carried out."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run looks and acts with."""

    inspector: Inspector
    actuator: Actuator
    clock: Clock
    work: CommandContext
    guard: RunGuard
    """The run's lock on the nodes (H26)."""
    watch: NameWatch | None = None
    """On the name that clients resolve; None: they come by an address."""


class StoppedError(Exception):
    """The run ends here, in this way."""

    def __init__(self, outcome: Outcome, status: StepStatus, note: str, ways: tuple[str, ...] = ()) -> None:
        super().__init__(note)
        self.outcome, self.status, self.note, self.ways = outcome, status, note, ways


class StepRun:
    """One step, from reaching it to its end."""

    def __init__(self, recorder: RunRecorder, context: RunContext, index: int) -> None:
        self._recorder = recorder
        self._context = context
        self._index = index
        self._runbook = recorder.run.runbook
        self._step = recorder.run.steps[index].step
        self._node = recorder.run.steps[index].node
        self._gate = gate_of(self._step)
        self._skip = (Choice.SKIP,) if may_skip(self._runbook, index) else ()
        self._rest: tuple[Planned, ...] | None = None
        """What is left to send of a step of which a part was carried out; None: all of it."""
        self._proof = Proof(recorder, context.inspector, context.clock, index)
        self._overridden = ""
        """Digest of what was shown when the operator overrode it in words: it holds while nothing of that changes."""

    def go(self) -> None:
        """Until the step is done or skipped. Raises StoppedError where the operator ends the run at it."""
        self._recorder.advance(StepReached(self._index, self._context.clock.now()))
        self._go_on()

    def pass_over(self, status: StepStatus, note: str) -> None:
        """A step that a resumed run finds done: it ends as the journal says that it did, and nothing is asked."""
        self._recorder.advance(StepReached(self._index, self._context.clock.now()))
        if status is StepStatus.DONE:
            self._recorder.advance(VerificationBegan(self._index, self._context.clock.now()))
        self._finish(status, note)

    def take_up(self, begun: Attempt) -> None:
        """Goes on with a step of which something was sent before the console ended. Looks; sends nothing by itself.

        Where the step could be sent as things stand, it was hardly carried out, or a reboot has undone it: nobody has
        to wait for its whole deadline to be asked what to do (H27).
        """
        self._recorder.advance(StepReached(self._index, self._context.clock.now()))
        self._rest = begun.planned
        seen = self._look()
        self._rest = None
        answer, place = begun.answer, begun.place
        if answer is None and (rest := begun.rest):
            self._rest = rest
        else:
            grace = SETTLING if answer is None else GRACE
            within = None if self._blocked(seen) else grace
            proved = self._looks_tell(answer, place) and self._proof.holds(within)
            if self._proved(seen, answer, place) if proved else self._trouble(seen, answer, place):
                return
        self._go_on()

    def _go_on(self) -> None:
        seen = self._look()
        differences: tuple[str, ...] = ()
        reason = ""
        while not self._done_already(seen):
            decision = self._ask(seen, differences, reason)
            if decision.choice is Choice.SKIP and self._skip:
                self._finish(StepStatus.SKIPPED, "skipped by the operator")
                return
            differences, reason = (), self._declined(seen, decision)
            now = seen if self._only_looks(seen) else self._look()
            if reason or decision.choice not in (Choice.RUN, Choice.OVERRIDE):
                differences = changes(seen, now)
            elif refused := self._refused(seen, now, overriding=decision.choice is Choice.OVERRIDE):
                differences, reason = refused, "what was shown is no longer so: nothing was sent"
            elif decision.choice is Choice.OVERRIDE:
                reason = self._override(now, decision)
            elif self._carry_out(now):
                return
            else:
                now = self._look()
            seen = now

    # --- before anything is sent ------------------------------------------------------------------------------------

    def _look(self) -> StepView:
        state = self._context.inspector.observe(fresh=True)
        self._recorder.show(state)
        entrance = self._runbook.require if self._index == 0 else ()
        seen = view_step(self._step, state, self._context.work, entrance=entrance, rest=self._rest)
        step = f"{self._index + 1}/{len(self._recorder.run.steps)} {self._step.id}"
        seen = self._context.guard.guarded(seen, self._context.guard.view_step(self._record, step, state))
        data = {"facts": seen.facts, "digest": seen.digest, "checks": seen.checks, "skip_if": seen.skips}
        plan = {"planned": seen.planned, "obstacle": seen.obstacle, "preview": seen.preview}
        shown = {"evidence": seen.evidence, "figures": node_figures(state)}
        self._record("observed", {"observed_at": state.observed_at, **data, **plan, **shown})
        self._recorder.advance(ConditionsChecked(self._index, seen.checks, seen.planned))
        return seen

    def _done_already(self, seen: StepView) -> bool:
        """Skips a step that is done already, with the evidence; but never past what the runbook itself requires."""
        entrance = seen.checks[: len(self._runbook.require)] if self._index == 0 else ()
        if not seen.done_already or not all(check.holds for check in entrance):
            return False
        self._recorder.advance(ConditionsChecked(self._index, seen.skips))
        evidence = "; ".join(f"{check.statement} ({check.evidence})" for check in seen.skips)
        self._finish(StepStatus.SKIPPED, f"already so: {evidence}")
        return True

    def _ask(self, seen: StepView, differences: tuple[str, ...], reason: str) -> Decision:
        """The step's question. A step that only observes asks nothing. Raises where the operator ends the run."""
        if self._blocked(seen):
            override = (Choice.OVERRIDE,) if seen.sentence else ()
            kind, choices = QuestionKind.BLOCKED, (Choice.LOOK_AGAIN, *self._skip, *override, Choice.ABORT)
            missing = [check.advice or check.statement for check in seen.checks if not check.holds]
            reason = "; ".join(filter(None, dict.fromkeys((reason, seen.obstacle, *missing))))
        elif self._gate is GateKind.NONE:
            return Decision(Choice.RUN, seen.digest)
        else:
            kind = QuestionKind.TYPE_NAME if self._gate is GateKind.TYPE_NAME else QuestionKind.CONFIRM
            choices = (Choice.LOOK_AGAIN, Choice.RUN, *self._skip, Choice.ABORT)
        decision = self._put(seen, kind, choices, differences, reason)
        if decision.choice is Choice.ABORT:
            raise StoppedError(Outcome.ABORTED, StepStatus.REFUSED, "aborted by the operator")
        return decision

    def _put(
        self,
        seen: StepView,
        kind: QuestionKind,
        choices: tuple[Choice, ...],
        differences: tuple[str, ...],
        reason: str,
        ways: tuple[str, ...] = (),
    ) -> Decision:
        preview = seen.preview
        if preview is not None and kind is not QuestionKind.TROUBLE:
            preview = measured(preview, seen.state, self._context.inspector, self._context.work.cluster)
            self._record("preview", {"preview": preview})
        question = Question(
            kind=kind,
            index=self._index,
            step=self._step,
            node=self._node,
            gate=self._gate,
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
            ways=ways,
        )
        self._recorder.advance(OperatorAsked(self._index, reason))
        return self._recorder.ask(question)

    def _declined(self, seen: StepView, decision: Decision) -> str:
        """Why this answer is no yes; empty: it is one, or it was never meant as one."""
        if decision.choice is Choice.SKIP:
            return "this step cannot be skipped: a later one relies on what it does"
        if decision.choice not in (Choice.RUN, Choice.OVERRIDE):
            return ""
        overriding = decision.choice is Choice.OVERRIDE
        if self._blocked(seen) and not (overriding and seen.sentence):
            return "a precondition does not hold, and none can be forced: nothing was sent"
        if decision.digest != seen.digest:
            return "the answer belongs to an older question: nothing was sent"
        if overriding:
            typed = " ".join(decision.typed.split())
            return (
                "" if typed == seen.sentence else "cancelled, that is not the sentence: nothing was overridden or sent"
            )
        if self._gate is GateKind.TYPE_NAME and decision.typed.strip() != self._node:
            return f"cancelled, the name that was typed is not {self._node}: nothing was sent"
        return ""

    def _blocked(self, seen: StepView) -> bool:
        """Whether something keeps the step from being sent; what was overridden on these very facts does not."""
        return seen.blocked and not (seen.sentence and self._overridden == seen.digest)

    def _override(self, now: StepView, decision: Decision) -> str:
        """Takes the operator's word for what fails, on the facts of this look. Returns what the gate says of it."""
        self._overridden = now.digest
        failing = tuple(check for check in now.checks if not check.holds)
        data = {"sentence": now.sentence, "typed": decision.typed, "digest": now.digest, "preview": now.preview}
        self._record("overridden", {**data, "checks": failing})
        missing = "; ".join(f"not so: {check.statement} ({check.evidence})" for check in failing)
        return f"overridden by the operator in words: {missing}"

    def _refused(self, shown: StepView, now: StepView, *, overriding: bool = False) -> tuple[str, ...]:
        """What changed between the showing and now. Anything at all refuses this attempt (H08)."""
        differences = changes(shown, now)
        if not differences and (not now.sentence if overriding else self._blocked(now)):
            differences = ("a precondition does not hold any more",)
        if differences:
            self._record("refused", {"differences": differences, "shown": shown.digest, "now": now.digest})
        return differences

    # --- sending and proving ----------------------------------------------------------------------------------------

    def _only_looks(self, seen: StepView) -> bool:
        """Whether nobody was asked and nothing will be sent: then what was seen just now is as new as another look."""
        return self._gate is GateKind.NONE and not seen.planned and not self._blocked(seen)

    def _carry_out(self, seen: StepView) -> bool:
        """Sends and proves. False: the step has to be asked again, from a new look on."""
        answer, place = self._send_all(seen)
        if self._looks_tell(answer, place) and self._proof.holds(state=None if seen.planned else seen.state):
            return self._proved(seen, answer, place)
        return not self._proof.overtaken and self._trouble(seen, answer, place)

    def _looks_tell(self, answer: Answer | None, place: int) -> bool:
        """Whether looking can decide about an answer. Of a later command it may see only what those before it did."""
        if answer is None:
            return True
        return answer.kind is AnswerKind.UNKNOWN and self._provable and not (place and self._verb.rest_unseen)

    def _send_all(self, seen: StepView) -> tuple[Answer | None, int]:
        """Sends the commands in order, each once. Stops at the first one that is not done: its answer and its place."""
        for place, planned in enumerate(seen.planned):
            if lost := self._context.guard.problem(self._record):
                return Answer(AnswerKind.NOT_SENT, lost), place
            answer = self._send(planned, seen, place)
            if answer.kind is not AnswerKind.DONE:
                return answer, place
        return None, len(seen.planned)

    def _send(self, planned: Planned, seen: StepView, place: int) -> Answer:
        expecting = seen.identities[planned.node]
        line = f"{planned.node}> {planned.render()}"
        about = {"verb": self._verb.name, "digest": seen.digest, "place": place + 1}
        self._record("intent", {"planned": planned, "expecting": expecting, **about})
        self._recorder.advance(IntentWritten(self._index, line))
        self._recorder.in_flight = line
        sent_at = self._context.clock.now()
        answer = self._deliver(planned, expecting)
        if self._verb.name == PAUSES and answer.kind is not AnswerKind.NOT_SENT:
            self._recorder.pause.begin(planned.node, sent_at)
        if answer.kind is AnswerKind.DONE and planned.expect and answer.text.strip() != planned.expect:
            answer = Answer(AnswerKind.FAILED, f"the answer is {answer.text!r}, not {planned.expect!r}")
        self._record("result", {"node": planned.node, "answer": answer})
        self._recorder.in_flight = ""
        self._recorder.advance(AnswerCame(self._index, ": ".join(filter(None, (answer.kind.value, answer.text)))))
        return answer

    def _deliver(self, planned: Planned, expecting: Identity) -> Answer:
        """Once, whatever comes of it; what takes long tells how far it is."""
        if not isinstance(planned.command, FileCopy):
            return self._context.actuator.send(planned, expecting)
        return self._context.actuator.send(
            planned, expecting, lambda line: self._recorder.advance(ProgressTold(self._index, line))
        )

    def _proved(self, seen: StepView, answer: Answer | None, place: int) -> bool:
        """The proof holds. What follows a lost answer is still to be sent, and asked for anew."""
        if answer is not None and (rest := sendable(seen.planned[place + 1 :])):
            self._rest = rest
            return False
        note = "proved" if answer is None else f"proved by looking, though {answer_in_words(answer)}"
        self._finish(StepStatus.DONE, note)
        return True

    # --- trouble ----------------------------------------------------------------------------------------------------

    def _trouble(self, seen: StepView, answer: Answer | None, place: int) -> bool:
        """Asks what to do about a step that is not proved. Meaning of the answer as in `_carry_out`."""
        again = bool(seen.planned) and may_repeat(self._verb, answer)
        choices = (Choice.LOOK_AGAIN, *((Choice.RUN,) if again else ()), Choice.ABORT)
        ways = remedies(self._step, self._verb, answer, again=again)
        while True:
            reason = trouble(self._step, answer, self._recorder.run.steps[self._index].proofs)
            decision = self._put(seen, QuestionKind.TROUBLE, choices, (), reason, ways)
            if decision.choice is Choice.ABORT:
                raise StoppedError(*ended_by_operator(answer), reason, ways)
            if decision.choice is Choice.RUN and again:
                halfway = answer is not None and place and not self._verb.answer_is_proof
                self._rest = sendable(seen.planned[place:]) or None if halfway else None
                return False
            if decision.choice is Choice.LOOK_AGAIN and self._looks_tell(answer, place) and self._proof.holds():
                return self._proved(seen, answer, place)
            if self._proof.overtaken:
                return False

    @property
    def _verb(self) -> VerbSpec:
        """The verb of the step's action; one that nothing is known of counts as neither repeatable nor provable."""
        name = self._step.action.verb if self._step.action else ""
        return VERBS.get(name) or VerbSpec(name, "", repeatable=False, twice_is_once=False, answer_is_proof=True)

    @property
    def _provable(self) -> bool:
        """Whether looking at the servers can tell that the step was carried out."""
        return bool(self._step.verify) and not self._verb.answer_is_proof

    def _finish(self, status: StepStatus, note: str) -> None:
        self._record("step", {"id": self._step.id, "status": status, "note": note})
        self._recorder.advance(StepEnded(self._index, status, note, self._context.clock.now()))

    def _record(self, kind: str, data: Mapping[str, object]) -> None:
        self._recorder.record(kind, {"step": self._index + 1, **data})
