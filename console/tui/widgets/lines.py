"""A pane made of lines. It redraws only the cells that changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.core.visible import visible
from console.tui.keys import bindings_of
from console.tui.widgets.cells import changed_cells, strip_of
from console.tui.widgets.kept_strips import KeepsStrips

Source = Callable[[int, int], Sequence[Content]]
"""(width, height) → the lines to show now. A long sequence may make a line when it is asked for it."""


class LinesPane(KeepsStrips, ScrollView):
    """Shows the lines of a source. Scrolls by keyboard.

    The source is called on every repaint and resize, unless what it makes lines of is as it was.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("pane")
    ALLOW_SELECT = False

    def __init__(
        self,
        source: Source,
        *,
        made_of: Callable[[], object] | None = None,
        title: str = "",
        focusable: bool = True,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`made_of`: all that the source makes its lines of, beside width and height; None: that is not told."""
        super().__init__(id=id, classes=classes)
        self.can_focus = focusable
        self.is_page = True
        """Whether the scroll keys are for this pane while it has the focus, and not for the text above it."""
        self.border_title = visible(title) or None
        self._source = source
        self._made_of = made_of
        self._shown: object = None
        """What the lines that are shown were made of; None: that is not known."""
        self._lines: Sequence[Content] = ()
        self._is_drawn = False
        self._made: dict[int, tuple[Content, object, Strip]] = {}
        """Line → its content, the style and the cells that were drawn of it last."""
        self._room_of: object = None
        self._room = Size(0, 0)

    @property
    def lines(self) -> Sequence[Content]:
        """The lines that are shown."""
        return self._lines

    @property
    def text(self) -> str:
        """The lines that are shown, without styles."""
        return "\n".join(one.plain.rstrip() for one in self._lines)

    @property
    def room(self) -> Size:
        """Width and height for lines. Textual looks up styles and layout for them, so they are kept."""
        seen = self.outer_size, self.show_vertical_scrollbar, self.show_horizontal_scrollbar
        if self._room_of != seen:
            self._room_of, self._room = seen, self.scrollable_content_region.size
        return self._room

    def notify_style_update(self) -> None:
        self._room_of = None
        super().notify_style_update()

    def on_show(self) -> None:
        """It may have been drawn before its size was told: as blank rows, which would stay until they change."""
        self._room_of = None
        self.refresh()

    def on_hide(self) -> None:
        self._room_of = None

    def repaint(self) -> None:
        """Redraws the cells that differ."""
        room = self.room
        if not room.width or not room.height:
            return
        made_of = None if self._made_of is None else (room, self._made_of())
        if made_of is None or not self._is_drawn or made_of != self._shown:
            self.show(self._source(*room))
            self._shown = made_of

    def show(self, lines: Sequence[Content]) -> None:
        """Replaces the lines. Equal cells are not drawn again, nor is anything laid out while their number stays."""
        before, self._lines = len(self._lines), lines
        self._is_drawn = True
        if before != len(lines) or self.virtual_size.height != len(lines):
            self._made.clear()
            self.virtual_size = Size(self._room.width, len(lines))
            self.refresh()
            return
        top = self.scroll_offset.y
        end = min(len(lines), top + self._room.height)
        changed = [Region(first, y - top, end - first, 1) for y in range(top, end) for first, end in self._changed(y)]
        if changed:
            self.refresh(*changed)

    def _changed(self, y: int) -> tuple[tuple[int, int], ...]:
        """The cells of this line that differ from what was drawn of it: from the first one to behind the last one.

        One stretch a line: Textual sends a line from the left edge of its pane, so two stretches would cost more.
        """
        made, content = self._made.get(y), self._lines[y]
        if made is None:
            return ((0, self._room.width),)
        if made[0] is content or made[0].is_same(content):
            return ()
        first, end = changed_cells(made[-1], self._strip(y))
        return ((first, end),) if first < end else ()

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        room = self.room
        if room.width and not self._is_drawn:  # it is shown before its size was told: it must not be blank until then
            self._lines, self._is_drawn = self._source(*room), True
        at = y + self.scroll_offset.y
        if at >= len(self._lines) or not room.width:
            return Strip([Segment(" " * self.size.width, self.rich_style)], self.size.width)
        return self._strip(at)

    def _strip(self, at: int) -> Strip:
        """The cells of this line. They are made again only if the line, the width or the style has changed."""
        width, style, content = self._room.width, self.visual_style, self._lines[at]
        made_for = (width, style, self.app.theme)
        made = self._made.get(at)
        if made is not None and made[1] == made_for and (made[0] is content or made[0].is_same(content)):
            return made[-1]
        strip = strip_of(content, width, style, self._get_style)
        self._made[at] = (content, made_for, strip)
        return strip

    def on_resize(self, _: events.Resize) -> None:
        self._room_of = None
        self.repaint()

    def action_move(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_edge(self, direction: int) -> None:
        self.scroll_to(y=0 if direction < 0 else len(self._lines), animate=False)
