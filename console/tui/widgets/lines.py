"""A pane made of lines. It redraws only the lines that changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from console.core.visible import visible
from console.tui.keys import bindings_of
from console.tui.present.formatting import Lines

Source = Callable[[int, int], Lines]
"""(width, height) → the lines to show now."""


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
        self._lines: Lines = ()
        self._is_drawn = False

    @property
    def lines(self) -> Lines:
        """The lines that are shown."""
        return self._lines

    @property
    def text(self) -> str:
        """The lines that are shown, without styles."""
        return "\n".join(one.plain.rstrip() for one in self._lines)

    def repaint(self) -> None:
        """Calls the source and redraws the lines that differ."""
        width, height = self.scrollable_content_region.size
        if width and height:
            self.show(self._source(width, height))

    def show(self, lines: Lines) -> None:
        """Replaces the lines; equal ones are not drawn again."""
        before, self._lines = self._lines, lines
        self._is_drawn = True
        if len(before) != len(lines) or self.virtual_size.height != len(lines):
            self.virtual_size = Size(self.scrollable_content_region.width, len(lines))
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, lines, strict=True)):
            if not old.is_same(new):
                self.refresh_line(y)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width, height = self.scrollable_content_region.size
        if width and not self._is_drawn:  # it is shown before its size was told: it must not be blank until then
            self._lines, self._is_drawn = self._source(width, height), True
        at = y + self.scroll_offset.y
        if at >= len(self._lines) or not width:
            return Strip([Segment(" " * self.size.width, self.rich_style)], self.size.width)
        strips = Visual.to_strips(self, self._lines[at], width, 1, self.visual_style, apply_selection=False, pad=True)
        return strips[0] if strips else Strip.blank(width, self.rich_style)

    def on_resize(self, _: events.Resize) -> None:
        self.repaint()

    def action_move(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_edge(self, direction: int) -> None:
        self.scroll_to(y=0 if direction < 0 else len(self._lines), animate=False)
