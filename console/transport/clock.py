"""The clock of the machine that the console runs on."""

from __future__ import annotations

import time


class SystemClock:
    """Implements the engine's Clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
