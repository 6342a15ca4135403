"""The operator's clock."""

from __future__ import annotations

import time


class SystemClock:
    """The machine's own clock: implements the engine's Clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
