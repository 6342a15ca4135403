from __future__ import annotations

from pathlib import Path
from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input

from console.core.runs.past.past_run import PastRun
from console.documents.home import expand_home
from console.report.file import write_report
from console.report.formats import FORMS, Form, report_text
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.formatting import BAD, BOLD, GOOD, Lines, line, wrapped
from console.tui.screens.base import Dialog
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.lines import LinesPane


class ReportDialog(Dialog):
    """Writes a report of a run to a file. An existing file is replaced only by a button of its own."""

    def __init__(self, past: PastRun) -> None:
        super().__init__()
        self._past = past
        self._form: Form = "md"
        self._status = ""
        self._succeeded = False
        self._existing: Path | None = None
        """The file that `Replace it` would replace."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="window report") as window:
            window.border_title = "Report"
            window.border_subtitle = "Tab next · Enter presses · Esc closes"
            yield LinesPane(self._draw_lines, focusable=False)
            yield Input(str(self._suggested("md")), compact=True, select_on_focus=False, id="path")
            with Horizontal(classes="buttons"):
                yield MarkedButton("Close", id="close", compact=True, classes="safe")
                for form in ("md", "html"):
                    yield MarkedButton(f"Write {FORMS[form]}", id=f"write-{form}", compact=True, classes="safe")
                yield MarkedButton("Replace it", id="replace", compact=True, disabled=True, classes="dangerous")

    def on_mount(self) -> None:
        self.query_one("#replace").display = False
        self.query_one("#write-md").focus()

    def _suggested(self, form: Form) -> Path:
        return Path(self._past.folder) / f"report.{form}"

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "close":
            self.dismiss(False)
            return
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
        self._existing = None
        self._offer_to_replace(offered=False)
        self.query_one(LinesPane).repaint()

    def _write(self, *, replace: bool) -> None:
        path = expand_home(self.query_one("#path", Input).value)
        if replace and path != self._existing:
            return
        try:
            past = self._past
            archive = self.console_app.console_context.archive
            fates = archive.fates_of_files() if archive is not None else {}
            text = report_text(past.run_id, past.entries, past.chain, self._form, fates)
            write_report(path, text, replace=replace)
        except FileExistsError:
            self._show_status(f"{path} exists. Enter another name, or press Replace it.", there=path)
        except OSError as error:
            self._show_status(f"{path}: {error.strerror or error}")
        else:
            self._show_status(f"Written: {path}", good=True)

    def _show_status(self, text: str, *, good: bool = False, there: Path | None = None) -> None:
        self._status, self._succeeded, self._existing = text, good, there
        replace = self.query_one("#replace", Button)
        if there is None and replace.has_focus:
            self.query_one(f"#write-{self._form}").focus()
        self._offer_to_replace(offered=there is not None)
        self.query_one(LinesPane).repaint()

    def _offer_to_replace(self, *, offered: bool) -> None:
        """Only a file that is there can be replaced."""
        replace = self.query_one("#replace", Button)
        replace.display, replace.disabled = offered, not offered

    def _target(self, width: int) -> Lines:
        """The whole path: the field below shows only a part of a long one."""
        if self._status:
            return ()
        path = str(expand_home(self.query_one("#path", Input).value))
        return wrapped(f"Nothing is written yet. It would be written to {path}", width, BOLD, indent="  ", first="")

    def _draw_lines(self, width: int, _: int) -> Lines:
        style = f"{BOLD} {GOOD if self._succeeded else BAD}"
        return (
            *wrapped(f"The report of {self._past.run_id}, made from its journal. Only you can read the file.", width),
            *self._target(width),
            *(wrapped(f"{'✓' if self._succeeded else '!'} {self._status}", width, style) if self._status else ()),
            line(("File to write (Tab leads to the field, type another path there):", BOLD)),
        )


register(routes.REPORT, ReportDialog)
