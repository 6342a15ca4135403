from __future__ import annotations

import sys
import types
from collections.abc import Mapping

from textual.message import Message
from textual.reactive import reactive

from console.core.changes.own_clock import OwnClock
from console.core.diagnosis.finding import Health
from console.core.quantities import capital
from console.core.runbooks.document import Runbook
from console.core.runs.past.past_run import PastRun
from console.engine.ports import ArchiveError, ConsoleContext
from console.tui.apps.live_views import LiveViews
from console.tui.apps.navigating_app import NavigatingApp
from console.tui.state.cluster_view import ClusterView
from console.tui.state.turns import due
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
BEAT = 1.0
"""Seconds between two beats of the only timer: what is due is observed, and ages go on."""

DRAWN_AT_ONCE = 20
"""Up to so many clusters each observation is drawn as it comes. Of more, those of a second are drawn together."""


class ObservingApp(NavigatingApp):
    """Requests observations and keeps their results: one frozen view a cluster. It cannot change a server.

    Screens watch `views` and `past_runs`.
    """

    views: reactive[Mapping[str, ClusterView]] = reactive(
        types.MappingProxyType({}), init=False, repaint=False, always_update=True
    )
    past_runs: reactive[Mapping[str, PastRun] | None] = reactive(None, init=False, repaint=False)
    """The recorded runs by their ids, oldest first; None: not read yet."""

    def __init__(self, console_context: ConsoleContext, *, interval: float = 1.0) -> None:
        super().__init__()
        self.console_context = console_context
        self.file_tasks = FileTasks(self.post)
        clusters = console_context.inventory.clusters
        self._live_views = LiveViews(clusters, self.now, self.post, self._shown_at_once)
        self._observations = ObservationThreads(console_context.inspector, self.post)
        self._own_clock = OwnClock()
        self._beats_a_tick = max(1, round(interval / BEAT))
        self._beats = self._ticks = 0
        self._shown = ""
        """The cluster whose screen was shown at the last tick."""
        self.set_reactive(ObservingApp.views, _frozen({one.name: ClusterView(one) for one in clusters}))

    def on_mount(self) -> None:
        sys.setswitchinterval(THREAD_SWITCH_INTERVAL)
        self._tick()
        self.set_interval(BEAT, self._beat)

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

    def _beat(self) -> None:
        if not self.is_running:  # it ends: screens that are still listed have no widgets any more
            return
        self._beats += 1
        self.on_views_changed()
        if news := self._own_clock.news(self.console_context.clock.set_by()):
            self.notify(capital(news), severity="warning", timeout=30)
        if self._beats % self._beats_a_tick == 0:
            self._tick()
        for screen in self.screen_stack:
            if hasattr(screen, "second_passed"):  # something on it changes by time alone
                screen.second_passed()

    def _tick(self) -> None:
        """Requests observations of the clusters whose turn it is."""
        self._ticks += 1
        self._shown = self.shown_cluster()
        names = due(tuple(self.views), self._shown, self._ticks)
        self._observations.request_all([name for name in names if not self.observed_by_run(name)], BEAT)

    def _shown_at_once(self, cluster: str) -> bool:
        """Whether an observation of this cluster is drawn as it comes. The others wait for the next beat."""
        return cluster == self._shown or len(self.views) <= DRAWN_AT_ONCE

    def on_views_changed(self) -> None:
        if changed := self._live_views.take():
            self.views = _frozen({**self.views, **changed})

    def action_reconnect(self) -> None:
        """Reconnects to the nodes of the cluster on the screen; on the list, of every cluster that is not healthy."""
        shown = self.shown_cluster()
        not_healthy = (name for name, view in self.views.items() if view.health is not Health.HEALTHY)
        for name in (shown,) if shown else tuple(not_healthy):
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
        """Posts a message from any thread. After the end of the app it does nothing.

        What was observed is judged in the calling thread first.
        """
        if isinstance(message, ClusterObserved):
            self._live_views.observed(message.state)
            return
        if isinstance(message, ObservationFailed):
            self._live_views.failed(message.cluster, message.reason)
            return
        try:
            self.post_message(message)
        except RuntimeError:
            return


def _frozen(views: dict[str, ClusterView]) -> Mapping[str, ClusterView]:
    return types.MappingProxyType(views)
