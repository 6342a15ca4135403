from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.help import help_lines
from console.tui.screens.base import Dialog
from console.tui.widgets.lines import LinesPane


class HelpDialog(Dialog):
    """Every key, and the words on the screens."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="window tall") as window:
            window.border_title = "Help"
            window.border_subtitle = "↑ ↓ scroll · Esc closes"
            yield LinesPane(lambda width, _: help_lines(width))


register(routes.HELP, HelpDialog)
