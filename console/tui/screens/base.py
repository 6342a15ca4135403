"""The base classes of screens and dialogs: header, footer, redrawing, and the text for a terminal that is too small."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, ClassVar, cast

from textual.actions import SkipAction
from textual.binding import BindingType
from textual.events import Key as KeyPress
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input

from console.core.runs.past.kept_keys import KeptKeys, reminders
from console.tui.apps.running_app import RunningApp
from console.tui.keys import Key, bindings_of, keys_of
from console.tui.navigation import routes
from console.tui.present import frame
from console.tui.present.formatting import Lines
from console.tui.present.runs.kept_keys import kept_lines
from console.tui.state.cluster_view import ClusterView
from console.tui.widgets.kept_strips import KeepsStrips
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.typed_field import TypedField

BREAKPOINTS_ACROSS: list[tuple[int, str]] = [(0, "-tiny"), (frame.MIN_WIDTH, "-narrow"), (110, "-wide")]
BREAKPOINTS_DOWN: list[tuple[int, str]] = [(0, "-flat"), (frame.MIN_HEIGHT, "-low"), (34, "-high"), (48, "-tall")]


class ScrollsText(Screen[Any]):
    """Scroll keys move the text of the page, whatever has the focus. A list that has the focus moves its cursor."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("text")
    _painted = False
    """Whether it was painted since the last beat of the timer."""
    _panes: tuple[LinesPane, ...] = ()

    @property
    def panes_of_lines(self) -> tuple[LinesPane, ...]:
        """All of them. Once the screen is mounted they stay the same, and walking through its widgets costs more."""
        if not self._panes or not self.is_mounted:
            self._panes = tuple(self.query(LinesPane))
        return self._panes

    @property
    def text_pane(self) -> LinesPane | None:
        """The pane with the text of this page: the largest one that can be scrolled."""
        panes = [one for one in self.panes_of_lines if one.display and one.styles.overflow_y != "hidden"]
        return max(panes, key=lambda one: one.region.area, default=None)

    async def acts_beside_field(self, key: KeyPress) -> bool:
        """Whether this character is no text of the field on the screen, and was dealt with.

        It acts before the next key is looked at: where it opens something, what is typed after it goes there, and not
        into the field. A character that is text moves the focus to the field, and goes there on its usual way.
        """
        field = next(iter(self.query(TypedField)), None) if key.is_printable and key.character else None
        if field is None or self.focused is field:
            return False
        active = self.active_bindings.get(key.key)
        if field.takes(key.character or "", has_a_key=active is not None):
            self.set_focus(field)
            return False
        if active is not None:
            await self.app.run_action(active.binding.action, active.node)
        return True

    def action_scroll_text(self, how: str, amount: int) -> None:
        focused, text = self.focused, self.text_pane
        if isinstance(focused, LinesPane) and (how == "line" or focused.is_page or self._all_in_view(text)):
            raise SkipAction
        if text is None or (isinstance(focused, Input) and how == "edge" and not text.max_scroll_y):
            raise SkipAction
        {"line": text.action_move, "page": text.action_page, "edge": text.action_edge}[how](amount)
        self.call_after_refresh(self.paint)

    @staticmethod
    def _all_in_view(text: LinesPane | None) -> bool:
        """Whether there is nothing to scroll: then the key is for the list that has the focus."""
        return text is None or not text.max_scroll_y

    def paint(self) -> None:
        """Redraws the changed cells of every pane."""
        self._painted = True
        for pane in self.panes_of_lines:
            pane.repaint()


