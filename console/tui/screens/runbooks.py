"""From a runbook to an armed run: choose it, see who is who, arm it with intent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button

from console.core.model.verdict import Check
from console.core.runbooks.binding import Unbound, bind_roles
from console.core.runbooks.document import Runbook
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.lock import lock_in_words
from console.tui.keys import bindings_of
from console.tui.present import lock as present_lock
from console.tui.present import run as present
from console.tui.present.words import BAD, BOLD, NOTE, WARN, Lines, line, wrapped
from console.tui.screens.base import ConsoleScreen
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Item, Menu


class RunbooksScreen(ConsoleScreen):
    """The runbooks for this kind of cluster. The one that the worst finding asks for is under the cursor."""

    PLACE = "runbooks"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("runbooks")

    def __init__(self, cluster: str) -> None:
        super().__init__()
        self._cluster = cluster

    @property
    def cluster(self) -> str:
        return self._cluster

    def place(self) -> str:
        return f"{self._cluster} > runbooks"

    def body(self) -> Iterable[Widget]:
        kind = self.console_app.views[self._cluster].spec.kind
        yield Menu(
            self._draw_items, empty=f"There is no runbook for clusters of kind {kind}.", title="Runbooks", id="runbooks"
        )

    def on_mount(self) -> None:
        super().on_mount()
        findings = self.console_app.views[self._cluster].findings
        self.query_one(Menu).choose(next((one.next.runbook for one in findings if one.next.runbook), ""))

    def action_choose(self) -> None:
        if name := self.query_one(Menu).chosen:
            self.console_app.open_arming(self._cluster, name)

    def _draw_items(self, width: int) -> tuple[Item, ...]:
        runbooks = self.console_app.runbooks_for(self._cluster)
        longest = max((len(one.name) for one in runbooks), default=0)
        return tuple(Item(one.name, present.runbook_line(one, width, longest)) for one in runbooks)


class ArmScreen(ConsoleScreen):
    """Who is who in this run, what it would do, what arming means. Nothing is armed before the button is pressed."""

    PLACE = "arm"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("arm")
    AUTO_FOCUS = "#back"

    def __init__(self, cluster: str, runbook: Runbook, roles: Mapping[str, str]) -> None:
        super().__init__()
        self._cluster = cluster
        self._runbook = runbook
        self._chosen = dict(roles)
        self._shown: Mapping[str, str] = {}
        self._trouble = ""

    @property
    def cluster(self) -> str:
        return self._cluster

    def place(self) -> str:
        return f"{self._cluster} > {self._runbook.name}"

    def body(self) -> Iterable[Widget]:
        yield LinesPane(self._draw_lines, id="arming")
        yield Menu(self._draw_candidates, empty="No node can take this role.", id="candidates")
        with Horizontal(classes="buttons"):
            yield MarkedButton("Back, arm nothing", id="back", compact=True, classes="safe")
            yield MarkedButton("ARM this run", id="arm", compact=True, disabled=True, classes="dangerous")

    def paint(self) -> None:
        unbound = isinstance(self._bound(), Unbound)
        blocked = unbound or self._bound() is None or not all(one.holds for one in self._required())
        menu, arm = self.query_one("#candidates", Menu), self.query_one("#arm", Button)
        arm.disabled = blocked or not self.console_app.may_arm
        if menu.display != unbound:
            menu.display = unbound
            (menu if unbound else self.query_one("#back")).focus()
        super().paint()

    def on_mount(self) -> None:
        super().on_mount()
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
            self._trouble = "Who is who has changed since it was shown. Read it again."
            self.paint()
            return
        self.console_app.arm(self._cluster, self._runbook, bound)

    def refused(self, reason: str) -> None:
        """Arming did not work."""
        self._trouble = reason
        self.paint()

    def action_choose(self) -> None:
        unbound = self._bound()
        if isinstance(unbound, Unbound) and (name := self.query_one("#candidates", Menu).chosen):
            self._chosen[unbound.role] = name
            self.paint()

    def _bound(self) -> Mapping[str, str] | Unbound | None:
        state = self.console_app.views[self._cluster].state
        return bind_roles(self._runbook, state, self._chosen) if state else None

    def _required(self) -> tuple[Check, ...]:
        state, bound = self.console_app.views[self._cluster].state, self._bound()
        if state is None or bound is None or isinstance(bound, Unbound):
            return ()
        return tuple(evaluate(one, state, bound) for one in self._runbook.require)

    def _draw_lines(self, width: int, _: int) -> Lines:
        trouble = wrapped(self._trouble, width, f"{BOLD} {BAD}") if self._trouble else ()
        if not self.console_app.may_arm:
            trouble = (*trouble, *wrapped("This console was opened without the right to arm runs.", width, WARN))
        for lock in present_lock.others(self.console_app.views[self._cluster].state, ""):
            trouble = (
                *trouble,
                *wrapped(f"{lock_in_words(lock)}: arming will ask whether you follow it.", width, WARN),
            )
        bound = self._bound()
        if bound is None:
            return (*trouble, line("Waiting for the first observation of the cluster."))
        if isinstance(bound, Unbound):
            return (*trouble, *self._ask_role(bound, width))
        self._shown = bound
        checks = self._required()
        before = present.required(checks, width) if checks else ()
        return (*trouble, *before, *present.arming(self._runbook, bound, self._cluster, width))

    def _ask_role(self, unbound: Unbound, width: int) -> Lines:
        described = next((one.description for one in self._runbook.roles if one.name == unbound.role), "")
        return (
            line((f"Which node is {unbound.role}?", f"{BOLD} {NOTE}")),
            *wrapped(described, width),
            *(row for reason in unbound.reasons for row in wrapped(reason, width, indent="  ", first="· ")),
        )

    def _draw_candidates(self, _: int) -> tuple[Item, ...]:
        unbound = self._bound()
        if not isinstance(unbound, Unbound):
            return ()
        return tuple(Item(name, (line(name),)) for name in unbound.candidates)
