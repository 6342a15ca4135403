"""The console of a drill: every screen says DRILL, and key presses are counted."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from textual import events

from console.engine.ports import ConsoleContext, RunStarter
from console.tui.app import ConsoleApp
from console.tui.apps.signals import terminal_restored

MARK = "DRILL"


class DrillApp(ConsoleApp):
    """The console, marked as one of a drill."""

    mark = MARK

    def __init__(self, console_context: ConsoleContext, run_starter: RunStarter | None, **options: Any) -> None:
        super().__init__(console_context, run_starter, **options)
        self.key_presses: list[float] = []
        """Epoch seconds."""

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
        record.write_text(json.dumps(app.key_presses), encoding="ascii")
    return 1 if code is None else code
