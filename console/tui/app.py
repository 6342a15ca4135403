"""The console: it begins with what the command line asked for, and it ends with an exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from console.core.runs.past.past_run import PastRun
from console.core.runs.state import Outcome
from console.engine.ports import BringKeys, ConsoleContext, RunStarter
from console.tui import themes
from console.tui.apps.command_palette import commands
from console.tui.apps.running_app import RunningApp
from console.tui.apps.signals import terminal_restored
from console.tui.keys import bindings_of
from console.tui.navigation import routes
from console.tui.navigation.routes import QuitQuestion
from console.tui.present.runs.run import exit_message
from console.tui.screens import register_screens
from console.tui.threads.current_run import ArmedView

_RUN_IS_ARMED = QuitQuestion(
    title="A run is armed",
    lines=(
        "If you quit, the run stops at its open or next question.",
        "A command that is being sent is not interrupted: the console waits for its answer.",
    ),
    leave="Stop the run, then quit",
)


class ConsoleApp(RunningApp):
    """The whole app. `cluster`, `runbook`, `roles` and `resume`: what it opens first."""

    TITLE = "redis-ha-console"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("app")
    ENABLE_COMMAND_PALETTE = True

    def __init__(  # noqa: PLR0913 - what the screen begins with
        self,
        console_context: ConsoleContext,
        run_starter: RunStarter | None,
        *,
        cluster: str | None = None,
        runbook: str | None = None,
        roles: Mapping[str, str] | None = None,
        bring_keys: BringKeys | None = None,
        interval: float = 1.0,
    ) -> None:
        super().__init__(console_context, run_starter, interval=interval)
        self.bring_keys = bring_keys
        register_screens()
        self._first_cluster = cluster
        self._first_runbook = runbook
        self._first_roles = dict(roles or {})
        self._first_past: PastRun | None = None
        self._run_requested = runbook is not None

    def begin_with(self, past: PastRun) -> None:
        """To be called before the app runs: it opens with this run, which is to be resumed."""
        self._first_past, self._run_requested = past, True

    # --- the first screens ------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.first_theme(no_color=self.no_color)
        names = tuple(self.views)
        self.open_screen(routes.CLUSTERS)
        if self._first_cluster or (len(names) == 1 and not self.console_context.inventory.unusable):
            self.open_screen(routes.CLUSTER, self._first_cluster or names[0])

    def watch_views(self) -> None:
        """Opens what was asked for as soon as the first observation of the cluster is there."""
        name = self.shown_cluster()
        if not name or self.views[name].state is None:
            return
        if self._first_runbook:
            runbook, self._first_runbook = self._first_runbook, None
            self._open_first_runbook(name, runbook)
        if self._first_past:
            past, self._first_past = self._first_past, None
            self.open_screen(routes.RESUME, past)

    def _open_first_runbook(self, cluster: str, name: str) -> None:
        found = next((one for one in self.runbooks_for(cluster) if one.name == name), None)
        if found is None:
            self.notify(f"There is no runbook {name} for cluster {cluster}.", severity="error")
        else:
            self.open_screen(routes.ARM, cluster, found, self._first_roles)

    # --- the end ----------------------------------------------------------------------------------------------------

    async def action_quit(self) -> None:
        """Ends the console at once while no run is armed; otherwise asks."""
        if self.armed_run is None:
            self._end()
        else:
            lines = (*self.left_by_run(), *_RUN_IS_ARMED.lines)
            self.open_screen(routes.QUIT, self._stop_and_end, replace(_RUN_IS_ARMED, lines=lines))

    def _stop_and_end(self) -> None:
        self.stop_run()
        if self.armed_run is None:
            self._end()

    def watch_armed_run(self, armed: ArmedView | None) -> None:
        """After the operator asked to quit, the end of the run ends the console."""
        if armed is None and self.stopping:
            self._end()

    def _end(self) -> None:
        run = self.run_state
        failed = self._run_requested and (run is None or run.outcome is not Outcome.DONE)
        self.exit(1 if failed else 0, message=exit_message(run) if run else None)

    # --- commands ---------------------------------------------------------------------------------------------------

    def action_next_theme(self) -> None:
        self.theme = themes.next_theme(self.theme)
        self.notify(f"Theme: {self.theme}", timeout=2)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers."""
        del screen
        yield from commands(self)


def run_app(  # noqa: PLR0913 - what the screen begins with
    console_context: ConsoleContext,
    run_starter: RunStarter | None,
    *,
    cluster: str | None,
    runbook: str | None = None,
    roles: Mapping[str, str] | None = None,
    resume: PastRun | None = None,
    bring_keys: BringKeys | None = None,
    mark: str = "",
) -> int:
    """Runs the console on this terminal and returns its exit code.

    With `runbook` the code is 0 only where that run ended as done, as with plain prompts. `roles` assigns nodes to
    roles of the runbook. `resume` is a run to resume; the code then says how that run ended. `bring_keys` brings kept
    keys back, on the terminal that the screen leaves to it; None: that is not offered. `mark` is a
    word in the header of every screen, where the cluster is not production.
    """
    app = ConsoleApp(console_context, run_starter, cluster=cluster, runbook=runbook, roles=roles, bring_keys=bring_keys)
    app.mark = mark
    if resume is not None:
        app.begin_with(resume)
    with terminal_restored(app):
        code = app.run()
    return 1 if code is None else code
