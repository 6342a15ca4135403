"""The node's clock and its time zone, which the times in its logs need."""

from __future__ import annotations

from console.core.lazy_dataclass import dataclass
from console.core.model import ClockReading
from console.core.numbers import FARTHEST_ZONE, count, epoch_seconds
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
    seconds = epoch_seconds(words[0])
    if seconds is None:
        seconds = epoch_seconds(words[0].partition(".")[0])
    if seconds is None:
        raise NotUnderstoodError(f"date printed {text.strip()[:60]!r}")
    return NodeTime(seconds, _zone(words[1]) if len(words) > 1 else 0)


def compare(remote: float, sent: float, received: float) -> ClockReading:
    """The node's clock compared with the operator's. It was read between sending and receiving."""
    half = max(0.0, received - sent) / 2
    return ClockReading(remote=remote, offset=remote - (sent + half), uncertainty=half)


def _zone(text: str) -> int:
    """`+0530` as seconds. A text of another form counts as UTC."""
    hours, minutes = count(text[1:3]), count(text[3:])
    if len(text) != len("+0530") or text[0] not in "+-" or hours is None or minutes is None:
        return 0
    seconds = (hours * _SECONDS_A_MINUTE + minutes) * _SECONDS_A_MINUTE
    if seconds >= FARTHEST_ZONE:
        return 0
    return -seconds if text[0] == "-" else seconds
