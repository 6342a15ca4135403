from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical

from console.core.runs.past.past_run import PastRun
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.formatting import Lines
from console.tui.present.runs.journal import journal_check_lines
from console.tui.screens.base import Dialog
from console.tui.widgets.lines import LinesPane


class JournalCheckDialog(Dialog):
    """Whether the hash chain of a journal is intact."""

    def __init__(self, newest: Callable[[], PastRun]) -> None:
        super().__init__()
        self._newest = newest

    def compose(self) -> ComposeResult:
        with Vertical(classes="window small") as window:
            window.border_title = "Journal"
            window.border_subtitle = "Esc or q closes"
            yield LinesPane(self._draw_lines)

    def on_mount(self) -> None:
        self.watch(self.app, "past_runs", self.query_one(LinesPane).repaint, init=False)

    def _draw_lines(self, width: int, _: int) -> Lines:
        past = self._newest()
        return journal_check_lines(past.chain, past.folder, width)


register(routes.JOURNAL_CHECK, JournalCheckDialog)
