"""The clock of the machine that the console runs on."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What adapters need of the engine's Clock. Transport does not import the engine."""

    def now(self) -> float: ...


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps, and never jumps."""
_EPOCH_OF_STEADY = time.time() - time.clock_gettime(_STEADY)


class SystemClock:
    """Implements the engine's Clock.

    `now` is the time of day when the program began, and what has passed since. When somebody sets the machine's clock,
    ages and the order of what was read stay true: after a step back, a reading of before would look like a new one.
    """

    def now(self) -> float:
        return _EPOCH_OF_STEADY + time.clock_gettime(_STEADY)

    def monotonic(self) -> float:
        return time.monotonic()

    def set_by(self) -> float:
        return time.time() - self.now()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
