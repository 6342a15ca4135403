from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical

from console.core.diagnosis.finding import Finding
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.clusters import cluster as present
from console.tui.present.formatting import DIM, Lines, line
from console.tui.screens.base import Dialog
from console.tui.widgets.lines import LinesPane


class FindingDialog(Dialog):
    """The details of a finding. They stay, with a note, when the finding no longer holds."""

    def __init__(self, finding: Finding, newest: Callable[[], Finding | None]) -> None:
        super().__init__()
        self._finding = finding
        self._newest = newest

    def compose(self) -> ComposeResult:
        with Vertical(classes="window") as window:
            window.border_title = "Finding"
            window.border_subtitle = "Esc closes"
            yield LinesPane(self._draw_lines)

    def second_passed(self) -> None:
        if self.is_mounted:
            self.paint()

    def _draw_lines(self, width: int, _: int) -> Lines:
        newest = self._newest()
        self._finding = newest or self._finding
        ended = (
            (line(""), line(("This finding no longer holds. These are its last details.", DIM)))
            if newest is None
            else ()
        )
        return (*present.finding_detail(self._finding, width), *ended)


register(routes.FINDING, FindingDialog)
