from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from textual.reactive import reactive

from console.core.runbooks.document import Runbook
from console.core.runs.half_done import half_done
from console.core.runs.past.past_run import PastRun
from console.core.runs.question import Decision, Question
from console.core.runs.state import RunState
from console.engine.ports import ArmedRun, ConsoleContext, RunStarter, Takeover
from console.tui.apps.keeping_app import KeepingApp
from console.tui.navigation import routes
from console.tui.navigation.routes import P, Route
from console.tui.threads.current_run import ArmedView, CurrentRun
from console.tui.threads.messages import (
    ArmingLocked,
    ArmingRefused,
    QuestionAsked,
    RunAdvanced,
    RunCrashed,
    RunEnded,
)

RUN_OBSERVES_WITHIN = 3.0
"""Seconds: while a run works, its own observations are shown. The console observes only after a longer gap."""


class RunningApp(KeepingApp):
    """Arms at most one run at a time and passes questions and answers. Without a run starter it can change nothing."""

    armed_run: reactive[ArmedView | None] = reactive(None, init=False, repaint=False)
    run_state: reactive[RunState | None] = reactive(None, init=False, repaint=False)
    """The newest state of the run. It stays after the end of the run, so that it can be read."""

    def __init__(
        self, console_context: ConsoleContext, run_starter: RunStarter | None, *, interval: float = 1.0
    ) -> None:
        super().__init__(console_context, interval=interval)
        self.stopping = False
        """The operator wants to quit: the run stops at its next question."""
        self._run_starter = run_starter
        self._current_run = CurrentRun(self.post)
        self._arm_again: Callable[[Takeover], None] | None = None

    def on_unmount(self) -> None:
        self._current_run.stop()

    def left_by_run(self) -> tuple[str, ...]:
        """What the run leaves half done where it is stopped now. Empty: nothing, or there is no run."""
        run = self.run_state
        if run is None:
            return ()
        state = self.views[run.cluster].state if run.cluster in self.views else None
        return half_done(run, state.masters if state is not None else ())

    def open_screen(self, route: Route[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Opens a screen; instead of one that would arm another run, the screen of the armed run."""
        if route.run_instead and self.armed_run is not None:
            super().open_screen(routes.RUN, self.armed_run.cluster)
        else:
            super().open_screen(route, *args, **kwargs)

    def observed_by_run(self, name: str) -> bool:
        run, age = self.armed_run, self.views[name].age(self.now())
        if run is None or run.cluster != name or run.question is not None:
            return False
        return age is not None and age < RUN_OBSERVES_WITHIN

    @property
    def may_arm(self) -> bool:
        """Whether this console has a run starter, and no run is armed."""
        return self._run_starter is not None and self.armed_run is None

    @property
    def current_run(self) -> RunState | None:
        """The armed run as its own thread has it; None: none is armed."""
        armed = self._current_run.armed
        return armed.state if armed is not None else None

    def arm(self, cluster: str, runbook: Runbook, roles: Mapping[str, str], takeover: Takeover | None = None) -> None:
        """Arms and starts a run. `takeover` ends the run of another operator that holds the lock."""
        if (run_starter := self._run_starter) is not None:
            self._arm_again = lambda takeover: self.arm(cluster, runbook, roles, takeover)
            self._start(cluster, runbook.name, lambda: run_starter.arm(cluster, runbook, roles, takeover))

    def resume(self, past: PastRun) -> None:
        """Resumes a run whose console has ended."""
        if (run_starter := self._run_starter) is not None:
            self._arm_again = None
            self._start(past.cluster, past.runbook, lambda: run_starter.resume(past.run_id))

    def _start(self, cluster: str, runbook: str, arm: Callable[[], ArmedRun]) -> None:
        """Works in a thread that nothing cancels: a screen cannot call back what was sent."""
        if not self.may_arm:
            return
        self.run_state = None
        self.armed_run = ArmedView(cluster, runbook)
        work = self._current_run.work(arm)
        self.open_screen(routes.RUN, cluster)
        self.run_worker(work, name=f"run {runbook}", group="run", thread=True, exclusive=False, exit_on_error=False)

    def answer(self, question: Question, decision: Decision) -> None:
        """Hands the operator's decision to the runner."""
        if self._current_run.answer(question, decision) and self.armed_run:
            self.armed_run = replace(self.armed_run, question=None)

    def stop_waiting(self) -> None:
        """Ends the wait for a proof."""
        self._current_run.stop_waiting()

    def stop_run(self) -> None:
        """Ends the run at its next question. A command that is being sent is not interrupted."""
        self.stopping = True
        if self.armed_run is not None:
            self.armed_run = replace(self.armed_run, question=None)
            self._current_run.stop()
            self.stop_waiting()

    def on_run_advanced(self, message: RunAdvanced) -> None:
        self.run_state = message.run

    def on_question_asked(self, message: QuestionAsked) -> None:
        if self.armed_run is not None and not self.stopping:
            self.armed_run = replace(self.armed_run, question=message.question)

    def on_run_ended(self, message: RunEnded) -> None:
        self.run_state = message.run
        self._disarm()
        self.list_kept_keys()

    def on_arming_refused(self, message: ArmingRefused) -> None:
        self._disarm()
        self._close_run()
        self.notify(message.reason, title="Nothing was armed", severity="error", timeout=30)

    def on_arming_locked(self, message: ArmingLocked) -> None:
        self._disarm()
        self._close_run()
        self.open_screen(routes.LOCK_HELD, message.holder, self._arm_again)

    def on_run_crashed(self, message: RunCrashed) -> None:
        self._disarm()
        text = f"The run ended by a fault of the console: {message.reason}. Look at the cluster before you go on."
        self.notify(text, severity="error", timeout=60)

    def _disarm(self) -> None:
        self._current_run.clear()
        self.armed_run = None

    def _close_run(self) -> None:
        """Closes the screen of a run that did not begin."""
        if self.shows(routes.RUN.name):
            self.pop_screen()
