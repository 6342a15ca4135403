"""What is told when the clock of the console's own machine is set while the console runs."""

from __future__ import annotations

from console.core.quantities import span

WORTH_TELLING = 2.0
"""Seconds. Less is what a time service corrects, and what rounding makes."""


class OwnClock:
    """Remembers what was told, so that each change is told once."""

    def __init__(self) -> None:
        self._told = 0.0

    def news(self, set_by: float) -> str:
        """Empty: nothing new. `set_by`: seconds since the console began, as the engine's `Clock` has them."""
        change = set_by - self._told
        if abs(change) < WORTH_TELLING:
            return ""
        self._told = set_by
        where = "back" if change < 0 else "forward"
        return (
            f"the clock of this machine was set {where} by {span(abs(change))}. Ages stay true. Times of day go on as"
            " before, until the console is started again."
        )
