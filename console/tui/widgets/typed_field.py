"""A field to type into. It looks ready to be typed into even while a button has the focus."""

from __future__ import annotations

from textual.message import Message
from textual.widgets import Input

CURSOR = "█ just type"
"""What the field shows while it has no focus: a cursor, and that typing begins there at once."""


class TextRefused(Message):
    """Another text was typed than is asked for, and Enter has done nothing."""

    def __init__(self, required: str) -> None:
        super().__init__()
        self.required = required


class TypedField(Input):
    """Shows a cursor while it has no focus, too: the first letter that is typed moves the focus here."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(placeholder=CURSOR, compact=True, select_on_focus=False, id=id)

    def on_focus(self) -> None:
        self.placeholder = ""

    def on_blur(self) -> None:
        self.placeholder = CURSOR
