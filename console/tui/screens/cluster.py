from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from console.core.diagnosis.finding import Finding, Health
from console.core.model import RunLock
from console.core.runs.past.kept_keys import reminders
from console.tui.keys import Key, bindings_of
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.clusters import cluster as present
from console.tui.present.clusters.cards import cards, in_full
from console.tui.present.clusters.kinds import KindPane, KindPresentation, presentation_of
from console.tui.present.formatting import BOLD, DIM, UNCUT, Lines, Part, fitted, line, rewrapped
from console.tui.present.runs.lock import lock_banner, locks_of_others
from console.tui.screens.base import ShowsKeptKeys
from console.tui.state.cluster_view import ClusterView
from console.tui.widgets.kept_strips import KeptContainer, KeptHorizontal
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Item, Menu

COMMON_PANES = ("findings", "timeline", "history")
HIGH_FROM, TALL_FROM = 34, 48
"""Heights of the screen from which cards and topology get more lines."""
MOST_TOPOLOGY_LINES = 4
"""Lines of the topology that a low screen has room for."""


ROWS_AROUND = 4
"""Rows of the header, the tabs, the first finding and the footer."""
LEAST_HEADLINE = 2
"""Rows that the headline keeps where there is no room: the facts, and the worst finding."""


class ClusterScreen(ShowsKeptKeys):
    """One cluster: the headline, the nodes, the topology, then findings, timeline and history."""

    PLACE = "cluster"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("cluster")
    AUTO_FOCUS = "#findings"

    def __init__(self, cluster: str) -> None:
        super().__init__()
        self._cluster = cluster
        self._pane = "findings"
        self._heights: tuple[int, ...] = ()
        """Of the headline, the cards and the topology, as they were set last."""

    @property
    def cluster(self) -> str:
        return self._cluster

    @property
    def view(self) -> ClusterView:
        return self.console_app.views[self._cluster]

    @property
    def presentation(self) -> KindPresentation:
        """How this kind of cluster is shown."""
        return presentation_of(self.view.spec.kind)

    @property
    def panes(self) -> tuple[str, ...]:
        """The panes below the topology, in the order of their keys."""
        return (*COMMON_PANES, *(one.name for one in self.presentation.panes))

    def body(self) -> Iterable[Widget]:
        yield LinesPane(self._draw_headline, focusable=False, id="headline")
        yield LinesPane(self._draw_lock, focusable=False, id="lock")
        yield self.kept_line()
        yield LinesPane(self._draw_cards, id="cards")
        yield LinesPane(self._draw_topology, focusable=False, id="topology")
        yield LinesPane(self._draw_tabs, focusable=False, id="tabs")
        with KeptContainer(id="panes"):
            with KeptHorizontal(id="upper"):
                yield Menu(
                    self._draw_findings,
                    empty=self._no_findings,
                    made_of=lambda: (self.view.findings, self.view.health, self.view.state is None, self._roomy),
                    title="1 Findings",
                    id="findings",
                    classes="pane",
                )
                yield LinesPane(
                    self._draw_timeline,
                    made_of=lambda: self.view.events,
                    title="2 Timeline",
                    id="timeline",
                    classes="pane",
                )
            with KeptHorizontal(id="lower", classes="-several" if len(self.presentation.panes) > 1 else None):
                yield LinesPane(self._draw_history, title="3 History", id="history", classes="pane")
                for number, pane in enumerate(self.presentation.panes, start=len(COMMON_PANES) + 1):
                    drawn = self._drawn_by(pane)
                    yield LinesPane(drawn, title=f"{number} {pane.title}", id=pane.name, classes="pane kind-pane")

    def on_mount(self) -> None:
        self._show_pane()

    def footer_keys(self) -> tuple[Key, ...]:
        several = len(self.console_app.views) > 1
        return tuple(key for key in super().footer_keys() if several or key.keys != "escape")

    def action_pane(self, number: int) -> None:
        """Shows the pane with this number, from 0. This kind may have fewer."""
        if number < len(self.panes):
            self._pane = self.panes[number]
            self._show_pane()
            self.query_one(f"#{self._pane}").focus()

    def action_runbooks(self) -> None:
        self.console_app.open_screen(routes.RUNBOOKS, self._cluster)

    def action_runs(self) -> None:
        self.console_app.open_screen(routes.PAST_RUNS, self._cluster)

    def action_follow(self) -> None:
        if lock := self._lock:
            self.console_app.open_screen(routes.PAST_RUN, lock.run_id, lock.cluster)

    def action_detail(self) -> None:
        """Opens what has the focus in full: the chosen finding, or the panel."""
        name = self.focused.id if self.focused is not None and self.focused.id else self._pane
        if name == "findings":
            self._open_finding()
        else:
            title = "nodes" if name == "cards" else self._tab_name(name)
            self.console_app.open_screen(routes.PANEL, title.capitalize(), lambda width: self._draw_full(name, width))

    def _open_finding(self) -> None:
        chosen = self.query_one("#findings", Menu).chosen
        found = next((one for one in self.view.findings if _key(one) == chosen), None)
        if found is not None:
            self.console_app.open_screen(routes.FINDING, found, lambda: self._still_there(found))

    def _draw_full(self, name: str, width: int) -> Lines:
        """A panel at this width, with nothing cut."""
        state, now = self.view.state, self.console_app.now()
        if state is None:
            return (line("Waiting for the first observation of the cluster."),)
        if name == "cards":
            return in_full(state, now, width)
        if name == "history":
            return present.history(self.view.samples, width, self.view.traffic)
        if name == "timeline":
            return present.timeline(self.view.events, width)
        return rewrapped(
            next(one for one in self.presentation.panes if one.name == name).draw(state, now, UNCUT), width
        )

    def action_back(self) -> None:
        if len(self.console_app.views) > 1:
            super().action_back()

    def _still_there(self, finding: Finding) -> Finding | None:
        return next((one for one in self.view.findings if _key(one) == _key(finding)), None)

    def _show_pane(self) -> None:
        for name in self.panes:
            self.query_one(f"#{name}").set_class(name == self._pane, "-current")
        for row, names in (("upper", self.panes[:2]), ("lower", self.panes[2:])):
            self.query_one(f"#{row}").set_class(self._pane in names, "-current")
        self.call_after_refresh(self.paint)

    def _draw_headline(self, width: int, _: int) -> Lines:
        armed = self.console_app.armed_run
        run = armed.runbook if armed is not None and armed.cluster == self.view.name else ""
        low = self.size.height < HIGH_FROM
        lines = present.headline(self.view, width, 3 if low else 4, run=run, kept=bool(reminders(self.kept)))
        return present.shortened(lines, max(LEAST_HEADLINE, self._room_for_headline), width) if low else lines

    @property
    def _room_for_headline(self) -> int:
        """Rows for the headline of a low screen where all cards are whole. It can be less than none.

        The first finding is seen always: the advice gives way to it, and then the cards, which scroll.
        """
        kept = self._draw_kept(max(1, self.size.width - 2), 0) if self.kept else ()
        others = ROWS_AROUND + len(kept) + (self._lock is not None) + self._rows_of_topology
        return self.size.height - others - self.presentation.row_count - 2

    @property
    def _rows_of_topology(self) -> int:
        return self.presentation.fixed_lines or min(len(self.view.spec.nodes), MOST_TOPOLOGY_LINES)

    @property
    def _lock(self) -> RunLock | None:
        """The run of another operator that holds the lock of this cluster."""
        run = self.console_app.current_run
        return next(iter(locks_of_others(self.view.state, run.run_id if run else "")), None)

    def paint(self) -> None:
        self.query_one("#lock").display = self._lock is not None
        self._set_heights()
        super().paint()

    def on_resize(self) -> None:
        self._set_heights()

    def _set_heights(self) -> None:
        """The headline gets the lines of its text; cards and topology what the kind needs, more on a high screen."""
        height, shown_as = self.size.height, self.presentation
        blank = 0 if height < HIGH_FROM else 1 if height < TALL_FROM else 2
        headline = len(self._draw_headline(self.size.width - 2, 0)) + blank
        nodes = len(self.view.spec.nodes)
        extra = 0 if height < HIGH_FROM else 2 if height < TALL_FROM else max(2, 10 - (len(shown_as.panes) - 1) * 3)
        shown = self._rows_of_topology
        if height >= HIGH_FROM and self.view.state is not None:
            shown = min(len(present.topology(self.view.state, self.size.width - 2)), shown_as.fixed_lines + nodes)
        lacks = max(0, headline - self._room_for_headline) if height < HIGH_FROM else 0
        heights = (headline, max(1, shown_as.row_count + 2 + extra - lacks), shown + blank)
        if heights != self._heights:
            self._heights = heights
            for name, lines in zip(("headline", "cards", "topology"), heights, strict=True):
                self.query_one(f"#{name}").styles.height = lines

    def _draw_lock(self, width: int, _: int) -> Lines:
        lock = self._lock
        return (lock_banner(lock, width),) if lock else ()

    def _draw_cards(self, width: int, height: int) -> Lines:
        state = self.view.state
        if state is None:
            return tuple(line((f"  {one.name}  {one.address}: connecting", DIM)) for one in self.view.spec.nodes)
        return cards(state, self.console_app.now(), width, height)

    def _draw_topology(self, width: int, _: int) -> Lines:
        return present.topology(self.view.state, width) if self.view.state else ()

    def _draw_tabs(self, width: int, _: int) -> Lines:
        parts: list[Part] = []
        for number, name in enumerate(self.panes, start=1):
            label = f" {number} {self._tab_name(name)} "
            parts += [(label, f"{BOLD} reverse" if name == self._pane else DIM), " "]
        return (fitted(line(*parts), width),)

    def _tab_name(self, name: str) -> str:
        titles = {one.name: one.title for one in self.presentation.panes}
        if name == "findings" and self.view.state is not None:
            return f"findings ({len(self.view.findings)})"
        return titles.get(name, name).lower()

    def _draw_findings(self, width: int) -> tuple[Item, ...]:
        roomy = self._roomy
        return tuple(Item(_key(one), present.finding_lines(one, width, roomy=roomy)) for one in self.view.findings)

    @property
    def _roomy(self) -> bool:
        """Whether there is room for the next action of each finding."""
        return self.query_one("#findings", Menu).room.height >= 2 * len(self.view.findings)

    def _no_findings(self) -> str:
        """The text in place of findings: it says that nothing was found only if something could be read."""
        if self.view.state is None:
            return "Not known yet: no node has answered."
        return "Not known: too little could be read." if self.view.health is Health.UNKNOWN else "Nothing was found."

    def _draw_timeline(self, width: int, _: int) -> Lines:
        return present.timeline(self.view.events, width)

    def _draw_history(self, width: int, _: int) -> Lines:
        return present.history(self.view.samples, width, self.view.traffic)

    def _drawn_by(self, pane: KindPane) -> Callable[[int, int], Lines]:
        def draw(width: int, _: int) -> Lines:
            return pane.draw(self.view.state, self.console_app.now(), width) if self.view.state else ()

        return draw


register(routes.CLUSTER, ClusterScreen)


def _key(finding: Finding) -> str:
    return " ".join((finding.code, *finding.nodes))
