from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button

from console.core.model import ClusterState
from console.core.model.verdict import Check
from console.core.runbooks.binding import Unbound, bind_roles
from console.core.runbooks.candidates import Candidate, Candidates, judged
from console.core.runbooks.document import Runbook
from console.core.runbooks.role_choice import RoleChoice, better_choice
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.lock import lock_in_words
from console.engine.steps.step_view import sentences_ahead
from console.tui.keys import bindings_of
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.present.formatting import BAD, BOLD, NOTE, WARN, Lines, line, wrapped
from console.tui.present.runs.arming import arming_lines
from console.tui.present.runs.lock import locks_of_others
from console.tui.screens.base import ConsoleScreen
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Item, Menu


class ArmScreen(ConsoleScreen):
    """The roles and the plan of a run, and what arming means. Nothing is armed before the button is pressed."""

    PLACE = "arm"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("arm")
    AUTO_FOCUS = "#back"

    def __init__(self, cluster: str, runbook: Runbook, roles: Mapping[str, str]) -> None:
        super().__init__()
        self._cluster = cluster
        self._runbook = runbook
        self._chosen = dict(roles)
        self._shown: Mapping[str, str] = {}
        self._message = ""
        self._asked = ""
        """The role that the list of candidates is about; empty: none yet."""
        self._last_judged: tuple[ClusterState, Mapping[str, str], Unbound, Candidates] | None = None
        """What the candidates were judged by last, and how: each drawing needs them several times."""

    @property
    def cluster(self) -> str:
        return self._cluster

    def breadcrumb(self) -> str:
        return f"{self._cluster} > {self._runbook.name}"

    def body(self) -> Iterable[Widget]:
        yield LinesPane(self._draw_lines, id="arming")
        candidates = Menu(self._draw_candidates, empty="No node can take this role.", id="candidates")
        candidates.is_page = False
        yield candidates
        with Horizontal(classes="buttons"):
            yield MarkedButton("Back, arm nothing", id="back", compact=True, classes="safe")
            yield MarkedButton("ARM this run", id="arm", compact=True, disabled=True, classes="dangerous")

    def paint(self) -> None:
        unbound = isinstance(self._bound(), Unbound)
        offered = unbound or self._better() is not None
        blocked = unbound or self._bound() is None or not all(one.holds for one in self._required())
        menu, arm = self.query_one("#candidates", Menu), self.query_one("#arm", Button)
        arm.disabled = blocked or not self.console_app.may_arm
        if (asked := self._bound()) and isinstance(asked, Unbound) and asked.role != self._asked:
            self._asked = asked.role
            menu.choose(self._judged(asked).decided)
        if menu.display != offered:
            menu.display = offered
            (menu if offered else self.query_one("#back")).focus()
        super().paint()

    def on_mount(self) -> None:
        self.query_one("#candidates").display = False

    @on(Button.Pressed, "#back")
    def go_back(self) -> None:
        self.action_back()

    @on(Button.Pressed, "#arm")
    def arm(self) -> None:
        bound = self._bound()
        if bound is None or isinstance(bound, Unbound):
            return
        if dict(bound) != dict(self._shown):
            self._message = "The roles have changed since they were shown. Read them again."
            self.paint()
            return
        self.console_app.arm(self._cluster, self._runbook, bound)

    def action_choose(self) -> None:
        unbound = self._bound()
        if isinstance(unbound, Unbound):
            if name := self.query_one("#candidates", Menu).chosen:
                self._chosen[unbound.role] = name
            elif unbound.candidates:
                self.notify("Choose a node with ↓ first: what was read does not decide it.", timeout=3)
        elif better := self._better():
            self._chosen.update(better.roles)
        self.paint()

    def _bound(self) -> Mapping[str, str] | Unbound | None:
        state = self.console_app.views[self._cluster].state
        return bind_roles(self._runbook, state, self._chosen) if state else None

    def _judged(self, unbound: Unbound) -> Candidates:
        """The candidates of the role that is asked, the better one first."""
        state, last = self.console_app.views[self._cluster].state, self._last_judged
        if state is None:
            return Candidates((), "", "")
        if last is None or last[0] is not state or last[1:3] != (self._chosen, unbound):
            found = judged(self._runbook, state, unbound, self._chosen)
            last = self._last_judged = state, dict(self._chosen), unbound, found
        return last[3]

    def _better(self) -> RoleChoice | None:
        """The choice of roles that passes, where the present one does not."""
        state, bound = self.console_app.views[self._cluster].state, self._bound()
        if state is None or bound is None or isinstance(bound, Unbound):
            return None
        return better_choice(self._runbook, state, bound)

    def _required(self) -> tuple[Check, ...]:
        state, bound = self.console_app.views[self._cluster].state, self._bound()
        if state is None or bound is None or isinstance(bound, Unbound):
            return ()
        return tuple(evaluate(one, state, bound) for one in self._runbook.require)

    def _draw_lines(self, width: int, _: int) -> Lines:
        trouble = wrapped(self._message, width, f"{BOLD} {BAD}") if self._message else ()
        if not self.console_app.may_arm:
            trouble = (*trouble, *wrapped("This console was opened without the right to arm runs.", width, WARN))
        for lock in locks_of_others(self.console_app.views[self._cluster].state, ""):
            trouble = (
                *trouble,
                *wrapped(f"{lock_in_words(lock)}: if you arm, you are asked whether to follow that run.", width, WARN),
            )
        bound = self._bound()
        if bound is None:
            return (*trouble, line("Waiting for the first observation of the cluster."))
        if isinstance(bound, Unbound):
            return (*trouble, *self._ask_role(bound, width))
        self._shown = bound
        if better := self._better():
            trouble = (*trouble, *wrapped(better.reason, width, f"{BOLD} {BAD}"), line(""))
        state = self.console_app.views[self._cluster].state
        sentences = sentences_ahead(self._runbook, state, bound) if state is not None else {}
        return (*trouble, *arming_lines(self._runbook, bound, self._cluster, self._required(), width, sentences))

    def _ask_role(self, unbound: Unbound, width: int) -> Lines:
        found = self._judged(unbound)
        described = next((one.description for one in self._runbook.roles if one.name == unbound.role), "")
        return (
            *wrapped(f"Role {unbound.role}: which node is it?", width, f"{BOLD} {NOTE}"),
            *wrapped(described, width),
            *wrapped(found.reason, width, BOLD if found.decided else WARN),
            *(row for one in found.lines for row in wrapped(one, width, indent="  ", first="· ")),
        )

    def _draw_candidates(self, width: int) -> tuple[Item, ...]:
        unbound = self._bound()
        if isinstance(unbound, Unbound):
            found = self._judged(unbound)
            open_choice = bool(found.of) and not found.decided
            none = Item("", (line("choose with ↓, then Enter"),))
            return (*((none,) if open_choice else ()), *(Item(one.name, (_candidate(one),)) for one in found.of))
        if better := self._better():
            wanted = " and ".join(f"{role} = {name}" for role, name in better.roles.items())
            return (Item("better", wrapped(f"take {wanted}", width)),)
        return ()


def _candidate(one: Candidate) -> Content:
    return line(one.name, ("  does not fit", BAD) if one.against else "")


register(routes.ARM, ArmScreen)
