"""The node's clock and its time zone, which the times in its logs need."""

from __future__ import annotations

from dataclasses import dataclass

from console.core.model import ClockReading
from console.probes import NotUnderstoodError

NAME = "clock"
SCRIPT = """
if [ "$tier" != live ]; then
  mark clock ok
  date '+%s.%N %z'
fi
"""

_SECONDS_A_MINUTE = 60


@dataclass(frozen=True, slots=True)
class NodeTime:
    """What `date` said."""

    seconds: float
    """Epoch seconds on the node."""
    utc_offset: int
    """Seconds east of UTC that the node's local time is."""


def parse(text: str) -> NodeTime:
    """`1795234578.123456789 +0800`; a date without nanoseconds prints `N` or nothing after the point."""
    words = text.split()
    if not words:
        raise NotUnderstoodError("date printed nothing")
    whole, _, fraction = words[0].partition(".")
    if not whole.isdigit():
        raise NotUnderstoodError(f"date printed {text.strip()[:60]!r}")
    seconds = float(f"{whole}.{fraction}") if fraction.isdigit() else float(whole)
    return NodeTime(seconds, _zone(words[1]) if len(words) > 1 else 0)


def compare(remote: float, sent: float, received: float) -> ClockReading:
    """The node's clock compared with the operator's. It was read between sending and receiving."""
    half = max(0.0, received - sent) / 2
    return ClockReading(remote=remote, offset=remote - (sent + half), uncertainty=half)


def _zone(text: str) -> int:
    """`+0530` as seconds."""
    if len(text) != len("+0530") or text[0] not in "+-" or not text[1:].isdigit():
        return 0
    seconds = (int(text[1:3]) * _SECONDS_A_MINUTE + int(text[3:])) * _SECONDS_A_MINUTE
    return -seconds if text[0] == "-" else seconds
