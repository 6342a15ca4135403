"""The console: one frozen view a cluster, replaced by observations; a run, where one is armed. Screens only look."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen

from console.core.run import Decision, Outcome, Question, RunState
from console.core.runbook import Runbook
from console.engine.ports import ArmedRun, ArmingError, Armory, Desk
from console.tui import themes
from console.tui.bindings import bindings_of
from console.tui.eyes import Eyes
from console.tui.messages import (
    ArmingRefused,
    ClusterObserved,
    ObservationFailed,
    QuestionAsked,
    RunAdvanced,
    RunBroke,
    RunEnded,
)
from console.tui.operator import ScreenOperator
from console.tui.present.run import short_ending
from console.tui.screens.base import ConsoleScreen
from console.tui.screens.cluster import ClusterScreen
from console.tui.screens.clusters import ClustersScreen
from console.tui.screens.dialogs import HelpDialog, LeaveDialog
from console.tui.screens.run import RunScreen
from console.tui.screens.runbooks import ArmScreen, RunbooksScreen
from console.tui.view import ClusterView, absorb

KEYS_WAIT_AT_MOST = 0.001
"""Seconds after which a thread that polls lets the screen's go on; Python's own 5 ms are felt at the keys."""
RUN_LOOKS_ITSELF = 3.0
"""Seconds: while a run works, its own observations are shown, and ours fill the gaps that are longer."""


@dataclass(frozen=True, slots=True)
class ArmedView:
    """The armed run as the screens show it. It exists from arming to the end of the run, and only then."""

    cluster: str
    runbook: Runbook
    question: Question | None = None
    """What the runner waits for."""


class ConsoleApp(App[int]):
    """Asks, keeps what came back, opens screens. Without an armory it can change nothing."""

    TITLE = "redis-ha-console"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("app")
    ENABLE_COMMAND_PALETTE = True

    views: reactive[Mapping[str, ClusterView]] = reactive(types.MappingProxyType({}), init=False)
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
        super().__init__()
        self.desk = desk
        self.stopping = False
        """The operator wants to quit: the run is to stop at its next question."""
        self._armory = armory
        self._eyes = Eyes(desk.inspector, self._post)
        self._operator: ScreenOperator | None = None
        self._armed: ArmedRun | None = None
        self._first_cluster = cluster
        self._first_runbook = runbook
        self._first_roles = dict(roles or {})
        self._run_was_asked_for = runbook is not None
        self._interval = interval
        self._ticks = 0
        self.set_reactive(ConsoleApp.views, _frozen({one.name: ClusterView(one) for one in desk.inventory.clusters}))

    # --- looking ----------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        sys.setswitchinterval(KEYS_WAIT_AT_MOST)
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.first(no_color=self.no_color)
        names = tuple(self.views)
        self.push_screen(ClustersScreen())
        if self._first_cluster or len(names) == 1:
            self.open_cluster(self._first_cluster or names[0])
        self._tick()
        self.set_interval(self._interval, self._tick)

    def on_unmount(self) -> None:
        """Whatever ends the screen, a runner that waits for its answer is not left waiting."""
        if self._operator is not None:
            self._operator.stop()

    def now(self) -> float:
        """Epoch seconds."""
        return self.desk.clock.now()

    def _tick(self) -> None:
        """Asks for the clusters that are looked at; for the others now and then."""
        shown = self._shown_cluster()
        self._ticks += 1
        for name in self.views:
            if (not shown or name == shown or self._ticks % 5 == 1) and not self._run_looks_at(name):
                self._eyes.ask(name)

    def _run_looks_at(self, name: str) -> bool:
        run, age = self.armed_run, self.views[name].age(self.now())
        if run is None or run.cluster != name or run.question is not None:
            return False
        return age is not None and age < RUN_LOOKS_ITSELF

    def _shown_cluster(self) -> str:
        """The cluster of the topmost screen that is about one."""
        return next((one.cluster for one in reversed(self.screen_stack) if isinstance(one, ConsoleScreen)), "")

    def on_cluster_observed(self, message: ClusterObserved) -> None:
        name = message.state.name
        if name in self.views:
            self.views = _frozen({**self.views, name: absorb(self.views[name], message.state, self.now())})
        if self._first_runbook and name == self._shown_cluster():
            runbook, self._first_runbook = self._first_runbook, None
            self.open_arming(name, runbook, self._first_roles)

    def on_observation_failed(self, message: ObservationFailed) -> None:
        view = self.views[message.cluster]
        self.views = _frozen({**self.views, message.cluster: replace(view, trouble=message.reason)})

    def _post(self, message: Message) -> None:
        """From any thread, at any time: after the end there is nobody to tell."""
        try:
            self.post_message(message)
        except RuntimeError:
            return

    # --- screens ----------------------------------------------------------------------------------------------------

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

    def runbooks_for(self, cluster: str) -> tuple[Runbook, ...]:
        """Those that are made for this kind of cluster."""
        kind = self.views[cluster].spec.kind
        return tuple(one for one in self.desk.runbooks if one.kind == kind)

    def _open_run(self, cluster: str) -> None:
        self._back_to(ClusterScreen, RunScreen)
        if not isinstance(self.screen, RunScreen):
            self.push_screen(RunScreen(cluster))

    # --- a run ------------------------------------------------------------------------------------------------------

    @property
    def may_arm(self) -> bool:
        """Whether this console was given what arms runs, and none is armed."""
        return self._armory is not None and self.armed_run is None

    def arm(self, cluster: str, runbook: Runbook, roles: Mapping[str, str]) -> None:
        """Arms and starts a run, in a thread that nothing cancels: what was sent cannot be called back by a screen."""
        if self._armory is None or self.armed_run is not None:
            return
        self._operator = ScreenOperator(self._post)
        self.run_state = None
        self.armed_run = ArmedView(cluster, runbook)
        self._open_run(cluster)
        armory, operator = self._armory, self._operator

        def work() -> None:
            try:
                self._armed = armed = armory.arm(cluster, runbook, roles)
                self._post(RunAdvanced(armed.state))
                self._post(RunEnded(armed.execute(operator)))
            except ArmingError as error:
                self._post(ArmingRefused(str(error)))
            except Exception as error:  # noqa: BLE001  the screen must live to say it
                self._post(RunBroke(f"{type(error).__name__}: {error}"))

        self.run_worker(
            work, name=f"run {runbook.name}", group="run", thread=True, exclusive=False, exit_on_error=False
        )

    def answer(self, question: Question, decision: Decision) -> None:
        """Hands the operator's decision to the runner."""
        if self._operator is not None and self._operator.answer(question, decision) and self.armed_run:
            self.armed_run = replace(self.armed_run, question=None)

    def stop_waiting(self) -> None:
        """Ends the wait for a proof: the run asks what to do then. Nothing that was sent is called back."""
        if self._armed is not None:
            self._armed.stop_waiting()

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

    def on_run_broke(self, message: RunBroke) -> None:
        self._disarm()
        text = f"The run ended by a fault of the console: {message.reason}. Look at the cluster before you go on."
        self.notify(text, severity="error", timeout=60, markup=False)

    def _disarm(self) -> None:
        self.armed_run = None
        self._operator = None
        self._armed = None
        if self.stopping:
            self._leave()

    # --- keys and commands --------------------------------------------------------------------------------------------

    def action_help(self) -> None:
        if isinstance(self.screen, HelpDialog):
            self.pop_screen()
        else:
            self.push_screen(HelpDialog())

    def action_reconnect(self) -> None:
        shown = self._shown_cluster()
        for name in (shown,) if shown else tuple(self.views):
            self._eyes.reconnect(name)
        self.notify("Trying the nodes that are away again.", timeout=2)

    def action_next_theme(self) -> None:
        self.theme = themes.after(self.theme)
        self.notify(f"Theme: {self.theme}", timeout=2)

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
        if self.armed_run is None or self._operator is None:
            self._leave()
            return
        self.armed_run = replace(self.armed_run, question=None)
        self._operator.stop()
        self.stop_waiting()

    def _leave(self) -> None:
        run = self.run_state
        failed = self._run_was_asked_for and (run is None or run.outcome is not Outcome.DONE)
        self.exit(1 if failed else 0, message=short_ending(run) if run else None)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers."""
        del screen
        for name in self.views:
            yield SystemCommand(
                f"Open cluster {name}", "Its nodes, findings and history", lambda n=name: self.open_cluster(n)
            )
        shown = self._shown_cluster()
        for one in self.runbooks_for(shown) if shown else ():
            yield SystemCommand(
                f"Runbook {one.name} on {shown}", one.title, lambda n=one.name: self.open_arming(shown, n)
            )
        yield SystemCommand("Reconnect", "Try the nodes that are away again, now", self.action_reconnect)
        yield SystemCommand("Theme", "Dark, light, high contrast, the terminal's own colours", self.search_themes)
        yield SystemCommand("Help", "Every key and every word", self.action_help)
        yield SystemCommand("Quit", "Leave the console; asks first while a run is armed", self.action_quit)


def run_app(
    desk: Desk,
    armory: Armory | None,
    *,
    cluster: str | None,
    runbook: str | None = None,
    roles: Mapping[str, str] | None = None,
) -> int:
    """Opens the console on this terminal; the exit code when it is left.

    With `runbook` the code is 0 only where that run ended as done, as with plain prompts. `roles`: those of its roles
    that were given a node on the command line.
    """
    app = ConsoleApp(desk, armory, cluster=cluster, runbook=runbook, roles=roles)
    code = app.run()
    return 1 if code is None else code


def _frozen(views: dict[str, ClusterView]) -> Mapping[str, ClusterView]:
    return types.MappingProxyType(views)
