"""The console: the screens and the ways between them, over what it looks at and the run that it may hold armed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.app import SystemCommand
from textual.screen import Screen

from console.core.model import RunLock
from console.core.runs.past_run import PastRun
from console.core.runs.state import Outcome
from console.engine.ports import ConsoleContext, RunStarter
from console.tui.command_palette import commands
from console.tui.leaving import orderly
from console.tui.present.run import short_ending
from console.tui.running import RunningApp, Take
from console.tui.screens.base import ConsoleScreen
from console.tui.screens.cluster import ClusterScreen
from console.tui.screens.clusters import ClustersScreen
from console.tui.screens.dialogs import HelpDialog, LeaveDialog
from console.tui.screens.past_run import RecordScreen
from console.tui.screens.past_runs import RunsScreen
from console.tui.screens.resume import ResumeScreen
from console.tui.screens.run import RunScreen
from console.tui.screens.run_dialogs import LockedDialog
from console.tui.screens.runbooks import ArmScreen, RunbooksScreen


class ConsoleApp(RunningApp):
    """Opens screens, and is left."""

    def __init__(
        self,
        console_context: ConsoleContext,
        run_starter: RunStarter | None,
        *,
        cluster: str | None = None,
        runbook: str | None = None,
        roles: Mapping[str, str] | None = None,
        interval: float = 1.0,
    ) -> None:
        super().__init__(console_context, run_starter, interval=interval)
        self._first_cluster = cluster
        self._first_runbook = runbook
        self._first_roles = dict(roles or {})
        self._first_past: PastRun | None = None
        self._run_was_asked_for = runbook is not None

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
            self.show_run(self.armed_run.cluster)
        else:
            self.push_screen(RunbooksScreen(cluster))

    def open_arming(self, cluster: str, runbook: str, roles: Mapping[str, str] | None = None) -> None:
        """`roles`: those that the operator has given a node already."""
        found = next((one for one in self.runbooks_for(cluster) if one.name == runbook), None)
        if found is None:
            self.notify(f"There is no runbook {runbook} for cluster {cluster}.", severity="error", markup=False)
        elif self.armed_run is not None:
            self.show_run(self.armed_run.cluster)
        else:
            self._back_to(ClusterScreen, RunbooksScreen)
            self.push_screen(ArmScreen(cluster, found, roles or {}))

    def open_runs(self, cluster: str) -> None:
        """The recorded runs; of this cluster first, where one is named."""
        self.push_screen(RunsScreen(cluster))

    def open_record(self, run_id: str, cluster: str) -> None:
        """A recorded run, or one that the nodes tell of; the one that is armed here is shown where it is answered."""
        if self.armed_run is not None and self.run_state is not None and self.run_state.run_id == run_id:
            self.show_run(self.armed_run.cluster)
        else:
            self.push_screen(RecordScreen(run_id, cluster))

    def begin_with(self, past: PastRun) -> None:
        """Before it is shown: opens with this run, which is to be gone on with."""
        self._first_past, self._run_was_asked_for = past, True

    def open_resuming(self, past: PastRun) -> None:
        """What the journal says of a run, before it is gone on with."""
        self.push_screen(ResumeScreen(past))

    def show_run(self, cluster: str) -> None:
        self._back_to(ClusterScreen, RunScreen)
        if not isinstance(self.screen, RunScreen):
            self.push_screen(RunScreen(cluster))

    def leave_run(self) -> None:
        if isinstance(self.screen, RunScreen):
            self.pop_screen()

    def show_holder(self, holder: RunLock, take: Take | None) -> None:
        self.push_screen(LockedDialog(holder, lambda: self.open_record(holder.run_id, holder.cluster), take))

    def run_is_over(self) -> None:
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
        self.stop_run()
        if self.armed_run is None:
            self._leave()

    def _leave(self) -> None:
        run = self.run_state
        failed = self._run_was_asked_for and (run is None or run.outcome is not Outcome.DONE)
        self.exit(1 if failed else 0, message=short_ending(run) if run else None)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers."""
        del screen
        yield from commands(self)


def run_app(
    console_context: ConsoleContext,
    run_starter: RunStarter | None,
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
    app = ConsoleApp(console_context, run_starter, cluster=cluster, runbook=runbook, roles=roles)
    if resume is not None:
        app.begin_with(resume)
    with orderly(app):
        code = app.run()
    return 1 if code is None else code
