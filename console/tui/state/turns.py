"""Whose turn it is to be observed: the cluster on the screen every second, the others in turns. Pure."""

from __future__ import annotations

from collections.abc import Sequence

AT_ONCE = 20
"""Clusters that are observed in one second: 100 clusters are observed every five seconds each."""
TICKS_BETWEEN_OTHERS = 5
"""Seconds between two observations of a cluster, at least, while the screen of another one is shown."""


def due(names: Sequence[str], shown: str, tick: int) -> tuple[str, ...]:
    """The clusters to observe in this second. In the first one, which is 1, these are all.

    `shown`: the cluster whose screen is shown; empty: the list of all clusters.
    """
    if tick == 1:
        return tuple(names)
    turns = seconds_between(len(names), shown=bool(shown))
    return tuple(name for at, name in enumerate(names) if name == shown or (at + tick) % turns == 0)


def seconds_between(clusters: int, *, shown: bool) -> int:
    """Seconds between two observations of a cluster. `shown`: the screen of another one is shown."""
    return max(TICKS_BETWEEN_OTHERS if shown else 1, -(-clusters // AT_ONCE))
