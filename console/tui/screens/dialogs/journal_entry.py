from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from console.core.runs.records.journal import Entry
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.runs.journal import entry_detail
from console.tui.screens.base import Dialog
from console.tui.widgets.lines import LinesPane


class JournalEntryDialog(Dialog):
    """One entry of a journal as it was written."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self._entry = entry

    def compose(self) -> ComposeResult:
        with Vertical(classes="window tall") as window:
            window.border_title = f"Entry {self._entry.seq}"
            window.border_subtitle = "↑ ↓ scroll · Esc closes"
            yield LinesPane(lambda width, _: entry_detail(self._entry, width))


register(routes.JOURNAL_ENTRY, JournalEntryDialog)
