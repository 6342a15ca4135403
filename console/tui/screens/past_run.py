from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from console.core.model import RunLock
from console.core.runs.past.past_run import PastRun, Standing
from console.tui.keys import Key, bindings_of
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.clusters import cards
from console.tui.present.formatting import BOLD, DIM, Lines, Part, fitted, line
from console.tui.present.runs import past_run as present
from console.tui.present.runs.journal import entry_line
from console.tui.present.runs.lock import lock_gone_lines, lock_lines, locks_of_others
from console.tui.present.runs.times import day_and_time
from console.tui.screens.past_run_base import PastRunActions
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Item, Menu

PANES = ("steps", "entries")
REFRESH = 1.0
"""Seconds between two readings of a journal that is still written or may be resumed."""


class PastRunScreen(PastRunActions):
    """One recorded run by steps or by entries, followed while it is under way. It never changes anything.

    Where the journal is not on this machine, it shows what the lock on the nodes says.
    """

    PLACE = "record"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("record")
    AUTO_FOCUS = "#past-steps"

    def __init__(self, run_id: str, cluster: str) -> None:
        super().__init__()
        self._run_id = run_id
        self._cluster = cluster
        self._pane = PANES[0]
        self._follows = True
        self._entries_drawn = 0
        """How many entries were drawn last: the pane scrolls only when there are more."""

    @property
    def past(self) -> PastRun | None:
        return (self.console_app.past_runs or {}).get(self._run_id)

    @property
    def cluster(self) -> str:
        return self._cluster if self._cluster in self.console_app.views else ""

    @property
    def live(self) -> bool:
        """Whether a console writes its journal now."""
        return self.past is not None and self.past.standing is Standing.UNDER_WAY

    @property
    def _lock(self) -> RunLock | None:
        """The lock that the run holds on the nodes; None: it holds none."""
        state = self.console_app.views[self.cluster].state if self.cluster else None
        return next((one for one in locks_of_others(state, "") if one.run_id == self._run_id), None)

    def footer_keys(self) -> tuple[Key, ...]:
        return tuple(one for one in super().footer_keys() if self.live or one.action != "follow")

    def breadcrumb(self) -> str:
        """The runbook and the time: the whole id would be cut, and the page has it."""
        past = self.past
        if past is None:
            return f"{self._cluster} > {self._run_id}"
        return f"{self._cluster} > {past.runbook} of {day_and_time(past.opened_at, self.console_app.now())}"

    def body(self) -> Iterable[Widget]:
        nodes = LinesPane(self._draw_nodes, focusable=False, id="nodes")
        nodes.styles.height = len(self.console_app.views[self.cluster].spec.nodes) if self.cluster else 0
        yield nodes
        yield LinesPane(self._draw_title, focusable=False, id="title")
        yield self.kept_line()
        yield LinesPane(self._draw_tabs, focusable=False, id="tabs")
        with Container(id="record"):
            yield LinesPane(self._draw_run, id="past-steps", classes="pane -current")
            yield Menu(self._draw_entries, empty="No entry.", id="entries", classes="pane")

    def on_mount(self) -> None:
        self.watch(self.app, "past_runs", self.paint, init=False)
        self.set_interval(REFRESH, self._reread)
        self._reread()
        self.paint()

    def _reread(self) -> None:
        past = self.past
        if self._on_top and past is not None and past.standing in {Standing.UNDER_WAY, Standing.DIED}:
            self.console_app.read_past_run(self._run_id)
        elif self._on_top and past is None:
            self.console_app.list_past_runs()

    # --- what is shown ----------------------------------------------------------------------------------------------

    def paint(self) -> None:
        shown = self.cluster and (self.past is None or self.past.standing in {Standing.UNDER_WAY, Standing.DIED})
        self.query_one("#nodes").display = bool(shown)
        self.query_one("#tabs").display = self.past is not None
        super().paint()
        if self.past is not None and self._on_top and len(self.past.entries) != self._entries_drawn:
            self._entries_drawn = len(self.past.entries)
            if self.live and self._follows:
                self.call_after_refresh(self._scroll_to_newest)

    def _scroll_to_newest(self) -> None:
        steps, past = self.query_one("#past-steps", LinesPane), self.past
        if past is not None:
            y = present.newest_line(past, steps.scrollable_content_region.width)
            steps.scroll_to(y=max(0, y - steps.size.height + 1), animate=False)
            self.query_one("#entries", Menu).choose(str(len(past.entries)))

    def _draw_nodes(self, width: int, _: int) -> Lines:
        state = self.console_app.views[self.cluster].state if self.cluster else None
        return cards.compact(state, self.console_app.now(), width) if state else ()

    def _draw_title(self, width: int, _: int) -> Lines:
        past = self.past
        if past is None:
            status = "» under way" if self._lock is not None else "? holds no lock any more"
            return (fitted(line((status, BOLD), "  by its lock on the nodes, read-only"), width),)
        return (present.title(past, self.console_app.now(), width, follows=self.live and self._follows),)

    def _draw_tabs(self, width: int, _: int) -> Lines:
        parts: list[Part] = []
        for number, name in enumerate(PANES, start=1):
            parts += [(f" {number} {name} ", f"{BOLD} reverse" if name == self._pane else DIM), " "]
        return (fitted(line(*parts), width),)

    def _draw_run(self, width: int, _: int) -> Lines:
        past = self.past
        if past is not None:
            return present.past_run_lines(past, width)
        lock = self._lock
        return lock_lines(lock, width) if lock is not None else lock_gone_lines(self._run_id, width)

    def _draw_entries(self, width: int) -> tuple[Item, ...]:
        entries = self.past.entries if self.past is not None else ()
        return tuple(Item(str(one.seq), (entry_line(one, width),)) for one in entries)

    # --- keys -------------------------------------------------------------------------------------------------------

    def action_pane(self, name: str) -> None:
        self._pane = name
        steps, entries = self.query_one("#past-steps"), self.query_one("#entries")
        steps.set_class(name == "steps", "-current")
        entries.set_class(name == "entries", "-current")
        (steps if name == "steps" else entries).focus()
        self.call_after_refresh(self.paint)
        if self.live and self._follows:
            self.call_after_refresh(self._scroll_to_newest)

    def action_detail(self) -> None:
        past = self.past
        if self._pane == "entries" and past is not None and (chosen := self.query_one("#entries", Menu).chosen):
            self.console_app.open_screen(routes.JOURNAL_ENTRY, past.entries[int(chosen) - 1])

    def action_follow(self) -> None:
        self._follows = not self._follows
        if self._follows:
            self._scroll_to_newest()
        self.paint()


register(routes.PAST_RUN, PastRunScreen)
