"""One recorded run: what it did and when, step by step or entry by entry; live while it is under way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from console.core.model import RunLock
from console.core.runs.past_run import PastRun, Standing
from console.tui.keys import bindings_of
from console.tui.present import cards
from console.tui.present import lock as present_lock
from console.tui.present import past_runs as present
from console.tui.present.words import BOLD, DIM, Lines, Part, fitted, line
from console.tui.screens.past_run_actions import PastRunsScreen
from console.tui.screens.run_dialogs import EntryDialog
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Item, Menu

PANES = ("steps", "entries")
REFRESH = 1.0
"""Seconds between two looks at a journal that is being written, or may be resumed."""


class RecordScreen(PastRunsScreen):
    """Reads only, whatever the run does. Without a journal on this machine it shows what the nodes tell."""

    PLACE = "record"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("record")
    AUTO_FOCUS = "#story"

    def __init__(self, run_id: str, cluster: str) -> None:
        super().__init__()
        self._run_id = run_id
        self._cluster = cluster
        self._pane = PANES[0]
        self._follows = True
        self._seen = 0
        """Entries at the last look: the view moves on only when there are more."""

    @property
    def past(self) -> PastRun | None:
        return (self.console_app.past_runs or {}).get(self._run_id)

    @property
    def cluster(self) -> str:
        return self._cluster if self._cluster in self.console_app.views else ""

    @property
    def live(self) -> bool:
        """Whether it is being written now."""
        return self.past is not None and self.past.standing is Standing.UNDER_WAY

    @property
    def _lock(self) -> RunLock | None:
        """What the nodes tell of it now; None: it holds no lock."""
        state = self.console_app.views[self.cluster].state if self.cluster else None
        return next((one for one in present_lock.others(state, "") if one.run_id == self._run_id), None)

    def place(self) -> str:
        return f"{self._cluster} > {self._run_id}"

    def body(self) -> Iterable[Widget]:
        nodes = LinesPane(self._draw_nodes, focusable=False, id="nodes")
        nodes.styles.height = len(self.console_app.views[self.cluster].spec.nodes) if self.cluster else 0
        yield nodes
        yield LinesPane(self._draw_title, focusable=False, id="title")
        yield LinesPane(self._draw_tabs, focusable=False, id="tabs")
        with Container(id="record"):
            yield LinesPane(self._draw_story, id="story", classes="pane -current")
            yield Menu(self._draw_entries, empty="No entry.", id="entries", classes="pane")

    def on_mount(self) -> None:
        super().on_mount()
        self.watch(self.app, "past_runs", self.paint, init=False)
        self.set_interval(REFRESH, self._read)
        self._read()
        self.paint()

    def _read(self) -> None:
        past = self.past
        if self._on_top and past is not None and past.standing in {Standing.UNDER_WAY, Standing.DIED}:
            self.console_app.read_run(self._run_id)
        elif self._on_top and past is None:
            self.console_app.list_runs()

    # --- what is shown ----------------------------------------------------------------------------------------------

    def paint(self) -> None:
        shown = self.cluster and (self.past is None or self.past.standing in {Standing.UNDER_WAY, Standing.DIED})
        self.query_one("#nodes").display = bool(shown)
        self.query_one("#tabs").display = self.past is not None
        super().paint()
        if self.past is not None and self._on_top and len(self.past.entries) != self._seen:
            self._seen = len(self.past.entries)
            if self.live and self._follows:
                self.call_after_refresh(self._to_the_newest)

    def _to_the_newest(self) -> None:
        story, past = self.query_one("#story", LinesPane), self.past
        if past is not None:
            y = present.line_of_newest(past, story.scrollable_content_region.width)
            story.scroll_to(y=max(0, y - story.size.height + 1), animate=False)
            self.query_one("#entries", Menu).choose(str(len(past.entries)))

    def _draw_nodes(self, width: int, _: int) -> Lines:
        state = self.console_app.views[self.cluster].state if self.cluster else None
        return cards.compact(state, self.console_app.now(), width) if state else ()

    def _draw_title(self, width: int, _: int) -> Lines:
        past = self.past
        if past is None:
            how = "» under way" if self._lock is not None else "? holds no lock any more"
            return (fitted(line((how, BOLD), "  as the nodes tell it: read-only"), width),)
        return (present.title(past, self.console_app.now(), width, follows=self.live and self._follows),)

    def _draw_tabs(self, width: int, _: int) -> Lines:
        parts: list[Part] = []
        for number, name in enumerate(PANES, start=1):
            parts += [(f" {number} {name} ", f"{BOLD} reverse" if name == self._pane else DIM), " "]
        return (fitted(line(*parts), width),)

    def _draw_story(self, width: int, _: int) -> Lines:
        past = self.past
        if past is not None:
            return present.story(past, width)
        lock = self._lock
        return present_lock.told(lock, width) if lock is not None else present_lock.gone(self._run_id, width)

    def _draw_entries(self, width: int) -> tuple[Item, ...]:
        entries = self.past.entries if self.past is not None else ()
        return tuple(Item(str(one.seq), (present.entry_line(one, width),)) for one in entries)

    # --- keys -------------------------------------------------------------------------------------------------------

    def action_pane(self, name: str) -> None:
        self._pane = name
        story, entries = self.query_one("#story"), self.query_one("#entries")
        story.set_class(name == "steps", "-current")
        entries.set_class(name == "entries", "-current")
        (story if name == "steps" else entries).focus()
        self.call_after_refresh(self.paint)
        if self.live and self._follows:
            self.call_after_refresh(self._to_the_newest)

    def action_detail(self) -> None:
        past = self.past
        if self._pane == "entries" and past is not None and (chosen := self.query_one("#entries", Menu).chosen):
            self.app.push_screen(EntryDialog(past.entries[int(chosen) - 1]))

    def action_follow(self) -> None:
        self._follows = not self._follows
        if self._follows:
            self._to_the_newest()
        self.paint()
