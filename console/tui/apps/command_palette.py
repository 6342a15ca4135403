"""What the command palette offers: every command by its name, for the cluster that is shown."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import SystemCommand

from console.core.runbooks.naming import named
from console.tui.apps.running_app import RunningApp
from console.tui.navigation import routes


def commands(app: RunningApp) -> Iterator[SystemCommand]:
    """The commands in the order of the list."""
    for name in app.views:
        yield SystemCommand(
            f"Open cluster {name}",
            "Its nodes, findings and history",
            lambda name=name: app.open_screen(routes.CLUSTER, name),
        )
    shown = app.shown_cluster()
    for runbook in app.runbooks_for(shown) if shown else ():
        yield SystemCommand(
            f"Runbook {runbook.name} on {shown}",
            f"{runbook.title}. {named(runbook, {}).summary}",
            lambda runbook=runbook: app.open_screen(routes.ARM, shown, runbook, {}),
        )
    yield SystemCommand("Reconnect", "Reconnect now to the nodes that do not answer", app.action_reconnect)
    yield SystemCommand("Theme", "Dark, light, high contrast, or the colours of the terminal", app.search_themes)
    yield SystemCommand("Help", "Every key, and the words on the screens", app.action_help)
    yield SystemCommand("Quit", "Close the console; asks first while a run is armed", app.action_quit)
