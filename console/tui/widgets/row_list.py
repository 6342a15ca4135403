"""A long list to choose from, a line for each row. Only the rows on the screen are drawn, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

from textual import events
from textual.content import Content
from textual.message import Message

from console.core.kept import kept_while_same
from console.tui.present.formatting import BOLD, Lines, line
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import CURSOR


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row: its key, or empty for a heading, which the cursor passes over; and what draws it at a width."""

    key: str
    draw: Callable[[int], Content]


_NO_CURSOR = " " * len(CURSOR)


@kept_while_same(1024)
def _beside(cursor: str, row: Content) -> Content:
    return line((cursor, BOLD), row)


class _Drawn(Sequence[Content]):
    """Lines that are drawn when they are asked for."""

    def __init__(self, count: int, draw: Callable[[int], Content]) -> None:
        self._count = count
        self._draw = draw
        self._made: dict[int, Content] = {}

    def __len__(self) -> int:
        return self._count

    def forget(self, *places: int) -> None:
        """These lines are drawn anew."""
        for at in places:
            self._made.pop(at, None)

    @overload
    def __getitem__(self, at: int) -> Content: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Content]: ...
    def __getitem__(self, at: int | slice) -> Content | Sequence[Content]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(self._count))]
        if not -self._count <= at < self._count:
            raise IndexError(at)
        at %= self._count
        if at not in self._made:
            self._made[at] = self._draw(at)
        return self._made[at]


class RowList(LinesPane):
    """The cursor stays on its row, and on its line of the screen, while rows come, go and change places.

    At the top of the list the top stays, so that a row that has become the worst is seen.
    """

    @dataclass
    class Moved(Message):
        """The cursor is on another row."""

        key: str

    def __init__(
        self,
        rows: Callable[[], Sequence[ListRow]],
        *,
        empty: Callable[[int], Lines],
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(self._source_lines, id=id)
        self._rows_source = rows
        self._empty = empty
        self._rows: Sequence[ListRow] = ()
        self._key = ""
        self._at = 0
        self.held = False
        """Whether the cursor stays on its cluster. Until then it is on the first row, whatever row that is."""
        self.rows_drawn = 0
        """How many rows were drawn since the list was made."""

    @property
    def chosen(self) -> str:
        """The key of the row under the cursor; empty where there is none."""
        return self._rows[self._at].key if self._at < len(self._rows) else ""

    def repaint(self) -> None:
        """Draws the changed cells, after the list has followed its cursor."""
        before, line_before = self._at, self._at - self.scroll_offset.y
        super().repaint()
        if self._at != before and self._rows:
            self._follow(line_before)

    def action_move(self, lines: int) -> None:
        self._go(self._at + lines, 1 if lines > 0 else -1)

    def action_page(self, pages: int) -> None:
        self._go(self._at + pages * max(1, self.size.height - 1), 1 if pages > 0 else -1)

    def action_edge(self, direction: int) -> None:
        self._go(0 if direction < 0 else len(self._rows) - 1, 1 if direction < 0 else -1)

    def on_click(self, event: events.Click) -> None:
        at = event.y + self.scroll_offset.y
        if at < len(self._rows) and self._rows[at].key:
            self._go(at, 1)

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    def _go(self, at: int, step: int) -> None:
        """Moves the cursor to this row, or over a heading to the next one in this direction."""
        at = max(0, min(at, len(self._rows) - 1))
        onward = range(at, len(self._rows) if step > 0 else -1, step)
        back = range(at, -1 if step > 0 else len(self._rows), -step)
        found = next((one for way in (onward, back) for one in way if self._rows[one].key), None)
        if found is None:
            return
        before, self._at, self._key, self.held = self._at, found, self._rows[found].key, True
        self._show_row(found)
        if isinstance(self._lines, _Drawn):
            self._lines.forget(before, found)
            self.show(self._lines)
        self.post_message(self.Moved(self._key))

    def _show_row(self, at: int) -> None:
        """Scrolls as little as possible. The heading above the first row of a group comes with it."""
        height = max(1, self.scrollable_content_region.height)
        top = at - 1 if at and not self._rows[at - 1].key else at
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False)
        elif at >= self.scroll_offset.y + height:
            self.scroll_to(y=at - height + 1, animate=False)

    def _follow(self, line_before: int) -> None:
        height = self.scrollable_content_region.height
        if self.scroll_offset.y or not 0 <= self._at < height:
            self.scroll_to(y=max(0, self._at - line_before), animate=False)
        self._show_row(self._at)

    def _source_lines(self, width: int, _: int) -> Sequence[Content]:
        self._rows = rows = self._rows_source()
        places = {row.key: at for at, row in enumerate(rows) if row.key}
        first = next(iter(places.values()), 0)
        if not places:
            return self._empty(width)
        if not self.held:
            self._key = rows[first].key
        self._at = places.get(self._key, first)
        return _Drawn(len(rows), lambda at: self._draw_row(at, width))

    def _draw_row(self, at: int, width: int) -> Content:
        self.rows_drawn += 1
        row = self._rows[at]
        if not row.key:
            return row.draw(width)
        on = at == self._at
        whole = _beside(CURSOR if on else _NO_CURSOR, row.draw(width - len(CURSOR)))
        return whole.stylize("reverse") if on and self.has_focus else whole
