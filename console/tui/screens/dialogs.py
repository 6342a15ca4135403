"""Small windows: a finding's details, the help, leaving while a run is armed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from console.core.diagnosis.finding import Finding
from console.tui.keys import bindings_of
from console.tui.present import cluster as present
from console.tui.present.help import help_lines
from console.tui.present.words import DIM, Lines, line, wrapped
from console.tui.screens.base import Dialog
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.lines import LinesPane


class FindingDialog(Dialog):
    """Everything a finding rests on. It stays while it is read, and says when it no longer holds."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("dialog")

    def __init__(self, finding: Finding, newest: Callable[[], Finding | None]) -> None:
        super().__init__()
        self._finding = finding
        self._newest = newest

    def compose(self) -> ComposeResult:
        with Vertical(classes="window") as window:
            window.border_title = "Finding"
            window.border_subtitle = "Esc closes"
            yield LinesPane(self._draw_lines)

    def on_mount(self) -> None:
        self.set_interval(1.0, self.query_one(LinesPane).repaint)

    def _draw_lines(self, width: int, _: int) -> Lines:
        newest = self._newest()
        self._finding = newest or self._finding
        gone = (line(""), line(("It no longer holds: this is how it was seen last.", DIM))) if newest is None else ()
        return (*present.finding_detail(self._finding, width), *gone)


class HelpDialog(Dialog):
    """Every key and every word."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("dialog")

    def compose(self) -> ComposeResult:
        with Vertical(classes="window tall") as window:
            window.border_title = "Help"
            window.border_subtitle = "↑ ↓ scroll · Esc closes"
            yield LinesPane(lambda width, _: help_lines(width))


class LeaveDialog(Dialog):
    """Quitting while a run is armed. Staying has the focus; what is being sent is never interrupted."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("dialog")

    def compose(self) -> ComposeResult:
        with Vertical(classes="window small") as window:
            window.border_title = "A run is armed"
            yield LinesPane(self._draw_lines, focusable=False)
            with Horizontal(classes="buttons"):
                yield MarkedButton("Stay", id="stay", compact=True, classes="safe")
                yield MarkedButton("Stop the run, then quit", id="leave", compact=True, classes="dangerous")

    def on_mount(self) -> None:
        self.query_one("#stay").focus()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "leave")

    def _draw_lines(self, width: int, _: int) -> Lines:
        return (
            *wrapped("If you quit, the run stops at this question, or at the next one.", width),
            *wrapped("A command that is being sent is not interrupted: the console waits for its answer.", width),
        )
