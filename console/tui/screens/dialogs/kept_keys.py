from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from console.core.runs.past.kept_keys import KeptKeys
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.formatting import WARN, Lines, wrapped
from console.tui.present.runs.kept_keys import kept_keys_text
from console.tui.screens.base import Dialog
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.lines import LinesPane

_NONE = "No keys are only in a file any more."
_ASKS = "Say no more of these keys? No screen, status or list reminds of them then. To confirm, press it once more."
_SILENT = "No more is said of these keys. Their file stays, and `runs replay` can bring them back."


class KeptKeysDialog(Dialog):
    """Keys that are only in a file: bring them back, or hear no more of them. The newest comes first."""

    def __init__(self, newest: Callable[[], tuple[KeptKeys, ...]]) -> None:
        """`newest`: what is only in files now."""
        super().__init__()
        self._newest = newest
        self._back = 0
        """How many files before the newest one is shown."""
        self._dismissed = False
        """Of some of these keys nothing more is to be said."""
        self._asked_about = ""
        """The file of which it was asked whether nothing more is to be said."""

    @property
    def _shown(self) -> KeptKeys | None:
        kept = self._newest()
        return kept[-1 - self._back % len(kept)] if kept else None

    def compose(self) -> ComposeResult:
        with Vertical(classes="window kept") as window:
            window.border_title = "Keys that are only in a file"
            window.border_subtitle = "Tab next · Enter presses · Esc closes"
            yield LinesPane(self._draw_lines, focusable=False)
            with Horizontal(classes="buttons"):
                yield MarkedButton("Close", id="close", compact=True, classes="safe")
                yield MarkedButton("Bring them back", id="bring", compact=True, classes="dangerous")
                yield MarkedButton("Say no more", id="dismiss", compact=True, classes="dangerous")
                yield MarkedButton("Next", id="next", compact=True, classes="safe")

    def on_mount(self) -> None:
        self.watch(self.app, "kept_keys", self.paint, init=False)
        self.query_one("#close").focus()
        self.paint()

    def paint(self) -> None:
        """Redraws. The buttons can be pressed as far as they do something now."""
        cannot = self._shown is None or bool(self.console_app.why_not_bring())
        self.query_one("#bring", Button).disabled = cannot
        for name in ("#bring", "#dismiss"):
            self.query_one(name).display = self._shown is not None
        if self._shown is None and not self.query_one("#close").has_focus:
            self.query_one("#close").focus()
        self.query_one("#next").display = len(self._newest()) > 1
        super().paint()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        event.stop()
        kept = self._shown
        match event.button.id:
            case "bring" if kept is not None:
                self.console_app.replay(kept)
                self.query_one("#close").focus()
            case "dismiss" if kept is not None and self._asked_about != kept.file:
                self._asked_about = kept.file
                self.query_one("#close").focus()
            case "dismiss" if kept is not None:
                self._dismissed = True
                self.console_app.dismiss_kept(kept)
            case "next":
                self._back += 1
            case "close":
                self.dismiss(False)
                return
        self.paint()

    def _draw_lines(self, width: int, _: int) -> Lines:
        kept, shown = self._newest(), self._shown
        if shown is None:
            return wrapped(_SILENT if self._dismissed else _NONE, width)
        asked = wrapped(_ASKS, width, WARN) if self._asked_about == shown.file else ()
        place, why_not = self._back % len(kept) + 1, self.console_app.why_not_bring()
        return (*asked, *kept_keys_text(shown, place, len(kept), why_not, width))


register(routes.KEPT_KEYS, KeptKeysDialog)
