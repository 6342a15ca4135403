"""The half of the console that holds a run: arms it, hands questions to the screens and answers to the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from textual.reactive import reactive

from console.core.model import RunLock
from console.core.runbooks.document import Runbook
from console.core.runs.past_run import PastRun
from console.core.runs.question import Decision, Question
from console.core.runs.state import RunState
from console.engine.ports import ArmedRun, ConsoleContext, RunStarter, Takeover
from console.tui.current_run import ArmedView, CurrentRun
from console.tui.looking import LookingApp
from console.tui.messages import ArmingLocked, ArmingRefused, QuestionAsked, RunAdvanced, RunBroke, RunEnded

RUN_LOOKS_ITSELF = 3.0
"""Seconds: while a run works, its own observations are shown, and ours fill the gaps that are longer."""

Take = Callable[[Takeover], None]
"""Arms again what was to be armed, over the run that holds the lock."""


class RunningApp(LookingApp):
    """One armed run at a time. Without an armory it can change nothing."""

    armed_run: reactive[ArmedView | None] = reactive(None, init=False)
    run_state: reactive[RunState | None] = reactive(None, init=False)
    """The newest state of the run; stays after its end, to be read."""

    def __init__(
        self, console_context: ConsoleContext, run_starter: RunStarter | None, *, interval: float = 1.0
    ) -> None:
        super().__init__(console_context, interval=interval)
        self.stopping = False
        """The operator wants to quit: the run is to stop at its next question."""
        self._run_starter = run_starter
        self._hand = CurrentRun(self.post)
        self._take_over: Take | None = None

    def on_unmount(self) -> None:
        self._hand.stop()

    def show_run(self, cluster: str) -> None:
        """Opens the screen of the run, where it is not open."""

    def leave_run(self) -> None:
        """Closes the screen of a run that did not begin."""

    def show_holder(self, holder: RunLock, take: Take | None) -> None:
        """Shows whose run holds the lock."""

    def run_is_over(self) -> None:
        """What follows on the end of the run, whatever it was."""

    def looked_at_by_others(self, name: str) -> bool:
        run, age = self.armed_run, self.views[name].age(self.now())
        if run is None or run.cluster != name or run.question is not None:
            return False
        return age is not None and age < RUN_LOOKS_ITSELF

    @property
    def may_arm(self) -> bool:
        """Whether this console was given what arms runs, and none is armed."""
        return self._run_starter is not None and self.armed_run is None

    @property
    def current_run(self) -> RunState | None:
        """The armed run as its own thread has it; None: none is armed."""
        armed = self._hand.armed
        return armed.state if armed is not None else None

    def arm(self, cluster: str, runbook: Runbook, roles: Mapping[str, str], takeover: Takeover | None = None) -> None:
        """Arms and starts a run. `takeover` ends the one of another operator that holds the lock."""
        if (run_starter := self._run_starter) is not None:
            self._take_over = lambda word: self.arm(cluster, runbook, roles, word)
            self._begin(cluster, runbook.name, lambda: run_starter.arm(cluster, runbook, roles, takeover))

    def resume(self, past: PastRun) -> None:
        """Goes on with a run whose console is gone."""
        if (run_starter := self._run_starter) is not None:
            self._take_over = None
            self._begin(past.cluster, past.runbook, lambda: run_starter.resume(past.run_id))

    def _begin(self, cluster: str, runbook: str, arm: Callable[[], ArmedRun]) -> None:
        """In a thread that nothing cancels: what was sent cannot be called back by a screen."""
        if not self.may_arm:
            return
        self.run_state = None
        self.armed_run = ArmedView(cluster, runbook)
        work = self._hand.work(arm)
        self.show_run(cluster)
        self.run_worker(work, name=f"run {runbook}", group="run", thread=True, exclusive=False, exit_on_error=False)

    def answer(self, question: Question, decision: Decision) -> None:
        """Hands the operator's decision to the runner."""
        if self._hand.answer(question, decision) and self.armed_run:
            self.armed_run = replace(self.armed_run, question=None)

    def stop_waiting(self) -> None:
        """Ends the wait for a proof."""
        self._hand.stop_waiting()

    def on_run_advanced(self, message: RunAdvanced) -> None:
        self.run_state = message.run

    def on_question_asked(self, message: QuestionAsked) -> None:
        if self.armed_run is not None and not self.stopping:
            self.armed_run = replace(self.armed_run, question=message.question)

    def on_run_ended(self, message: RunEnded) -> None:
        self.run_state = message.run
        self._disarm()

    def on_arming_refused(self, message: ArmingRefused) -> None:
        self._disarm()
        self.leave_run()
        self.notify(message.reason, title="Nothing was armed", severity="error", timeout=30, markup=False)

    def on_arming_locked(self, message: ArmingLocked) -> None:
        self._disarm()
        self.leave_run()
        self.show_holder(message.holder, self._take_over)

    def on_run_broke(self, message: RunBroke) -> None:
        self._disarm()
        text = f"The run ended by a fault of the console: {message.reason}. Look at the cluster before you go on."
        self.notify(text, severity="error", timeout=60, markup=False)

    def _disarm(self) -> None:
        self.armed_run = None
        self._hand.lay_down()
        self.run_is_over()

    def stop_run(self) -> None:
        """The run is to end at its next question; what is being sent is not interrupted."""
        self.stopping = True
        if self.armed_run is not None:
            self.armed_run = replace(self.armed_run, question=None)
            self._hand.stop()
            self.stop_waiting()
