"""One step of a run, from its beginning to its end.

The order of these calls keeps a run safe:

    1. look        `_look`                   observe, evaluate the conditions, make the commands from that observation
    2. ask         `StepGate.ask`            show all of it, and wait for the operator's decision
    3. look again  `_look`
    4. compare     `StepGate.objection`      anything that changed since it was shown refuses the attempt (H08)
    5. send        `CommandSender.send_all`  for each command, in order:
                                               the lock on the nodes is still held (H26)
                                               the intent is on disk (H27)
                                               the command is sent once, to the server that was shown (H07)
                                               the result is on disk
    6. prove       `Proof.holds`             look until the step's `verify` holds: an answer proves nothing (H13)

`_ask_until_ended` is 1 to 4, and `_send_and_prove` is 5 and 6. Nothing is sent in any other way. This file knows no
screen and no server, only the ports.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from console.core.command import Planned
from console.core.model import ClusterState, Problem
from console.core.model.silence import fell_silent, silent_sources
from console.core.runbooks.document import GateKind
from console.core.runbooks.verbs import verb_of
from console.core.runs.events import ConditionsChecked, ProgressReported, StepBegan, StepEnded, VerificationBegan
from console.core.runs.past.since_then import SinceThen
from console.core.runs.question import Choice
from console.core.runs.records.exports import VERBS as EXPORTS
from console.core.runs.records.exports import kept_in_words
from console.core.runs.records.recorded import SKIPPED_BY_OPERATOR
from console.core.runs.state import StepStatus
from console.core.runs.state_summary import state_summary
from console.engine.ports import AnswerKind
from console.engine.steps.attempt import Attempt, sendable
from console.engine.steps.command_sender import CommandSender
from console.engine.steps.proof import Proof
from console.engine.steps.recorder import RunRecorder
from console.engine.steps.remedies import answer_in_words, end_after_trouble, may_repeat, remedies, trouble_in_words
from console.engine.steps.run_context import RunContext, RunStoppedError
from console.engine.steps.step_gate import Notice, StepGate
from console.engine.steps.step_view import (
    StepView,
    cannot_be_done,
    changes,
    forbidden,
    not_seen_again,
    view_step,
)

UNANSWERED_SECONDS = 1.0
"""How long a resumed run looks for the effect of a command whose answer was lost, before the operator is asked."""
ANSWERED_SECONDS = 10.0
"""The same for a command that the server said it carried out."""

NOT_NEEDED = "nothing relies on this step, and it cannot be done"

SILENCE_PATIENCE = 30.0
"""Seconds in which a step that only silence blocks is looked at again by itself, before anybody is asked.

