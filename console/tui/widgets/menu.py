"""A list to choose from. The cursor stays on its item while the list changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message

from console.tui.present.formatting import Lines, line
from console.tui.widgets.lines import LinesPane

CURSOR = "▸ "


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the list: its key and its lines."""

    key: str
    lines: Lines


Items = Callable[[int], tuple[Item, ...]]
"""(width) → the items to show now."""


class Menu(LinesPane):
    """Up and down move the cursor; the screen decides what Enter does."""

    @dataclass
    class Moved(Message):
        """The cursor is on another item."""

        key: str

    def __init__(
        self,
        items: Items,
        *,
        empty: str | Callable[[], str],
        made_of: Callable[[], object] | None = None,
        title: str = "",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(
            self._drawn, made_of=self._all_made_of if made_of else None, title=title, id=id, classes=classes
        )
        self._items_made_of = made_of
        self._items_source = items
        self._items: tuple[Item, ...] = ()
        self._empty = empty
        self._key = ""
        self._at = 0

    @property
    def chosen(self) -> str:
        """The key of the item under the cursor; empty where there is none."""
        return self._items[self._at].key if self._items else ""

    def choose(self, key: str) -> None:
        """Moves the cursor to this item, now or as soon as the list has it."""
        self._key = key
        self.repaint()
        if self.chosen == key:
            self._go(self._at)

    def action_move(self, lines: int) -> None:
        self._go(self._at + lines)

    def action_page(self, pages: int) -> None:
        per_item = max(1, len(self._items[0].lines)) if self._items else 1
        self._go(self._at + pages * max(1, self.size.height // per_item))

    def action_edge(self, direction: int) -> None:
        self._go(0 if direction < 0 else len(self._items) - 1)

    def on_click(self, event: events.Click) -> None:
        at, top = event.y + self.scroll_offset.y, 0
        for index, item in enumerate(self._items):
            top += len(item.lines)
            if at < top:
                self._go(index)
                return

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    def _go(self, at: int) -> None:
        if self._items:
            self._at = max(0, min(at, len(self._items) - 1))
            self._key = self._items[self._at].key
            self.repaint()
            self.post_message(self.Moved(self._key))
            top = sum(len(item.lines) for item in self._items[: self._at])
            bottom = top + len(self._items[self._at].lines)
            if top < self.scroll_offset.y:
                self.scroll_to(y=top, animate=False)
            elif bottom > self.scroll_offset.y + self.size.height:
                self.scroll_to(y=bottom - self.size.height, animate=False)

    def _all_made_of(self) -> object:
        """The cursor stands in the lines, too."""
        assert self._items_made_of is not None
        return self._items_made_of(), self._key, self._at, self.has_focus

    def _drawn(self, width: int, _: int) -> Lines:
        self._items = self._items_source(width - len(CURSOR))
        keys = [item.key for item in self._items]
        self._at = keys.index(self._key) if self._key in keys else max(0, min(self._at, len(keys) - 1))
        if not self._items:
            return (line((self._empty() if callable(self._empty) else self._empty, "dim")),)
        return tuple(
            self._with_cursor(text, on=at == self._at, first=text is item.lines[0])
            for at, item in enumerate(self._items)
            for text in item.lines
        )

    def _with_cursor(self, text: Content, *, on: bool, first: bool) -> Content:
        lead = CURSOR if on and first else " " * len(CURSOR)
        whole = line((lead, "bold"), text)
        return whole.stylize("reverse") if on and first and self.has_focus else whole
