"""A field to type into. What is typed while it is on the screen is its text, letter for letter.

It looks ready to be typed into even while a button has the focus, and it is: the first letter moves the focus here.
"""

from __future__ import annotations

from textual.message import Message
from textual.widgets import Input

CURSOR = "█ just type"
"""What the field shows while it has no focus: a cursor, and that typing begins there at once."""
QUITS = "q"
"""The one letter that keeps its meaning while nothing is typed, unless the text begins with it. It sends nothing."""


class TextRefused(Message):
    """Another text was typed than is asked for, and Enter has done nothing."""

    def __init__(self, required: str) -> None:
        super().__init__()
        self.required = required


class TypedField(Input):
    """Takes the whole text or none of it: from its first letter on, no character does anything else."""

    def __init__(self, required: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(placeholder=CURSOR, compact=True, select_on_focus=False, id=id)
        self.required = required
        """The text that is asked for."""

    @property
    def is_typed_into(self) -> bool:
        """Whether every character is text: it has the focus, or something is typed."""
        return bool(self.value) or self.screen.focused is self

    def takes(self, character: str, *, has_a_key: bool) -> bool:
        """Whether this character is text here. `has_a_key`: it does something else on this screen.

        Only signs and `QUITS` may do so, only before anything is typed, and only if the text does not begin with them.
        A letter that did would be missing in what follows it: a wrong text would become the right one.
        """
        if self.is_typed_into or self.required.startswith(character):
            return True
        return not has_a_key or (character.isalnum() and character != QUITS)

    def on_focus(self) -> None:
        self.placeholder = ""

    def on_blur(self) -> None:
        self.placeholder = CURSOR
