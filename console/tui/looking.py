"""The half of the console that only looks: one frozen view a cluster, replaced by observations. It has no hands."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from console.core.runbooks.document import Runbook
from console.core.runs.past_run import PastRun
from console.engine.ports import ArchiveError, ConsoleContext
from console.tui import themes
from console.tui.file_tasks import FileTasks
from console.tui.keys import bindings_of
from console.tui.messages import ClusterObserved, FileTaskFailed, ObservationFailed, PastRunRead, RunsListed
from console.tui.observation_threads import ObservationThreads
from console.tui.screens.base import ConsoleScreen
from console.tui.view import ClusterView, absorb

KEYS_WAIT_AT_MOST = 0.001
"""Seconds after which a thread that polls lets the screen's go on; Python's own 5 ms are felt at the keys."""
OTHERS_EVERY = 5
"""Ticks between two looks at a cluster whose screen is not shown."""


class LookingApp(App[int]):
    """Asks for observations and keeps what came back; screens watch `views`."""

    TITLE = "redis-ha-console"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("app")
    ENABLE_COMMAND_PALETTE = True

    views: reactive[Mapping[str, ClusterView]] = reactive(types.MappingProxyType({}), init=False)
    past_runs: reactive[Mapping[str, PastRun] | None] = reactive(None, init=False)
    """The recorded runs by their ids, oldest first; None: not read yet."""

    def __init__(self, console_context: ConsoleContext, *, interval: float = 1.0) -> None:
        super().__init__()
        self.console_context = console_context
        self.file_tasks = FileTasks(self.post)
        self._observations = ObservationThreads(console_context.inspector, self.post)
        self._interval = interval
        self._ticks = 0
        self.set_reactive(
            LookingApp.views, _frozen({one.name: ClusterView(one) for one in console_context.inventory.clusters})
        )

    def on_mount(self) -> None:
        sys.setswitchinterval(KEYS_WAIT_AT_MOST)
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.first(no_color=self.no_color)
        self.open_first()
        self._tick()
        self.set_interval(self._interval, self._tick)

    def open_first(self) -> None:
        """Opens the screen to begin with."""

    def now(self) -> float:
        """Epoch seconds."""
        return self.console_context.clock.now()

    def shown_cluster(self) -> str:
        """The cluster of the topmost screen that is about one."""
        return next((one.cluster for one in reversed(self.screen_stack) if isinstance(one, ConsoleScreen)), "")

    def runbooks_for(self, cluster: str) -> tuple[Runbook, ...]:
        """Those that are made for this kind of cluster."""
        kind = self.views[cluster].spec.kind
        return tuple(one for one in self.console_context.runbooks if one.kind == kind)

    def looked_at_by_others(self, name: str) -> bool:
        """Whether somebody else's observations of this cluster come in often enough."""
        del name
        return False

    def _tick(self) -> None:
        """Asks for the clusters that are looked at; for the others now and then."""
        shown = self.shown_cluster()
        self._ticks += 1
        for name in self.views:
            if (not shown or name == shown or self._ticks % OTHERS_EVERY == 1) and not self.looked_at_by_others(name):
                self._observations.ask(name)

    def on_cluster_observed(self, message: ClusterObserved) -> None:
        name = message.state.name
        if name in self.views:
            self.views = _frozen({**self.views, name: absorb(self.views[name], message.state, self.now())})
            self.after_look(name)

    def after_look(self, name: str) -> None:
        """What follows on a new observation of this cluster."""

    def on_observation_failed(self, message: ObservationFailed) -> None:
        view = self.views[message.cluster]
        self.views = _frozen({**self.views, message.cluster: replace(view, trouble=message.reason)})

    # --- recorded runs ----------------------------------------------------------------------------------------------

    def list_runs(self) -> None:
        """Reads the recorded runs again; the screens hear of it."""
        if (archive := self.console_context.archive) is not None:
            self.file_tasks.send("reading the recorded runs", lambda: RunsListed(archive.summaries()))

    def read_run(self, run_id: str) -> None:
        """Reads one recorded run again."""
        archive = self.console_context.archive
        if archive is None:
            return

        def work() -> Message:
            try:
                return PastRunRead(archive.read(run_id))
            except ArchiveError as error:
                return FileTaskFailed(f"reading {run_id}", str(error))

        self.file_tasks.send(f"reading {run_id}", work)

    def on_runs_listed(self, message: RunsListed) -> None:
        self.past_runs = types.MappingProxyType({one.run_id: one for one in message.runs})

    def on_past_run_read(self, message: PastRunRead) -> None:
        self.past_runs = types.MappingProxyType({**(self.past_runs or {}), message.past.run_id: message.past})

    def on_file_task_failed(self, message: FileTaskFailed) -> None:
        self.notify(message.reason, title=message.name, severity="error", timeout=10, markup=False)

    def post(self, message: Message) -> None:
        """From any thread, at any time: after the end there is nobody to tell."""
        try:
            self.post_message(message)
        except RuntimeError:
            return

    def action_reconnect(self) -> None:
        shown = self.shown_cluster()
        for name in (shown,) if shown else tuple(self.views):
            self._observations.reconnect(name)
        self.notify("Trying the nodes that are away again.", timeout=2)

    def action_next_theme(self) -> None:
        self.theme = themes.after(self.theme)
        self.notify(f"Theme: {self.theme}", timeout=2)


def _frozen(views: dict[str, ClusterView]) -> Mapping[str, ClusterView]:
    return types.MappingProxyType(views)
