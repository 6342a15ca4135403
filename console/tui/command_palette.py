"""What the command palette offers: every command by its name, for the cluster that is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import SystemCommand

if TYPE_CHECKING:
    from console.tui.app import ConsoleApp


def commands(app: ConsoleApp) -> Iterator[SystemCommand]:
    """In the order in which they are listed."""
    for name in app.views:
        yield SystemCommand(
            f"Open cluster {name}", "Its nodes, findings and history", lambda n=name: app.open_cluster(n)
        )
    shown = app.shown_cluster()
    for one in app.runbooks_for(shown) if shown else ():
        yield SystemCommand(f"Runbook {one.name} on {shown}", one.title, lambda n=one.name: app.open_arming(shown, n))
    yield SystemCommand("Reconnect", "Try the nodes that are away again, now", app.action_reconnect)
    yield SystemCommand("Theme", "Dark, light, high contrast, the terminal's own colours", app.search_themes)
    yield SystemCommand("Help", "Every key and every word", app.action_help)
    yield SystemCommand("Quit", "Leave the console; asks first while a run is armed", app.action_quit)
