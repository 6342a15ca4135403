"""Widgets that are not looked at again while another part of the screen is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from textual.containers import Container, Horizontal
from textual.geometry import Region
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.widget import Widget
else:  # a widget has the default styles of its first base: that must stay the one that lays it out
    Widget = object


class KeepsStrips(Widget):
    """Gives the same cells again until some of them are to be drawn anew.

    For each update of the screen Textual asks every widget between the first and the last changed line for all its
    cells. Most of them have not changed, and working out their borders and colours costs more than what has.
    """

    _kept: tuple[Region, list[Strip]] | None = None
    """The part of the widget that was drawn last, and its cells."""

    def refresh(self, *regions: Region, **what: Any) -> Self:
        """Some cells, or all of them, are to be drawn anew."""
        self._kept = None
        return super().refresh(*regions, **what)

    def notify_style_update(self) -> None:
        """Its colours or its border have changed."""
        self._kept = None
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The cells of this part of the widget."""
        if self._kept is None or self._kept[0] != crop:
            self._kept = crop, super().render_lines(crop)
        return self._kept[1]


class KeptContainer(KeepsStrips, Container):
    """A container of which nothing is seen but its background."""


class KeptHorizontal(KeepsStrips, Horizontal):
    """The same, with its children side by side."""
