from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button

from console.core.runs.past.past_run import PastRun
from console.core.runs.past.since_then import later_changes
from console.tui.keys import bindings_of
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.formatting import WARN, Lines, wrapped
from console.tui.present.runs.resume import resume_lines
from console.tui.screens.base import ConsoleScreen
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.lines import LinesPane


class ResumeScreen(ConsoleScreen):
    """What the journal says of each step, and what resuming means. Nothing is armed before the button is pressed."""

    PLACE = "arm"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("arm")
    AUTO_FOCUS = "#back"

    def __init__(self, past: PastRun) -> None:
        super().__init__()
        self._past = past

    @property
    def cluster(self) -> str:
        return self._past.cluster if self._past.cluster in self.console_app.views else ""

    def breadcrumb(self) -> str:
        return f"{self._past.cluster} > resume"

    def body(self) -> Iterable[Widget]:
        yield LinesPane(self._draw_lines, id="arming")
        with Horizontal(classes="buttons"):
            yield MarkedButton("Back, resume nothing", id="back", compact=True, classes="safe")
            yield MarkedButton("RESUME this run", id="arm", compact=True, disabled=True, classes="dangerous")

    def on_mount(self) -> None:
        self.query_one("#arm", Button).disabled = bool(self._obstacle)

    def action_choose(self) -> None:
        """Enter on the text does nothing."""

    @on(Button.Pressed, "#back")
    def go_back(self) -> None:
        self.action_back()

    @on(Button.Pressed, "#arm")
    def resume(self) -> None:
        if not self._obstacle:
            self.console_app.resume(self._past)

    @property
    def _obstacle(self) -> str:
        app = self.console_app
        if not self.cluster:
            return f"The cluster {self._past.cluster} is not in {app.console_context.inventory.path}."
        if app.armed_run is not None:
            return "Another run is armed in this console."
        return "" if app.may_arm else "This console was opened without the right to arm runs."

    def _draw_lines(self, width: int, _: int) -> Lines:
        hindrance = wrapped(self._obstacle, width, WARN) if self._obstacle else ()
        others = (self.console_app.past_runs or {}).values()
        return (*hindrance, *resume_lines(self._past, width, later_changes(self._past, others)))


register(routes.RESUME, ResumeScreen)
