from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from console.tui.keys import Key, bindings_of
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.clusters import fleet as present
from console.tui.present.formatting import DIM, Lines, fitted, line, wrapped
from console.tui.screens.base import ShowsKeptKeys
from console.tui.state.fleet import Entry, Fleet, GroupHead, Row
from console.tui.state.turns import seconds_between
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import CURSOR
from console.tui.widgets.row_list import ListRow, RowList

STALE_AFTER_TURNS, STALE_AFTER = 3, 5.0
"""An observation is old after so many turns, and at least so many seconds."""

TYPING = {"open": "keep this filter", "back": "remove it"}
"""What these keys do while one types in the filter."""


class ClustersScreen(ShowsKeptKeys):
    """All clusters, the worst first, a line each. The cursor stays on its cluster while the rows change places."""

    PLACE = "clusters"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("clusters")
    AUTO_FOCUS = "#clusters"

    def __init__(self) -> None:
        super().__init__()
        self._fleet = Fleet()
        self._entries: tuple[Entry, ...] = ()
        self._shown: tuple[Row, ...] = ()
        self._drawn_rows: tuple[ListRow, ...] = ()
        """One for each entry."""
        self._columns = present.columns((), 80)
        self._columns_width = 0
        """What they were made for."""

    def body(self) -> Iterable[Widget]:
        yield self.kept_line()
        yield LinesPane(self._draw_scope, focusable=False, id="scope")
        yield LinesPane(self._draw_head, focusable=False, id="columns")
        yield RowList(lambda: self._drawn_rows, empty=self._draw_empty, id="clusters")
        yield LinesPane(self._draw_about, focusable=False, id="about-row")
        yield Input(placeholder="name, node, address, health, finding, tag", compact=True, id="filter")

    def breadcrumb(self) -> str:
        return "clusters"

    def footer_keys(self) -> tuple[Key, ...]:
        """While one types, letters belong to the filter: only what Enter and Esc do is said."""
        keys = super().footer_keys()
        if self.focused is not self._field:
            return keys
        return tuple(
            replace(one, label=TYPING[one.action]) for one in keys if one.place == self.PLACE and one.action in TYPING
        )

    def on_mount(self) -> None:
        self._field.display = False

    def on_screen_resume(self) -> None:
        """Who comes back finds every row in its place at once, as after a repair."""
        self._fleet.settle()
        super().on_screen_resume()

    @property
    def _list(self) -> RowList:
        return self.query_one(RowList)

    @property
    def _field(self) -> Input:
        return self.query_one("#filter", Input)

    @property
    def _chosen(self) -> Row | None:
        name = self._list.chosen
        return next((one for one in self._shown if one.name == name), None)

    # --- what is shown ----------------------------------------------------------------------------------------------

    def paint(self) -> None:
        if not self._on_top:
            return
        context, rows = self.console_app.console_context, self._list
        self._fleet.update(self.console_app.views, context.inventory.unusable)
        entries = self._fleet.entries(self._field.value, context.clock.monotonic())
        if entries is not self._entries:
            self._entries = entries
            self._shown = tuple(one for one in entries if isinstance(one, Row))
            self._drawn_rows = tuple(map(self._list_row, entries))
        self._measure(rows.room.width - len(CURSOR))
        scope = self.query_one("#scope", LinesPane)
        scope.styles.height = len(self._draw_scope(max(1, self.size.width - 2), 0))
        super().paint()
        rows.held = rows.held or not self._fleet.waiting

    def _measure(self, width: int) -> None:
        """Gives each column its width in a row of this width."""
        self._columns_width = width
        if (columns := present.columns(self._fleet.rows, width)) != self._columns:
            self._columns = columns

    def _columns_in(self, width: int) -> present.Columns:
        """The columns. The list may have become wider or narrower since this screen was painted."""
        if width != self._columns_width:
            self._measure(width)
        return self._columns

    def _draw_scope(self, width: int, _: int) -> Lines:
        sorting = sys.intern(present.sorting_text(self._fleet.order, self._fleet.by))
        return present.scope_lines(self._fleet.rows, self._shown, sorting, self._field.value, width)

    def _draw_head(self, width: int, _: int) -> Lines:
        return (
            fitted(
                line(" " * len(CURSOR), present.head_line(self._columns_in(self._list.room.width - len(CURSOR)))), width
            ),
        )

    def _list_row(self, one: Entry) -> ListRow:
        if isinstance(one, GroupHead):
            return ListRow("", partial(present.group_line, one))
        return ListRow(one.name, partial(self._draw_row, one))

    def _draw_row(self, row: Row, width: int) -> Content:
        stale = max(STALE_AFTER, STALE_AFTER_TURNS * seconds_between(len(self._fleet.rows), shown=False))
        return fitted(present.row_line(row, self._columns_in(width), self.console_app.now(), stale), width)

    def _draw_about(self, width: int, _: int) -> Lines:
        return present.about_lines(self._chosen, width)

    def _draw_empty(self, width: int) -> Lines:
        if self._fleet.rows:
            return present.no_match(self._field.value, width)
        path = self.console_app.console_context.inventory.path
        return wrapped(f"{path} has no cluster: add one, then start the console again.", width, DIM)

    # --- keys -------------------------------------------------------------------------------------------------------

    def on_row_list_moved(self) -> None:
        self.query_one("#about-row", LinesPane).repaint()

    def action_open(self) -> None:
        row = self._chosen
        if row is not None and row.view is not None:
            self.console_app.open_screen(routes.CLUSTER, row.name)
        elif row is not None:
            self.notify(row.problem, title="This cluster cannot be used", severity="error")

    def action_runs(self) -> None:
        self.console_app.open_screen(routes.PAST_RUNS, "")

    def action_order(self) -> None:
        self._fleet.next_order()
        self.paint()

    def action_groups(self) -> None:
        self._fleet.next_grouping()
        if not self._fleet.by:
            has_tags = any(row.tags for row in self._fleet.rows)
            self.notify("Not grouped." if has_tags else "Not grouped: the inventory has no tags.", timeout=3)
        self.paint()

    def action_filter(self) -> None:
        self._field.display = True
        self.set_focus(self._field)
        self.paint()

    def on_key(self, event: events.Key) -> None:
        """What is typed at once after the slash is on its way to the list already. It belongs into the field.

        So the slash is taken here, in the order of the keys, and not as a binding, which is later than that.
        """
        typing = self.focused is self._field
        if event.key == "slash" and not typing:
            self.action_filter()
        elif typing and event.is_printable and event.character:
            self._field.insert_text_at_cursor(event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def action_back(self) -> None:
        """Removes the filter, if there is one. This is the first screen: there is nothing to go back to."""
        if self._field.display:
            self._field.value, self._field.display = "", False
            self.set_focus(self._list)
            self.paint()

    @on(Input.Changed, "#filter")
    def filtered(self) -> None:
        if self._field.value:
            self._list.held = False  # what was typed is looked for from the worst on
        self.paint()

    @on(Input.Submitted, "#filter")
    def accepted(self) -> None:
        """The filter stays, and the list has the keys again. It opens nothing: that takes Enter once more."""
        self._field.display = bool(self._field.value)
        self.set_focus(self._list)
        self.paint()


register(routes.CLUSTERS, ClustersScreen)
