from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.navigation.routes import QuitQuestion
from console.tui.present.formatting import Lines, wrapped
from console.tui.screens.base import Dialog
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.lines import LinesPane

_WIDEST, _BESIDE_TEXT, _AROUND_TEXT = 76, 5, 5
"""Columns of a window, those of them that hold no text, and its rows that hold none: as in the style sheet."""


class QuitDialog(Dialog):
    """Asks before the console or a run ends. The button that changes nothing has the focus."""

    def __init__(self, stop_and_quit: Callable[[], None], asked: QuitQuestion) -> None:
        super().__init__()
        self._stop_and_quit, self._asked = stop_and_quit, asked

    def compose(self) -> ComposeResult:
        with Vertical(classes="window small") as window:
            window.border_title = self._asked.title
            window.styles.height = len(self._draw_lines(self._width_of_text, 0)) + _AROUND_TEXT
            yield LinesPane(self._draw_lines, focusable=False)
            with Horizontal(classes="buttons"):
                yield MarkedButton(self._asked.stay, id="stay", compact=True, classes="safe")
                yield MarkedButton(self._asked.leave, id="leave", compact=True, classes="dangerous")

    def on_mount(self) -> None:
        self.query_one("#stay").focus()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        event.stop()
        leave = event.button.id == "leave"
        self.dismiss(leave)
        if leave:
            self._stop_and_quit()

    @property
    def _width_of_text(self) -> int:
        """As wide as a window lets it be."""
        return max(1, min(_WIDEST, self.app.size.width * 96 // 100) - _BESIDE_TEXT)

    def _draw_lines(self, width: int, _: int) -> Lines:
        return tuple(row for text in self._asked.lines for row in wrapped(text, width))


register(routes.QUIT, QuitDialog)
