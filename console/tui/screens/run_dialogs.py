"""Small windows about runs: an entry word for word, a report to be written, the chain, a run that holds the lock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input

from console.core.model import RunLock
from console.core.runs.journal import Entry
from console.core.runs.lock import takeover_sentence
from console.core.runs.past_run import PastRun
from console.engine.ports import Takeover
from console.report.file import write_report
from console.report.formats import FORMS, Form, report_text
from console.tui.keys import bindings_of
from console.tui.present import lock as present_lock
from console.tui.present import past_runs as present
from console.tui.present.words import BAD, BOLD, GOOD, Lines, wrapped
from console.tui.screens.base import Dialog
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.lines import LinesPane


class EntryDialog(Dialog):
    """One entry of a journal as it was written."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("dialog")

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self._entry = entry

    def compose(self) -> ComposeResult:
        with Vertical(classes="window tall") as window:
            window.border_title = f"Entry {self._entry.seq}"
            window.border_subtitle = "↑ ↓ scroll · Esc closes"
            yield LinesPane(lambda width, _: present.entry_detail(self._entry, width))


class ChainDialog(Dialog):
    """Whether each entry of a journal fits the one before."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("dialog")

    def __init__(self, newest: Callable[[], PastRun]) -> None:
        super().__init__()
        self._newest = newest

    def compose(self) -> ComposeResult:
        with Vertical(classes="window small") as window:
            window.border_title = "Journal"
            window.border_subtitle = "Esc closes"
            yield LinesPane(self._draw_lines)

    def on_mount(self) -> None:
        self.watch(self.app, "past_runs", self.query_one(LinesPane).repaint, init=False)

    def _draw_lines(self, width: int, _: int) -> Lines:
        past = self._newest()
        return present.chain(past.chain, past.folder, width)


class ReportDialog(Dialog):
    """Where a report goes, and in which form. A file that is there is replaced only by a button of its own."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("dialog")

    def __init__(self, past: PastRun) -> None:
        super().__init__()
        self._past = past
        self._form: Form = "md"
        self._said = ""
        self._good = False
        self._there: Path | None = None
        """A file that would have to be replaced."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="window report") as window:
            window.border_title = "Report"
            window.border_subtitle = "Tab next · Enter presses · Esc closes"
            yield LinesPane(self._draw_lines, focusable=False)
            yield Input(str(self._suggested("md")), compact=True, select_on_focus=False, id="path")
            with Horizontal(classes="buttons"):
                for form in ("md", "html"):
                    yield MarkedButton(f"Write {FORMS[form]}", id=f"write-{form}", compact=True, classes="safe")
                yield MarkedButton("Replace it", id="replace", compact=True, disabled=True, classes="dangerous")

    def on_mount(self) -> None:
        self.query_one("#write-md").focus()

    def _suggested(self, form: Form) -> Path:
        return Path(self._past.folder) / f"report.{form}"

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "replace":
            self._write(replace=True)
            return
        before, self._form = self._form, cast("Form", (event.button.id or "").removeprefix("write-"))
        field = self.query_one("#path", Input)
        if field.value == str(self._suggested(before)):
            field.value = str(self._suggested(self._form))
        self._write(replace=False)

    @on(Input.Changed)
    def changed(self) -> None:
        self._there = None
        self.query_one("#replace", Button).disabled = True

    def _write(self, *, replace: bool) -> None:
        path = Path(self.query_one("#path", Input).value).expanduser()
        if replace and path != self._there:
            return
        try:
            past = self._past
            write_report(path, report_text(past.run_id, past.entries, past.chain, self._form), replace=replace)
        except FileExistsError:
            self._say(f"{path} is there already. Write another name, or press Replace it.", there=path)
        except OSError as error:
            self._say(f"{path}: {error.strerror or error}")
        else:
            self._say(f"Written: {path}", good=True)

    def _say(self, text: str, *, good: bool = False, there: Path | None = None) -> None:
        self._said, self._good, self._there = text, good, there
        replace = self.query_one("#replace", Button)
        if there is None and replace.has_focus:
            self.query_one(f"#write-{self._form}").focus()
        replace.disabled = there is None
        self.query_one(LinesPane).repaint()

    def _draw_lines(self, width: int, _: int) -> Lines:
        style = f"{BOLD} {GOOD if self._good else BAD}"
        return (
            *wrapped(f"The report of {self._past.run_id}, from its journal alone; only you may read it.", width),
            *(wrapped(f"{'✓' if self._good else '!'} {self._said}", width, style) if self._said else ()),
        )


class LockedDialog(Dialog):
    """Another operator's run holds the lock: following it has the focus; a takeover is typed, word for word."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("dialog")

    def __init__(self, holder: RunLock, follow: Callable[[], None], take: Callable[[Takeover], None] | None) -> None:
        """`take`: arms again and ends the other run; None: a takeover is not offered here."""
        super().__init__()
        self._holder = holder
        self._follow = follow
        self._take = take
        self._sentence = takeover_sentence(holder)

    def compose(self) -> ComposeResult:
        with Vertical(classes="window locked") as window:
            window.border_title = "Somebody is at work here"
            window.border_subtitle = "Esc closes, nothing is armed"
            yield LinesPane(lambda width, _: present_lock.held(self._holder, width), focusable=False)
            with Horizontal(classes="buttons"):
                yield MarkedButton("Follow their run", id="follow", compact=True, classes="safe")
                yield MarkedButton("Arm nothing", id="nothing", compact=True, classes="safe")
            if self._take is not None:
                with Horizontal(id="sending"):
                    yield Input(placeholder="the sentence, word for word", compact=True, id="typed")
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
            if typed == self._sentence and self._take is not None:
                self.dismiss(True)
                self._take(Takeover(self._holder, typed))
            return
        self.dismiss(False)
        if event.button.id == "follow":
            self._follow()