Each source that falls silent has this time. A lost answer costs the time until its connection counts as lost, and a
new handshake. Two in a row must fit in.
"""
SILENCE_POLL = 1.0
"""Seconds between two of these looks."""


class StepRun:
    """The flow of one step."""

    def __init__(self, recorder: RunRecorder, context: RunContext, index: int, since: SinceThen | None = None) -> None:
        """`since`: what a resumed run holds against its own steps. None: the run is not a resumed one."""
        self._recorder = recorder
        self._since = since
        self._record = partial(recorder.record_step, index)
        self._context = context
        self._index = index
        self._step = recorder.run.steps[index].step
        self._runbook_require = recorder.run.runbook.require if index == 0 else ()
        self._verb = verb_of(self._step.action)
        self._gate = StepGate(recorder, context, index)
        self._sender = CommandSender(recorder, context, index)
        self._proof = Proof(recorder, context.inspector, context.clock, index)
        self._remaining: tuple[Planned, ...] | None = None
        """The commands that are left of a step of which a part was carried out. None: all of them."""

    def run(self) -> None:
        """Runs the step until it is done or skipped. Raises RunStoppedError where the operator ends the run."""
        self._begin()
        self._ask_until_ended()

    def resume(self, begun: Attempt) -> None:
        """Goes on with a step of which a console that ended has sent something. It looks, and sends nothing unasked.

        Where the step could be sent as things are now, it was probably not carried out, or a reboot has undone it. The
        operator is then asked soon, and not only after the step's whole deadline (H27).
        """
        self._begin()
        self._remaining = begun.planned
        view = self._look()
        self._remaining = None
        if begun.answer is None and begun.unsent:
            self._remaining = begun.unsent
        elif self._resumed_part_ends(view, begun):
            return
        self._ask_until_ended()

    def end_as_recorded(self, status: StepStatus, note: str) -> None:
        """Ends a step that a resumed run finds done, as its journal says. Nothing is asked."""
        self._begin()
        if status is StepStatus.DONE:
            now = self._context.clock.now()
            self._recorder.advance(VerificationBegan(self._index, now, now))
        self._end(status, note)

    # --- the flow ---------------------------------------------------------------------------------------------------

    def _ask_until_ended(self) -> None:
        """Look, ask, look again, compare; on a yes: send and prove. Until the step ends."""
        since = self._since.differences if self._since is not None else ()
        shown = self._look(new=False)
        notice = Notice(since, self._news_of_source(shown))
        while not self._skipped_as_done(shown) and not self._skipped_as_impossible(shown):
            decision = self._gate.ask(shown, notice)
            if decision.choice is Choice.SKIP and self._gate.may_skip:
                self._end(StepStatus.SKIPPED, SKIPPED_BY_OPERATOR)
                return
            now = shown if self._only_observes(shown) else self._look(shown)
            objection = self._gate.objection(shown, now, decision)
            if objection is not None:
                shown, notice = now, objection
            elif self._send_and_prove(now):
                return
            else:
                shown = self._look()
                notice = Notice(reason=self._news_of_source(shown))

    def _send_and_prove(self, view: StepView) -> bool:
        """Sends the commands of the view and waits for the proof. False: the step must be asked again."""
        attempt = self._sender.send_all(view)
        if self._done_without(attempt):
            return True
        if self._can_be_proved(attempt) and self._proof.holds(state=None if view.planned else view.state):
            return self._end_proved(attempt)
        return not self._proof.skip_if_holds and self._ask_in_trouble(view, attempt)

    def _resumed_part_ends(self, view: StepView, begun: Attempt) -> bool:
        """Looks for the proof of what was sent before. False: the step must be asked again."""
        seconds = ANSWERED_SECONDS if begun.answer is None else UNANSWERED_SECONDS
        within = None if self._gate.blocked(view) else seconds
        if self._can_be_proved(begun) and self._proof.holds(within):
            return self._end_proved(begun)
        return self._ask_in_trouble(view, begun)

    def _ask_in_trouble(self, view: StepView, attempt: Attempt) -> bool:
        """Asks what to do about a step that is not proved. False: the step must be asked again, from a new look on."""
        answer = attempt.answer
        repeatable = bool(view.planned) and may_repeat(self._verb, answer)
        choices = (Choice.LOOK_AGAIN, *((Choice.RUN,) if repeatable else ()), Choice.ABORT)
        lines = remedies(self._step, self._verb, answer, repeatable=repeatable, kind=self._recorder.run.runbook.kind)
        while True:
            reason = trouble_in_words(self._step, answer, self._recorder.run.steps[self._index].proofs)
            reason = self._recorder.source.ask() or reason
            decision = self._gate.ask_in_trouble(view, choices, reason, lines)
            if decision.choice is Choice.ABORT:
                raise RunStoppedError(*end_after_trouble(answer), reason, lines)
            if decision.choice is Choice.RUN and repeatable:
                self._remaining = self._to_repeat(view, attempt)
                return False
            if decision.choice is Choice.LOOK_AGAIN and self._can_be_proved(attempt) and self._proof.holds():
                return self._end_proved(attempt)
            if self._proof.skip_if_holds:
                return False

    # --- its parts --------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._recorder.advance(StepBegan(self._index, self._context.clock.now()))

    def _look(self, shown: StepView | None = None, *, new: bool = True) -> StepView:
        """An observation for this step. `new`: not the last one of the step before.

        It looks again by itself for a while where an answer can be expected. That is so where only silence blocks the
        step, and where something has just fallen silent: the question would show it as not known, and the next look
        would find it changed. `shown`: what the operator has answered to.
        """
        clock, before = self._context.clock, self._recorder.state
        since: dict[str, float] = {}
        while True:
            view = self._look_once(new=new)
            new = True
            silent = self._silent(before, shown, view)
            since = {name: since.get(name, clock.monotonic()) for name in silent}
            if not silent or clock.monotonic() - min(since.values()) >= SILENCE_PATIENCE:
                return view
            if self._recorder.source.to_be_asked:  # each second counts for the data of the target
                return view
            words = "; ".join(f"{name}: {problem}" for name, problem in silent.items())
            note = f"Waiting for an answer, looking again by itself: {words}"
            self._recorder.advance(ProgressReported(self._index, note))
            if not self._recorder.sleep(clock, SILENCE_POLL):
                return view

    @staticmethod
    def _silent(before: ClusterState | None, shown: StepView | None, view: StepView) -> Mapping[str, Problem]:
        """What is worth waiting for."""
        if silent := view.blocked_by_silence:
            return silent
        if before is not None and not view.blocked and (silent := fell_silent(before, view.state)):
            return silent
        if shown is not None and not_seen_again(shown, view) and not changes(shown, view):
            return silent_sources(view.state)
        return {}

    def _look_once(self, *, new: bool) -> StepView:
        """An observation, and all that the step is by it. The journal has it before anything is based on it."""
        state = None if new else self._recorder.still_new(self._context.clock)
        if state is None:
            state = self._context.inspector.observe(fresh=True)
            self._recorder.show(state)
        view = view_step(
            self._step,
            state,
            self._context.command_context,
            runbook_require=self._runbook_require,
            remaining=self._remaining,
            unsent=None if self._something_was_sent else self._recorder.run.runbook,
        )
        title = f"{self._index + 1}/{len(self._recorder.run.steps)} {self._step.id}"
        guard = self._context.guard
        view = guard.add_to_view(view, guard.check_before_question(self._record, title, state))
        if self._since is not None and not view.done_already:
            view = forbidden(view, self._since.objection(self._step, state))
        data = {"facts": view.facts, "digest": view.digest, "checks": view.checks, "skip_if": view.skips}
        plan = {"planned": view.planned, "obstacle": view.obstacle, "preview": view.preview}
        shown = {"evidence": view.evidence, "figures": state_summary(state), "by_hand": view.by_hand}
        self._record("observed", {"observed_at": state.observed_at, **data, **plan, **shown})
        now = self._context.clock.now()
        self._recorder.advance(ConditionsChecked(self._index, now, view.checks, view.planned, view.by_hand))
        return view

    @property
    def _something_was_sent(self) -> bool:
        """Whether a command of this run was sent, or may have been: the roles are no longer judged then."""
        return self._remaining is not None or any(
            one.planned and one.status is not StepStatus.SKIPPED for one in self._recorder.run.steps[: self._index]
        )

    def _skipped_as_done(self, view: StepView) -> bool:
        """Skips a step that is done already, with the evidence. The runbook's own requirements must hold too."""
        if not view.done_already or not all(check.holds for check in view.checks[: len(self._runbook_require)]):
            return False
        self._recorder.advance(ConditionsChecked(self._index, self._context.clock.now(), view.skips))
        evidence = "; ".join(f"{check.statement} ({check.evidence})" for check in view.skips)
        self._end(StepStatus.SKIPPED, f"already so: {evidence}")
        return True

    def _skipped_as_impossible(self, view: StepView) -> bool:
        """Skips a step that nothing relies on where its commands cannot be made. The reason stays with the step."""
        if not cannot_be_done(self._step, view):
            return False
        self._end(StepStatus.SKIPPED, f"{NOT_NEEDED}: {view.obstacle}")
        return True

    def _news_of_source(self, view: StepView) -> str:
        """What the question says about the source. Where none is put, it is asked while the proof is waited for."""
        return "" if self._gate.needs_no_answer(view) else self._recorder.source.ask()

    def _only_observes(self, view: StepView) -> bool:
        """Whether nobody was asked and nothing will be sent: then a second look would tell nothing new."""
        return self._gate.needs_no_answer(view) and not view.planned

    def _can_be_proved(self, attempt: Attempt) -> bool:
        """Whether looking can tell that the last command was carried out.

        Where its answer was lost, that needs a `verify` that looks at the servers. After the first command looking may
        see no more than the effect of that one.
        """
        if attempt.answer is None:
            return True
        provable = bool(self._step.verify) and not self._verb.answer_is_proof
        unseen = bool(attempt.position) and self._verb.rest_unseen
        return attempt.answer.kind is AnswerKind.UNKNOWN and provable and not unseen

    def _done_without(self, attempt: Attempt) -> bool:
        """Ends a step that nothing relies on and that could not be carried out. The reason stays with the step."""
        answer = attempt.answer
        if answer is None or answer.kind is not AnswerKind.FAILED or not (self._verb.optional and self._gate.may_skip):
            return False
        self._end(StepStatus.SKIPPED, f"{NOT_NEEDED}: {answer.text}")
        return True

    def _to_repeat(self, view: StepView, attempt: Attempt) -> tuple[Planned, ...] | None:
        """What a retry sends: from the command that failed on, where those before it were carried out. None: all."""
        if attempt.answer is None or not attempt.position or self._verb.answer_is_proof:
            return None
        return sendable(view.planned[attempt.position :]) or None

    def _end_proved(self, attempt: Attempt) -> bool:
        """The proof holds. False: commands after the lost answer are left, and the step must be asked for them."""
        if attempt.answer is not None and attempt.unsent:
            self._remaining = attempt.unsent
            return False
        lost = f" by looking, though {answer_in_words(attempt.answer)}" if attempt.answer is not None else ""
        one = self._recorder.run.steps[self._index]
        kept = kept_in_words(one.node, one.output) if self._verb.name in EXPORTS else ""
        self._end(StepStatus.DONE, "; ".join(filter(None, (f"{self._how_done()}{lost}", kept))))
        return True

    def _how_done(self) -> str:
        if self._step.verify:
            return "proved"
        return "confirmed by the operator, nothing proves it" if self._gate.kind is not GateKind.NONE else "looked at"

    def _end(self, status: StepStatus, note: str) -> None:
        self._record("step", {"id": self._step.id, "status": status, "note": note})
        self._recorder.advance(StepEnded(self._index, status, note, self._context.clock.now()))
