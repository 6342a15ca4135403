from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from dataclasses import replace

from textual.message import Message
from textual.reactive import reactive

from console.core.runbooks.document import Runbook
from console.core.runs.past.past_run import PastRun
from console.engine.ports import ArchiveError, ConsoleContext
from console.tui.apps.navigating_app import NavigatingApp
from console.tui.state.cluster_view import ClusterView, absorb
from console.tui.threads.file_tasks import FileTasks
from console.tui.threads.messages import (
    ClusterObserved,
    FileTaskFailed,
    ObservationFailed,
    PastRunRead,
    PastRunsListed,
)
from console.tui.threads.observation_threads import ObservationThreads

THREAD_SWITCH_INTERVAL = 0.001
"""Seconds after which a thread gives way to the thread of the screen. Python's own 5 ms delay the keys noticeably."""
TICKS_BETWEEN_OTHERS = 5
"""Ticks between two observations of a cluster whose screen is not shown."""


class ObservingApp(NavigatingApp):
    """Requests observations and keeps their results: one frozen view a cluster. It cannot change a server.

    Screens watch `views` and `past_runs`.
    """

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
            ObservingApp.views, _frozen({one.name: ClusterView(one) for one in console_context.inventory.clusters})
        )

    def on_mount(self) -> None:
        sys.setswitchinterval(THREAD_SWITCH_INTERVAL)
        self._tick()
        self.set_interval(self._interval, self._tick)

    def now(self) -> float:
        """Epoch seconds."""
        return self.console_context.clock.now()

    def runbooks_for(self, cluster: str) -> tuple[Runbook, ...]:
        """The runbooks for this kind of cluster."""
        kind = self.views[cluster].spec.kind
        return tuple(one for one in self.console_context.runbooks if one.kind == kind)

    # --- observations -----------------------------------------------------------------------------------------------

    def observed_by_run(self, name: str) -> bool:
        """Whether an armed run observes this cluster often enough."""
        del name
        return False

    def _tick(self) -> None:
        """Requests observations of the clusters on the screen; of the others every few ticks."""
        shown = self.shown_cluster()
        self._ticks += 1
        for name in self.views:
            due = not shown or name == shown or self._ticks % TICKS_BETWEEN_OTHERS == 1
            if due and not self.observed_by_run(name):
                self._observations.request(name)

    def on_cluster_observed(self, message: ClusterObserved) -> None:
        name = message.state.name
        if name in self.views:
            self.views = _frozen({**self.views, name: absorb(self.views[name], message.state, self.now())})

    def on_observation_failed(self, message: ObservationFailed) -> None:
        view = self.views[message.cluster]
        self.views = _frozen({**self.views, message.cluster: replace(view, trouble=message.reason)})

    def action_reconnect(self) -> None:
        shown = self.shown_cluster()
        for name in (shown,) if shown else tuple(self.views):
            self._observations.reconnect(name)
        self.notify("Reconnecting to the nodes that do not answer.", timeout=2)

    # --- recorded runs ----------------------------------------------------------------------------------------------

    def list_past_runs(self) -> None:
        """Reads the list of recorded runs again."""
        if (archive := self.console_context.archive) is not None:
            self.file_tasks.start("reading the recorded runs", lambda: PastRunsListed(archive.summaries()))

    def read_past_run(self, run_id: str) -> None:
        """Reads one recorded run again."""
        archive = self.console_context.archive
        if archive is None:
            return

        def work() -> Message:
            try:
                return PastRunRead(archive.read(run_id))
            except ArchiveError as error:
                return FileTaskFailed(f"reading {run_id}", str(error))

        self.file_tasks.start(f"reading {run_id}", work)

    def on_past_runs_listed(self, message: PastRunsListed) -> None:
        self.past_runs = types.MappingProxyType({one.run_id: one for one in message.runs})

    def on_past_run_read(self, message: PastRunRead) -> None:
        self.past_runs = types.MappingProxyType({**(self.past_runs or {}), message.past.run_id: message.past})

    def on_file_task_failed(self, message: FileTaskFailed) -> None:
        self.notify(message.reason, title=message.name, severity="error", timeout=10)

    def post(self, message: Message) -> None:
        """Posts a message from any thread. After the end of the app it does nothing."""
        try:
            self.post_message(message)
        except RuntimeError:
            return


def _frozen(views: dict[str, ClusterView]) -> Mapping[str, ClusterView]:
    return types.MappingProxyType(views)
