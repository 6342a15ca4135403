"""Which rows of a question were in view: nothing is sent that nobody could have read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from textual.content import Content

Row = tuple[str, int]
"""The words of a row, and how often they stand above it: equal commands are read one by one."""


class RowsRead:
    """The rows that were in view since a question is on the screen.

    Words count, not places: a row whose words have changed meanwhile was not in view, wherever it stands.
    """

    def __init__(self) -> None:
        self._read: set[Row] = set()

    def note(self, lines: Sequence[Content], top: int, height: int) -> None:
        """These lines are in view from `top` on."""
        self._read.update(_rows(lines)[top : top + height])

    def first_unread(self, lines: Sequence[Content], needed: int) -> int | None:
        """The first of the `needed` lines that was not in view; None: all of them were."""
        return next((at for at, row in enumerate(_rows(lines)[:needed]) if row not in self._read), None)


def _rows(lines: Sequence[Content]) -> list[Row]:
    times: Counter[str] = Counter()
    found = []
    for one in lines:
        found.append((one.plain, times[one.plain]))
        times[one.plain] += 1
    return found
