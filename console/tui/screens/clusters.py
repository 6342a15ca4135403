from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from console.core.inventory import UnusableCluster
from console.tui.keys import bindings_of
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.clusters import cluster as present
from console.tui.screens.base import ShowsKeptKeys
from console.tui.widgets.menu import Item, Menu


class ClustersScreen(ShowsKeptKeys):
    """All clusters of the inventory in its order, each with its health and its worst finding."""

    PLACE = "clusters"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("clusters")

    def body(self) -> Iterable[Widget]:
        empty = (
            f"{self.console_app.console_context.inventory.path} has no cluster: add one, then start the console again."
        )
        yield self.kept_line()
        yield Menu(self._draw_items, empty=empty, title="Clusters", id="clusters")

    def breadcrumb(self) -> str:
        return "clusters"

    def action_open(self) -> None:
        name = self.query_one(Menu).chosen
        if name in self.console_app.views:
            self.console_app.open_screen(routes.CLUSTER, name)
        for one in self._unusable:
            if one.name == name:
                self.notify(one.problems[0], title="This cluster cannot be used", severity="error")

    def action_runs(self) -> None:
        self.console_app.open_screen(routes.PAST_RUNS, "")

    def action_back(self) -> None:
        """This is the first screen: there is nothing to go back to."""

    def _draw_items(self, width: int) -> tuple[Item, ...]:
        app = self.console_app
        longest = max((len(name) for name in (*app.views, *(one.name for one in self._unusable))), default=0)
        return (
            *(Item(name, present.cluster_line(view, app.now(), width, longest)) for name, view in app.views.items()),
            *(Item(one.name, present.unusable_lines(one, width, longest)) for one in self._unusable),
        )

    @property
    def _unusable(self) -> tuple[UnusableCluster, ...]:
        return self.console_app.console_context.inventory.unusable


register(routes.CLUSTERS, ClustersScreen)
