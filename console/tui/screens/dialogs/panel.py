from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical

from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.formatting import Lines
from console.tui.screens.base import Dialog
from console.tui.widgets.lines import LinesPane


class PanelDialog(Dialog):
    """One panel of a cluster in full: lines that the panel cuts are wrapped here. It goes on being observed."""

    def __init__(self, title: str, draw: Callable[[int], Lines]) -> None:
        super().__init__()
        self._panel_title = title
        self._draw = draw

    def compose(self) -> ComposeResult:
        with Vertical(classes="window whole") as window:
            window.border_title = self._panel_title
            window.border_subtitle = "↑ ↓ PgUp PgDn scroll · Esc closes"
            yield LinesPane(lambda width, _: self._draw(width))

    def second_passed(self) -> None:
        if self.is_mounted:
            self.paint()


register(routes.PANEL, PanelDialog)
