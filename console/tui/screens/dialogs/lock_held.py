from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.widgets import Button, Input, Label

from console.core.model import RunLock
from console.core.runs.lock import takeover_sentence
from console.engine.ports import Takeover
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.runs.lock import lock_held_lines
from console.tui.screens.base import Dialog
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.typed_field import TypedField


class LockHeldDialog(Dialog):
    """Another operator's run holds the lock: follow it, arm nothing, or take over by a typed sentence."""

    def __init__(self, holder: RunLock, arm_again: Callable[[Takeover], None] | None) -> None:
        """`arm_again`: arms with a takeover, which ends the other run; None: no takeover is offered."""
        super().__init__()
        self._holder = holder
        self._arm_again = arm_again
        self._sentence = takeover_sentence(holder)

    def compose(self) -> ComposeResult:
        with Vertical(classes="window locked") as window:
            window.border_title = "Another run is under way here"
            window.border_subtitle = "Esc closes · nothing is armed"
            yield LinesPane(lambda width, _: lock_held_lines(self._holder, width), focusable=False)
            with Horizontal(classes="buttons"):
                yield MarkedButton("Follow that run", id="follow", compact=True, classes="safe")
                yield MarkedButton("Arm nothing", id="nothing", compact=True, classes="safe")
            if self._arm_again is not None:
                with Container(id="sending", classes="-sentence"):
                    yield Label("The whole sentence:", id="typed-label")
                    with Horizontal(id="field"):
                        yield TypedField(self._sentence, id="typed")
                    yield MarkedButton("Take over", id="take", compact=True, disabled=True, classes="dangerous")

    def on_mount(self) -> None:
        self.query_one("#follow").focus()

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        self.query_one("#take", Button).disabled = event.value != self._sentence

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "take":
            typed = self.query_one("#typed", Input).value
            if typed == self._sentence and self._arm_again is not None:
                self.dismiss(True)
                self._arm_again(Takeover(self._holder, typed))
            return
        self.dismiss(False)
        if event.button.id == "follow":
            self.console_app.open_screen(routes.PAST_RUN, self._holder.run_id, self._holder.cluster)


register(routes.LOCK_HELD, LockHeldDialog)
