"""The console of a drill: every screen says DRILL, and key presses are counted."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any

from textual import events

from console.engine.ports import ConsoleContext, RunStarter
from console.lab.assembly.laboratory import STATE_VARIABLE
from console.tui.app import ConsoleApp
from console.tui.apps.signals import terminal_restored
from console.tui.navigation import routes
from console.tui.navigation.routes import QuitQuestion
from console.tui.widgets.typed_field import TextRefused

MARK = "DRILL"
_LEAVES = frozenset(("ctrl+c", "ctrl+q", "ctrl+z", "q"))
"""Keys that only leave: who presses one has not noticed anything by that."""
_APPENDS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
END_OF_DRILL = QuitQuestion(
    title="The drill goes on",
    lines=("If you quit, the drill ends: the cluster is graded as it is now, and then it is gone.",),
    leave="End the drill",
)


class DrillApp(ConsoleApp):
    """The console, marked as one of a drill."""

    mark = MARK

    def __init__(self, console_context: ConsoleContext, run_starter: RunStarter | None, **options: Any) -> None:
        super().__init__(console_context, run_starter, **options)
        self.key_presses: list[float] = []
        """Epoch seconds."""
        self.record: Path | None = None
        """Gets a line for each key press and refused text at once: a console that is killed keeps them so."""
        self.named = Path(os.environ.get(STATE_VARIABLE, "")).parent.name
        self.refused_texts: list[tuple[float, str]] = []
        """Epoch seconds, and the text that was asked for, of each text that was typed instead and refused."""

    def on_text_refused(self, event: TextRefused) -> None:
        self.refused_texts.append((time.time(), event.required))
        self._note({"at": time.time(), "refused": event.required})

    def _note(self, line: dict[str, Any]) -> None:
        if self.record is not None:
            with contextlib.suppress(OSError), os.fdopen(os.open(self.record, _APPENDS, 0o600), "w") as file:
                file.write(json.dumps(line) + "\n")

    async def action_quit(self) -> None:
        """Asks also while nothing is armed: the cluster of a drill is gone with its console."""
        if self.armed_run is None:
            self.open_screen(routes.QUIT, self._end, END_OF_DRILL)
        else:
            await super().action_quit()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            self.key_presses.append(time.time())
            self._note({"at": self.key_presses[-1], "leaves": event.key in _LEAVES})
        await super().on_event(event)


def run_app(
    console_context: ConsoleContext,
    run_starter: RunStarter | None,
    *,
    cluster: str | None,
    record: Path,
) -> int:
    """Runs the console of a drill. `record`: gets the moments of its key presses, a line of JSON each."""
    app = DrillApp(console_context, run_starter, cluster=cluster)
    app.record = record
    os.close(os.open(record, _APPENDS, 0o600))
    with terminal_restored(app):
        code = app.run()
    return 1 if code is None else code
