from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from console.tui.keys import bindings_of
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.runs.arming import runbook_line
from console.tui.screens.base import ConsoleScreen
from console.tui.widgets.menu import Item, Menu


class RunbooksScreen(ConsoleScreen):
    """The runbooks for this kind of cluster. The cursor is on the one that the worst finding recommends."""

    PLACE = "runbooks"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("runbooks")

    def __init__(self, cluster: str) -> None:
        super().__init__()
        self._cluster = cluster

    @property
    def cluster(self) -> str:
        return self._cluster

    def breadcrumb(self) -> str:
        return f"{self._cluster} > runbooks"

    def body(self) -> Iterable[Widget]:
        kind = self.console_app.views[self._cluster].spec.kind
        yield Menu(
            self._draw_items, empty=f"There is no runbook for clusters of kind {kind}.", title="Runbooks", id="runbooks"
        )

    def on_mount(self) -> None:
        findings = self.console_app.views[self._cluster].findings
        self.query_one(Menu).choose(next((one.next.runbook for one in findings if one.next.runbook), ""))

    def action_choose(self) -> None:
        chosen = self.query_one(Menu).chosen
        for runbook in self.console_app.runbooks_for(self._cluster):
            if runbook.name == chosen:
                self.console_app.open_screen(routes.ARM, self._cluster, runbook, {})

    def _draw_items(self, width: int) -> tuple[Item, ...]:
        runbooks = self.console_app.runbooks_for(self._cluster)
        longest = max((len(one.name) for one in runbooks), default=0)
        return tuple(Item(one.name, runbook_line(one, width, longest)) for one in runbooks)


register(routes.RUNBOOKS, RunbooksScreen)
