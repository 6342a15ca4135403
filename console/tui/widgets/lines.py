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

Source = Callable[[int, int], Sequence[Content]]
"""(width, height) → the lines to show now. A long sequence may make a line when it is asked for it."""


class LinesPane(ScrollView):
    """Shows the lines of a source, which is called on every repaint and resize. Scrolls by keyboard."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("pane")
    ALLOW_SELECT = False

    def __init__(
        self,
        source: Source,
        *,
        title: str = "",
        focusable: bool = True,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.can_focus = focusable
        self.is_page = True
        """Whether the scroll keys are for this pane while it has the focus, and not for the text above it."""
        self.border_title = visible(title) or None
        self._source = source
        self._lines: Sequence[Content] = ()
        self._is_drawn = False
        self._made: dict[int, tuple[Content, object, Strip]] = {}
        """Line → its content, the style and the cells that were drawn of it last."""

    @property
    def lines(self) -> Sequence[Content]:
        """The lines that are shown."""
        return self._lines

    @property
    def text(self) -> str:
        """The lines that are shown, without styles."""
        return "\n".join(one.plain.rstrip() for one in self._lines)

    def repaint(self) -> None:
        """Calls the source and redraws the cells that differ."""
        width, height = self.scrollable_content_region.size
        if width and height:
            self.show(self._source(width, height))

    def show(self, lines: Sequence[Content]) -> None:
        """Replaces the lines. Equal cells are not drawn again, nor is anything laid out while their number stays."""
        before, self._lines = len(self._lines), lines
        self._is_drawn = True
        if before != len(lines) or self.virtual_size.height != len(lines):
            self._made.clear()
            self.virtual_size = Size(self.scrollable_content_region.width, len(lines))
            self.refresh()
            return
        top = self.scroll_offset.y
        for y in range(top, min(len(lines), top + self.size.height)):
            made = self._made.get(y)
            if made is None or not made[0].is_same(lines[y]):
                self.refresh_cells(y)

    def refresh_cells(self, y: int) -> None:
        """Redraws the cells of this line that differ from what was drawn of it."""
        made = self._made.get(y)
        if made is None:
            self.refresh_line(y)
            return
        first, end = changed_cells(made[-1], self._strip(y))
        if first < end:
            self.refresh(Region(first, y - self.scroll_offset.y, end - first, 1))

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width, height = self.scrollable_content_region.size
        if width and not self._is_drawn:  # it is shown before its size was told: it must not be blank until then
            self._lines, self._is_drawn = self._source(width, height), True
        at = y + self.scroll_offset.y
        if at >= len(self._lines) or not width:
            return Strip([Segment(" " * self.size.width, self.rich_style)], self.size.width)
        return self._strip(at)

    def _strip(self, at: int) -> Strip:
        """The cells of this line. They are made again only if the line, the width or the style has changed."""
        width, style, content = self.scrollable_content_region.width, self.visual_style, self._lines[at]
        made_for = (width, style, self.app.theme)
        made = self._made.get(at)
        if made is not None and made[1] == made_for and made[0].is_same(content):
            return made[-1]
        strip = strip_of(content, width, style, self._get_style)
        self._made[at] = (content, made_for, strip)
        return strip

    def on_resize(self, _: events.Resize) -> None:
        self.repaint()

    def action_move(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_edge(self, direction: int) -> None:
        self.scroll_to(y=0 if direction < 0 else len(self._lines), animate=False)
