"""The console: what it looks at, the screens that show it, and the one run that it may hold armed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from textual.app import SystemCommand
from textual.reactive import reactive
from textual.screen import Screen

from console.core.replay import PastRun
from console.core.run import Decision, Outcome, Question, RunState
from console.core.runbook import Runbook
from console.engine.ports import ArmedRun, Armory, Desk, Takeover
from console.tui.armed import ArmedView, RunInHand
from console.tui.departure import orderly
from console.tui.looking import LookingApp
from console.tui.messages import ArmingLocked, ArmingRefused, QuestionAsked, RunAdvanced, RunBroke, RunEnded
from console.tui.palette import commands
from console.tui.present.run import short_ending
from console.tui.screens.base import ConsoleScreen
from console.tui.screens.cluster import ClusterScreen
from console.tui.screens.clusters import ClustersScreen
from console.tui.screens.dialogs import HelpDialog, LeaveDialog
from console.tui.screens.record import RecordScreen
from console.tui.screens.resume import ResumeScreen
from console.tui.screens.run import RunScreen
from console.tui.screens.run_dialogs import LockedDialog
from console.tui.screens.runbooks import ArmScreen, RunbooksScreen
from console.tui.screens.runs import RunsScreen

RUN_LOOKS_ITSELF = 3.0
"""Seconds: while a run works, its own observations are shown, and ours fill the gaps that are longer."""


class ConsoleApp(LookingApp):
    """Opens screens, holds the armed run. Without an armory it can change nothing."""

    armed_run: reactive[ArmedView | None] = reactive(None, init=False)
    run_state: reactive[RunState | None] = reactive(None, init=False)
    """The newest state of the run; stays after its end, to be read."""

    def __init__(
        self,
        desk: Desk,
        armory: Armory | None,
        *,
        cluster: str | None = None,
        runbook: str | None = None,
        roles: Mapping[str, str] | None = None,
        interval: float = 1.0,
    ) -> None:
        super().__init__(desk, interval=interval)
        self.stopping = False
        """The operator wants to quit: the run is to stop at its next question."""
        self._armory = armory
        self._hand = RunInHand(self.post)
        self._take_over: Callable[[Takeover], None] | None = None
        """Arms again what was to be armed last, over the run that holds the lock."""
        self._first_cluster = cluster
        self._first_runbook = runbook
        self._first_roles = dict(roles or {})
        self._first_past: PastRun | None = None
        self._run_was_asked_for = runbook is not None

    def on_unmount(self) -> None:
        self._hand.stop()

    # --- looking ----------------------------------------------------------------------------------------------------

    def looked_at_by_others(self, name: str) -> bool:
        run, age = self.armed_run, self.views[name].age(self.now())
        if run is None or run.cluster != name or run.question is not None:
            return False
        return age is not None and age < RUN_LOOKS_ITSELF

    def after_look(self, name: str) -> None:
        if self._first_runbook and name == self.shown_cluster():
            runbook, self._first_runbook = self._first_runbook, None
            self.open_arming(name, runbook, self._first_roles)
        if self._first_past and name == self.shown_cluster():
            past, self._first_past = self._first_past, None
            self.open_resuming(past)

    # --- screens ----------------------------------------------------------------------------------------------------

    def open_first(self) -> None:
        names = tuple(self.views)
        self.push_screen(ClustersScreen())
        if self._first_cluster or len(names) == 1:
            self.open_cluster(self._first_cluster or names[0])

    def open_cluster(self, name: str) -> None:
        self._back_to(ClustersScreen)
        self.push_screen(ClusterScreen(name))

    def _back_to(self, *kinds: type[ConsoleScreen]) -> None:
        """Closes what lies above a screen of these kinds; the list of clusters is never closed."""
        while not isinstance(self.screen, (*kinds, ClustersScreen)):
            self.pop_screen()

    def open_runbooks(self, cluster: str) -> None:
        """The list of runbooks; while a run is armed, the run."""
        if self.armed_run is not None:
            self._open_run(self.armed_run.cluster)
        else:
            self.push_screen(RunbooksScreen(cluster))

    def open_arming(self, cluster: str, runbook: str, roles: Mapping[str, str] | None = None) -> None:
        """`roles`: those that the operator has given a node already."""
        found = next((one for one in self.runbooks_for(cluster) if one.name == runbook), None)
        if found is None:
            self.notify(f"There is no runbook {runbook} for cluster {cluster}.", severity="error", markup=False)
        elif self.armed_run is not None:
            self._open_run(self.armed_run.cluster)
        else:
            self._back_to(ClusterScreen, RunbooksScreen)
            self.push_screen(ArmScreen(cluster, found, roles or {}))

    def open_runs(self, cluster: str) -> None:
        """The recorded runs; of this cluster first, where one is named."""
        self.push_screen(RunsScreen(cluster))

    def open_record(self, run_id: str, cluster: str) -> None:
        """A recorded run, or one that the nodes tell of; the one that is armed here is shown where it is answered."""
        if self.armed_run is not None and self.run_state is not None and self.run_state.run_id == run_id:
            self._open_run(self.armed_run.cluster)
        else:
            self.push_screen(RecordScreen(run_id, cluster))

    def begin_with(self, past: PastRun) -> None:
        """Before it is shown: opens with this run, which is to be gone on with."""
        self._first_past, self._run_was_asked_for = past, True

    def open_resuming(self, past: PastRun) -> None:
        """What the journal says of a run, before it is gone on with."""
        self.push_screen(ResumeScreen(past))

    def _open_run(self, cluster: str) -> None:
        self._back_to(ClusterScreen, RunScreen)
        if not isinstance(self.screen, RunScreen):
            self.push_screen(RunScreen(cluster))

    # --- a run ------------------------------------------------------------------------------------------------------

    @property
    def may_arm(self) -> bool:
        """Whether this console was given what arms runs, and none is armed."""
        return self._armory is not None and self.armed_run is None

    @property
    def run_in_hand(self) -> RunState | None:
        """The armed run as its own thread has it; None: none is armed."""
        armed = self._hand.armed
        return armed.state if armed is not None else None

    def arm(self, cluster: str, runbook: Runbook, roles: Mapping[str, str], takeover: Takeover | None = None) -> None:
        """Arms and starts a run. `takeover` ends the one of another operator that holds the lock."""
        if (armory := self._armory) is not None:
            self._take_over = lambda word: self.arm(cluster, runbook, roles, word)
            self._begin(cluster, runbook.name, lambda: armory.arm(cluster, runbook, roles, takeover))

    def resume(self, past: PastRun) -> None:
        """Goes on with a run whose console is gone."""
        if (armory := self._armory) is not None:
            self._take_over = None
            self._begin(past.cluster, past.runbook, lambda: armory.resume(past.run_id))

    def _begin(self, cluster: str, runbook: str, arm: Callable[[], ArmedRun]) -> None:
        """In a thread that nothing cancels: what was sent cannot be called back by a screen."""
        if not self.may_arm:
            return
        self.run_state = None
        self.armed_run = ArmedView(cluster, runbook)
        work = self._hand.work(arm)
        self._open_run(cluster)
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
        if isinstance(self.screen, RunScreen):
            self.pop_screen()
        self.notify(message.reason, title="Nothing was armed", severity="error", timeout=30, markup=False)

    def on_arming_locked(self, message: ArmingLocked) -> None:
        self._disarm()
        if isinstance(self.screen, RunScreen):
            self.pop_screen()
        holder = message.holder
        self.push_screen(LockedDialog(holder, lambda: self.open_record(holder.run_id, holder.cluster), self._take_over))

    def on_run_broke(self, message: RunBroke) -> None:
        self._disarm()
        text = f"The run ended by a fault of the console: {message.reason}. Look at the cluster before you go on."
        self.notify(text, severity="error", timeout=60, markup=False)

    def _disarm(self) -> None:
        self.armed_run = None
        self._hand.lay_down()
        if self.stopping:
            self._leave()

    # --- keys and commands --------------------------------------------------------------------------------------------

    def action_help(self) -> None:
        if isinstance(self.screen, HelpDialog):
            self.pop_screen()
        else:
            self.push_screen(HelpDialog())

    async def action_quit(self) -> None:
        """Leaves at once while nothing is armed; else asks."""
        if self.armed_run is None:
            self._leave()
        elif not isinstance(self.screen, LeaveDialog):
            self.push_screen(LeaveDialog(), self._stop_and_leave)

    def _stop_and_leave(self, leave: bool | None) -> None:
        if not leave:
            return
        self.stopping = True
        if self.armed_run is None:
            self._leave()
            return
        self.armed_run = replace(self.armed_run, question=None)
        self._hand.stop()
        self.stop_waiting()

    def _leave(self) -> None:
        run = self.run_state
        failed = self._run_was_asked_for and (run is None or run.outcome is not Outcome.DONE)
        self.exit(1 if failed else 0, message=short_ending(run) if run else None)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers."""
        del screen
        yield from commands(self)


def run_app(
    desk: Desk,
    armory: Armory | None,
    *,
    cluster: str | None,
    runbook: str | None = None,
    roles: Mapping[str, str] | None = None,
    resume: PastRun | None = None,
) -> int:
    """Opens the console on this terminal; the exit code when it is left.

    With `runbook` the code is 0 only where that run ended as done, as with plain prompts. `roles`: those of its roles
    that were given a node on the command line. With `resume`, a run that is gone on with, it is that of its end.
    """
    app = ConsoleApp(desk, armory, cluster=cluster, runbook=runbook, roles=roles)
    if resume is not None:
        app.begin_with(resume)
    with orderly(app):
        code = app.run()
    return 1 if code is None else code
