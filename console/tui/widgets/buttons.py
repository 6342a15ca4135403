"""A button that shows the focus by a sign: not every operator and not every terminal shows colours."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Button

MARK = "▸ "


class MarkedButton(Button):
    """A button with `▸` before its label while it has the focus. Its width does not change."""

    def render(self) -> Content:
        mark = MARK if self.has_focus else " " * len(MARK)
        return Content.assemble(mark, Content.from_text(self.label))

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return super().get_content_width(container, viewport) + len(MARK)
