from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from console.core.runbooks.binding import bindable
from console.tui.keys import bindings_of
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.formatting import Lines, wrapped
from console.tui.present.runs.arming import none_recommended, runbook_about, runbook_lines, unusable_lines
from console.tui.screens.base import ConsoleScreen
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Item, Menu


class RunbooksScreen(ConsoleScreen):
    """The runbooks for this kind of cluster. The cursor is on the one that the worst finding recommends.

    Where none is recommended, the cursor is on a line that says so, and not on a runbook.
    """

    PLACE = "runbooks"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("runbooks")

    def __init__(self, cluster: str) -> None:
        super().__init__()
        self._cluster = cluster
        self._began_without = False
        """Whether none was recommended when the screen was opened: the line that says so stays then."""

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
        yield LinesPane(self._draw_about, focusable=False, id="about")

    def on_mount(self) -> None:
        self._began_without = not self._recommended
        self.query_one(Menu).choose(self._recommended)

    @property
    def _recommended(self) -> str:
        """The runbook that the worst finding with one recommends now; empty: none, or no node can take its roles."""
        listed = {one.name: one for one in self.console_app.runbooks_for(self._cluster)}
        view = self.console_app.views[self._cluster]
        named = dict.fromkeys(one.next.runbook for one in view.findings if one.next.runbook in listed)
        can = (one for one in named if one and (view.state is None or bindable(listed[one], view.state)))
        return next(can, "")

    def on_menu_moved(self) -> None:
        self.paint()

    def action_choose(self) -> None:
        chosen = self.query_one(Menu).chosen
        if not chosen:
            self.notify("Choose a runbook with ↓ first: none is recommended.", timeout=3)
        for runbook in self.console_app.runbooks_for(self._cluster):
            if runbook.name == chosen:
                self.console_app.open_screen(routes.ARM, self._cluster, runbook, {})
        for unusable in self.console_app.console_context.unusable_runbooks:
            if unusable.path == chosen:
                self.notify(unusable.problems[0], title="This file cannot be used", severity="error")

    def _draw_about(self, width: int, _: int) -> Lines:
        """What the chosen runbook does, and when it is the wrong one."""
        chosen = self.query_one(Menu).chosen
        for one in self.console_app.runbooks_for(self._cluster):
            if one.name == chosen:
                return runbook_about(one, width)
        found = (one for one in self.console_app.console_context.unusable_runbooks if one.path == chosen)
        return tuple(row for one in found for problem in one.problems for row in wrapped(problem, width))

    def _draw_items(self, width: int) -> tuple[Item, ...]:
        runbooks = self.console_app.runbooks_for(self._cluster)
        longest = max((len(one.name) for one in runbooks), default=0)
        recommended = self._recommended
        says_none = bool(runbooks) and (self._began_without or not recommended)
        none = Item("", none_recommended(self.console_app.views[self._cluster], recommended, width))
        return (
            *((none,) if says_none else ()),
            *(
                Item(one.name, runbook_lines(one, width, longest, recommended=one.name == recommended))
                for one in runbooks
            ),
            *(Item(one.path, unusable_lines(one, width)) for one in self.console_app.console_context.unusable_runbooks),
        )


register(routes.RUNBOOKS, RunbooksScreen)