class ConsoleScreen(KeepsStrips, ScrollsText):
    """A whole screen. Subclasses implement `body`, and `breadcrumb` where the cluster alone does not say enough."""

    PLACE: ClassVar[str] = ""
    """Its place in the table of keys."""
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS_ACROSS
    VERTICAL_BREAKPOINTS = BREAKPOINTS_DOWN
    AUTO_FOCUS: ClassVar[str | None] = "*"

    def compose(self) -> Iterable[Widget]:
        yield LinesPane(self._draw_header, focusable=False, id="header")
        yield from self.body()
        yield LinesPane(self._draw_footer, made_of=self.footer_keys, focusable=False, id="footer")
        yield LinesPane(frame.too_small, focusable=False, classes="too-small")

    def body(self) -> Iterable[Widget]:
        """The widgets between header and footer."""
        return ()

    @property
    def console_app(self) -> RunningApp:
        return cast("RunningApp", self.app)

    @property
    def cluster(self) -> str:
        """The cluster that the screen is about; empty: none in particular."""
        return ""

    def breadcrumb(self) -> str:
        """The path to this screen, for the header."""
        return self.cluster

    def footer_keys(self) -> tuple[Key, ...]:
        return (*keys_of(self.PLACE), *keys_of("app"))

    def paint(self) -> None:
        """Redraws the changed cells of every pane; nothing while another screen covers this one."""
        if self._on_top:
            super().paint()

    def on_mount(self) -> None:
        self.watch(self.app, "views", self._views_changed, init=False)
        self.watch(self.app, "armed_run", self.paint, init=False)

    def on_screen_resume(self) -> None:
        self.paint()

    def second_passed(self) -> None:
        """Ages go on where nothing else has redrawn them: while nodes answer, each observation does."""
        if self.is_mounted and not self._painted:
            self.paint()
        self._painted = False

    def action_back(self) -> None:
        self.app.pop_screen()

    @property
    def _on_top(self) -> bool:
        """Whether it is visible: a dialog does not cover it, another screen does."""
        return next((one for one in reversed(self.app.screen_stack) if isinstance(one, ConsoleScreen)), None) is self

    def _views_changed(self, before: Mapping[str, ClusterView], after: Mapping[str, ClusterView]) -> None:
        """Redraws unless the observation is one of another cluster."""
        if not self.cluster or before.get(self.cluster) is not after.get(self.cluster):
            self.paint()

    def _draw_header(self, width: int, _: int) -> Lines:
        app = self.console_app
        run = app.armed_run
        badge = frame.armed_badge(waiting=run.question is not None) if run else frame.read_only_badge()
        age = frame.observed_when(app.views[self.cluster], app.now()) if self.cluster else ""
        return frame.header(self.breadcrumb(), badge, age, width, mark=app.mark, named=app.named)

    def _draw_footer(self, width: int, _: int) -> Lines:
        return frame.footer(self.footer_keys(), width)


class ShowsKeptKeys(ConsoleScreen):
    """Says that keys are only in a file, and opens what brings them back. Without such keys it says nothing."""

    @property
    def kept(self) -> tuple[KeptKeys, ...]:
        """The keys that this screen is about; of all clusters where it is about none in particular."""
        kept = self.console_app.kept_keys
        return kept.get(self.cluster, ()) if self.cluster else tuple(chain.from_iterable(kept.values()))

    def kept_line(self) -> LinesPane:
        """The line for `body`."""
        pane = LinesPane(self._draw_kept, focusable=False, classes="kept-line")
        pane.display = False
        return pane

    def footer_keys(self) -> tuple[Key, ...]:
        return tuple(one for one in super().footer_keys() if self.kept or one.action != "kept_keys")

    def paint(self) -> None:
        for pane in (one for one in self.panes_of_lines if one.has_class("kept-line")):
            lines = self._draw_kept(max(1, self.size.width - 2), 0)
            pane.display, pane.styles.height = bool(lines), max(1, len(lines))
        super().paint()

    def on_mount(self) -> None:
        self.watch(self.app, "kept_keys", self.paint, init=False)

    def action_kept_keys(self) -> None:
        if self.kept:
            self.console_app.open_screen(routes.KEPT_KEYS, lambda: self.kept)

    def _draw_kept(self, width: int, _: int) -> Lines:
        return kept_lines(reminders(self.kept), width, names_cluster=not self.cluster)


class Dialog(ScrollsText, ModalScreen[bool]):
    """A small window over a screen, which goes on. Esc closes it and changes nothing."""

    HORIZONTAL_BREAKPOINTS = BREAKPOINTS_ACROSS
    VERTICAL_BREAKPOINTS = BREAKPOINTS_DOWN
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("dialog")

    @property
    def console_app(self) -> RunningApp:
        return cast("RunningApp", self.app)

    def on_screen_resume(self) -> None:
        self.paint()

    def action_back(self) -> None:
        self.dismiss(False)
