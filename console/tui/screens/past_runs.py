"""The recorded runs, newest first, and those that the nodes tell of: filtered, opened, followed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from console.core.model import RunLock
from console.core.runs.past_run import PastRun
from console.tui.keys import bindings_of
from console.tui.present import lock as present_lock
from console.tui.present import past_runs as present
from console.tui.present.words import DIM, Lines, counted, fitted, line
from console.tui.screens.past_run_actions import PastRunsScreen
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Item, Menu

REFRESH = 2.0
"""Seconds between two looks at the folder of the runs, while its list is on the screen."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run of the list: from its journal, or from the lock that it holds on the nodes."""

    run_id: str
    at: str
    cluster: str
    runbook: str
    who: str
    sign: present.Sign
    past: PastRun | None = None

    @property
    def text(self) -> str:
        """What a filter looks in."""
        return " ".join((self.run_id, self.cluster, self.runbook, self.who, self.sign[1])).lower()


class RunsScreen(PastRunsScreen):
    """A line a run; the keys act on the one under the cursor."""

    PLACE = "runs"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("runs")
    AUTO_FOCUS = "#runs"

    def __init__(self, cluster: str) -> None:
        super().__init__()
        self._cluster = cluster
        self._everywhere = not cluster
        self._rows: tuple[Row, ...] = ()

    @property
    def cluster(self) -> str:
        return self._cluster

    @property
    def past(self) -> PastRun | None:
        return (self.console_app.past_runs or {}).get(self.query_one(Menu).chosen)

    def place(self) -> str:
        return f"{self._cluster} > runs" if self._cluster else "runs"

    def body(self) -> Iterable[Widget]:
        yield LinesPane(self._draw_scope, focusable=False, id="scope")
        yield LinesPane(self._draw_head, focusable=False, id="columns")
        yield Menu(self._draw_items, empty="", id="runs")
        yield Input(placeholder="cluster, runbook, who, how it ended", compact=True, id="filter")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#filter").display = False
        self.watch(self.app, "past_runs", self.paint, init=False)
        self.set_interval(REFRESH, self._read)
        self._read()

    def _read(self) -> None:
        if self._on_top:
            self.console_app.list_runs()

    # --- what is shown ----------------------------------------------------------------------------------------------

    def paint(self) -> None:
        self._rows = self._found()
        super().paint()

    def _found(self) -> tuple[Row, ...]:
        """Newest first: the journals on this machine, and the runs of others that hold a lock."""
        past = self.console_app.past_runs or {}
        rows = [_of_journal(one) for one in past.values()]
        states = (view.state for view in self.console_app.views.values())
        rows += [_of_lock(one) for state in states for one in present_lock.others(state, "") if one.run_id not in past]
        wanted = self.query_one("#filter", Input).value.lower().split()
        kept = (
            row
            for row in rows
            if (self._everywhere or row.cluster == self._cluster) and all(word in row.text for word in wanted)
        )
        return tuple(sorted(kept, key=lambda row: (row.at, row.run_id), reverse=True))

    @property
    def _widths(self) -> tuple[int, int]:
        return present.columns((row.cluster, row.runbook) for row in self._rows)

    def _draw_scope(self, width: int, _: int) -> Lines:
        app, typed = self.console_app, self.query_one("#filter", Input).value
        scope = "all clusters" if self._everywhere else f"cluster {self._cluster}"
        found = f"{counted(len(self._rows), 'run')}, {scope}" + (f", with “{typed}”" if typed else "")
        if app.console_context.archive is None:
            found = "This console was not given the recorded runs."
        elif app.past_runs is None:
            found = "Reading the recorded runs."
        elif not self._rows:
            other = "" if self._everywhere or typed else " c shows those of all clusters."
            found = f"No run is recorded: {scope}" + (f", with “{typed}”." if typed else f".{other}")
        return (fitted(line(found), width),)

    def _draw_head(self, width: int, _: int) -> Lines:
        return (fitted(present.list_head(self._widths), width),) if self._rows else (line(("", DIM)),)

    def _draw_items(self, width: int) -> tuple[Item, ...]:
        now, widths = self.console_app.now(), self._widths
        return tuple(Item(row.run_id, (self._line(row, now, width, widths),)) for row in self._rows)

    def _line(self, row: Row, now: float, width: int, widths: tuple[int, int]) -> Content:
        when = present.day_and_time(row.at, now)
        return fitted(present.list_line(row.sign, when, (row.cluster, row.runbook), row.who, widths), width)

    # --- keys -------------------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        chosen = self.query_one(Menu).chosen
        row = next((one for one in self._rows if one.run_id == chosen), None)
        if row is not None:
            self.console_app.open_record(row.run_id, row.cluster)

    def action_scope(self) -> None:
        self._everywhere = not self._everywhere or not self._cluster
        self.paint()

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    def action_back(self) -> None:
        """Takes the filter away first, where there is one."""
        field = self.query_one("#filter", Input)
        if field.display:
            field.value, field.display = "", False
            self.query_one(Menu).focus()
            self.paint()
        else:
            super().action_back()

    @on(Input.Changed, "#filter")
    def filtered(self) -> None:
        self.paint()

    @on(Input.Submitted, "#filter")
    def keep_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.display = bool(field.value)
        self.query_one(Menu).focus()


def _of_journal(past: PastRun) -> Row:
    at = past.opened_at or ""
    return Row(past.run_id, at, past.cluster, past.runbook, past.operator, present.sign_of(past), past)


def _of_lock(lock: RunLock) -> Row:
    who = f"{lock.operator} (elsewhere)"
    return Row(lock.run_id, present_lock.since(lock), lock.cluster, lock.runbook, who, present_lock.UNDER_WAY)
