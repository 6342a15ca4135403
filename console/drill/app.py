"""The console of a drill: every screen says DRILL, and key presses are counted."""

from __future__ import annotations

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
        self.named = Path(os.environ.get(STATE_VARIABLE, "")).parent.name
        self.refused_texts: list[tuple[float, str]] = []
        """Epoch seconds, and the text that was asked for, of each text that was typed instead and refused."""

    def on_text_refused(self, event: TextRefused) -> None:
        self.refused_texts.append((time.time(), event.required))

    async def action_quit(self) -> None:
        """Asks also while nothing is armed: the cluster of a drill is gone with its console."""
        if self.armed_run is None:
            self.open_screen(routes.QUIT, self._end, END_OF_DRILL)
        else:
            await super().action_quit()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            self.key_presses.append(time.time())
        await super().on_event(event)


def run_app(
    console_context: ConsoleContext,
    run_starter: RunStarter | None,
    *,
    cluster: str | None,
    record: Path,
) -> int:
    """Runs the console of a drill. `record`: gets the moments of its key presses, when it ends."""
    app = DrillApp(console_context, run_starter, cluster=cluster)
    try:
        with terminal_restored(app):
            code = app.run()
    finally:
        record.write_text(json.dumps({"keys": app.key_presses, "refused": app.refused_texts}), encoding="utf-8")
    return 1 if code is None else code
