"""Virtual time: it passes only when somebody waits, and everything that is due happens in order on the way."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Timeline:
    """Epoch seconds, and what is due later. Events of one moment happen in the order in which they were planned."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._planned = 0

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        self._planned += 1
        heapq.heappush(self._due, (self.now + seconds, self._planned, event))

    def every(self, seconds: float, event: Callable[[], None]) -> None:
        def again() -> None:
            event()
            self.after(seconds, again)

        self.after(seconds, again)

    def advance(self, seconds: float) -> None:
        """Lets time pass. An event that plans another one within this time makes that happen too."""
        end = self.now + seconds
        due = self._due
        while due and due[0][0] <= end:
            self.now, _, event = heapq.heappop(due)
            event()
        self.now = end


class VirtualClock:
    """Implements the engine's Clock on a timeline: whoever sleeps lets the world go on."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def now(self) -> float:
        return self._timeline.now

    def set_by(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return self._timeline.now

    def sleep(self, seconds: float) -> None:
        self._timeline.advance(seconds)
