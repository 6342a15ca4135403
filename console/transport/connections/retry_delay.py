"""The time between two attempts to connect. It grows with each failure, and differs a little from node to node."""

from __future__ import annotations

import random

FIRST = 0.5
LONGEST = 15.0
LONGEST_REFUSED = 2.0
"""The same for a port that refuses: the answer costs nothing, and whoever starts that server waits for its first."""
_SPREAD = 0.3


def delay(failures: int, chance: float | None = None, *, refused: bool = False) -> float:
    """Seconds to wait after this many failures in a row. `chance` in [0, 1) spreads them; it is random if left out.

    `refused`: the last attempt was refused by the host itself.
    """
    base = min(LONGEST_REFUSED if refused else LONGEST, FIRST * 2.0 ** min(max(failures - 1, 0), 10))
    drawn = random.random() if chance is None else chance  # noqa: S311 - spreads reconnects, guards nothing
    return base * (1 + _SPREAD * (2 * drawn - 1))
