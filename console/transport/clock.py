"""The clock of the machine that the console runs on."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What adapters need of the engine's Clock. Transport does not import the engine."""

    def now(self) -> float: ...


class SystemClock:
    """Implements the engine's Clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
