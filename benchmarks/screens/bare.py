"""The least that a Textual program does: so many cells get a new character each second.

python benchmarks/screens/bare.py CELLS LINES
"""

from __future__ import annotations

import sys

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Cells(Widget):
    """The cells, on so many lines."""

    def __init__(self, cells: int, lines: int) -> None:
        super().__init__()
        self._each, self._lines, self._turn = max(1, round(cells / lines)), lines, 0

    def on_mount(self) -> None:
        self.set_interval(1.0, self._change)

    def _change(self) -> None:
        self._turn += 1
        self.refresh(*(Region(0, y, self._each, 1) for y in range(self._lines)))

    def render_line(self, y: int) -> Strip:
        digit = str(self._turn % 10) if y < self._lines else " "
        return Strip([Segment(digit * self.size.width, self.rich_style)], self.size.width)


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Cells(int(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    Bare().run()
