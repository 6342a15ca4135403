"""The list of recorded runs, newest first, with the runs of other operators that hold a lock now.

Those on clusters of this inventory come before the others.
"""

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
from console.core.quantities import counted
from console.core.runs.past.kept_keys import kept_note, reminders
from console.core.runs.past.past_run import PastRun
from console.engine.sessions.whose_runs import is_of
from console.tui.keys import bindings_of
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.formatting import DIM, Lines, fitted, line
from console.tui.present.runs.lock import UNDER_WAY, armed_at, locks_of_others
from console.tui.present.runs.past_run_list import column_widths, list_head, list_line
from console.tui.present.runs.standing import Sign, sign_of
from console.tui.present.runs.times import day_and_time
from console.tui.screens.past_run_base import PastRunActions
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Item, Menu

OTHER = "≠"
"""Before the name of a cluster that is none of this inventory."""
REFRESH = 2.0
"""Seconds between two readings of the folder of runs while the list is shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run of the list, from its journal or from the lock that it holds."""

    run_id: str
    at: str
    cluster: str
    runbook: str
    operator: str
    sign: Sign
    past: PastRun | None = None
    own: bool = True
    """It was on a cluster of this inventory. Other inventories may have clusters of the same name."""

    @property
    def name(self) -> str:
        """The cluster, as the list names it."""
        return self.cluster if self.own else f"{OTHER} {self.cluster}"

    @property
    def text(self) -> str:
        """The text that a filter searches."""
        return " ".join((self.run_id, self.cluster, self.runbook, self.operator, self.sign[1])).lower()


class PastRunsScreen(PastRunActions):
    """One line for each run; the keys act on the run under the cursor."""

    PLACE = "runs"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("runs")
    AUTO_FOCUS = "#runs"

    def __init__(self, cluster: str) -> None:
        super().__init__()
        self._cluster = cluster
        self._all_clusters = not cluster
        self._rows: tuple[Row, ...] = ()

    @property
    def cluster(self) -> str:
        return self._cluster

    @property
    def past(self) -> PastRun | None:
        return (self.console_app.past_runs or {}).get(self.query_one(Menu).chosen)

    def breadcrumb(self) -> str:
        return f"{self._cluster} > runs" if self._cluster else "runs"

    def body(self) -> Iterable[Widget]:
        yield LinesPane(self._draw_scope, focusable=False, id="scope")
        yield LinesPane(self._draw_head, focusable=False, id="columns")
        yield Menu(self._draw_items, empty="", id="runs")
        yield Input(placeholder="cluster, runbook, operator, outcome", compact=True, id="filter")

    def on_mount(self) -> None:
        self.query_one("#filter").display = False
        self.watch(self.app, "past_runs", self.paint, init=False)
        self.set_interval(REFRESH, self._reread)
        self._reread()

    def _reread(self) -> None:
        if self._on_top:
            self.console_app.list_past_runs()

    # --- what is shown ----------------------------------------------------------------------------------------------

    def paint(self) -> None:
        self._rows = self._current_rows()
        super().paint()

    def _current_rows(self) -> tuple[Row, ...]:
        """Newest first: journals on this machine, and runs of other operators that hold a lock."""
        past = self.console_app.past_runs or {}
        inventory = self.console_app.console_context.inventory
        rows = [_row_of_journal(one, own=is_of(one, inventory)) for one in past.values()]
        states = (view.state for view in self.console_app.views.values())
        rows += [_row_of_lock(one) for state in states for one in locks_of_others(state, "") if one.run_id not in past]
        required_text = self.query_one("#filter", Input).value.lower().split()
        kept = (
            row
            for row in rows
            if (self._all_clusters or self._is_here(row)) and all(word in row.text for word in required_text)
        )
        return tuple(sorted(kept, key=lambda row: (row.own, row.at, row.run_id), reverse=True))

    def _is_here(self, row: Row) -> bool:
        return row.own and row.cluster == self._cluster

    @property
    def _widths(self) -> tuple[int, int]:
        return column_widths((row.name, row.runbook) for row in self._rows)

    def _draw_scope(self, width: int, _: int) -> Lines:
        app, typed = self.console_app, self.query_one("#filter", Input).value
        scope = "all clusters" if self._all_clusters else f"cluster {self._cluster}"
        found = f"{counted(len(self._rows), 'run')}, {scope}" + (f", with “{typed}”" if typed else "")
        if not all(row.own for row in self._rows):
            found += f"; {OTHER}: on servers that are not of this inventory"
        if app.console_context.archive is None:
            found = "This console has no access to recorded runs."
        elif app.past_runs is None:
            found = "Reading the recorded runs."
        elif not self._rows:
            other = "" if self._all_clusters or typed else " Press c to list those of all clusters."
            found = f"No recorded run: {scope}" + (f", with “{typed}”." if typed else f".{other}")
        return (fitted(line(found), width),)

    def _draw_head(self, width: int, _: int) -> Lines:
        return (fitted(list_head(self._widths), width),) if self._rows else (line(("", DIM)),)

    def _draw_items(self, width: int) -> tuple[Item, ...]:
        now, widths = self.console_app.now(), self._widths
        return tuple(Item(row.run_id, (self._line(row, now, width, widths),)) for row in self._rows)

    def _line(self, row: Row, now: float, width: int, widths: tuple[int, int]) -> Content:
        when = day_and_time(row.at, now)
        names, note = (row.name, row.runbook), kept_note(reminders(self.console_app.kept_by_run(row.run_id)))
        return fitted(list_line(row.sign, when, names, row.operator, widths, note), width)

    # --- keys -------------------------------------------------------------------------------------------------------

    def on_menu_moved(self) -> None:
        self.paint()  # the footer has the keys for the run under the cursor

    def action_open(self) -> None:
        chosen = self.query_one(Menu).chosen
        row = next((one for one in self._rows if one.run_id == chosen), None)
        app = self.console_app
        if row is None:
            return
        if app.armed_run is not None and app.run_state is not None and app.run_state.run_id == row.run_id:
            app.open_screen(routes.RUN, app.armed_run.cluster)  # there its questions are answered
        else:
            app.open_screen(routes.PAST_RUN, row.run_id, row.cluster)

    def action_scope(self) -> None:
        self._all_clusters = not self._all_clusters or not self._cluster
        self.paint()

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    def action_back(self) -> None:
        """Removes the filter, if there is one; otherwise goes back."""
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


register(routes.PAST_RUNS, PastRunsScreen)


def _row_of_journal(past: PastRun, *, own: bool) -> Row:
    at = past.opened_at or ""
    return Row(past.run_id, at, past.cluster, past.runbook, past.operator, sign_of(past), past, own)


def _row_of_lock(lock: RunLock) -> Row:
    operator = f"{lock.operator} (elsewhere)"
    return Row(lock.run_id, armed_at(lock), lock.cluster, lock.runbook, operator, UNDER_WAY)
