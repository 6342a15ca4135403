"""The times at the beginning of log lines, as the logs of keepalived and of its notify scripts write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from console.core.numbers import FARTHEST_ZONE

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = "|".join(_MONTHS)
_CLOCK = r"(\d{1,2}):(\d{2}):(\d{2})"
_ISO = re.compile(
    rf"(\d{{4}})[-/](\d{{2}})[-/](\d{{2}})[T :]{_CLOCK}(?:[.,]\d+)?\s?(Z|[+-]\d{{2}}:?\d{{2}})?", re.ASCII
)
_ASCTIME = re.compile(rf"(?:\w{{3}} )?({_MONTH})\s+(\d{{1,2}})\s+{_CLOCK}(?:\s+[A-Z]{{2,5}})?\s+(\d{{4}})", re.ASCII)
_SYSLOG = re.compile(rf"({_MONTH})\s+(\d{{1,2}})\s+{_CLOCK}", re.ASCII)
_EPOCH = re.compile(r"\[?(\d{10})(\.\d+)?\b", re.ASCII)
_HEAD = 48
_TOMORROW = 86_400


def line_time(line: str, now: float, utc_offset: int) -> float | None:
    """Epoch seconds of the time near the line's beginning. None: no time there is understood.

    `now` and `utc_offset` are the node's: its logs mostly tell local time, and syslog leaves the year out.
    """
    head = line[:_HEAD]
    zone = timezone(timedelta(seconds=utc_offset))
    if found := _EPOCH.match(head):
        return float(found.group(1) + (found.group(2) or ""))
    if found := _ISO.search(head):
        year, month, day, hour, minute, second = (int(one) for one in found.groups()[:6])
        told = _zone(found.group(7), zone)
        return _epoch((year, month, day, hour, minute, second), told) if told is not None else None
    if found := _ASCTIME.search(head):
        month = _MONTHS.index(found.group(1)) + 1
        day, hour, minute, second, year = (int(one) for one in found.groups()[1:])
        return _epoch((year, month, day, hour, minute, second), zone)
    if found := _SYSLOG.search(head):
        month = _MONTHS.index(found.group(1)) + 1
        day, hour, minute, second = (int(one) for one in found.groups()[1:])
        year = datetime.fromtimestamp(now, zone).year
        at = _epoch((year, month, day, hour, minute, second), zone)
        # A December line read in January is last year's.
        return _epoch((year - 1, month, day, hour, minute, second), zone) if at and at > now + _TOMORROW else at
    return None


def _epoch(parts: tuple[int, int, int, int, int, int], zone: timezone) -> float | None:
    try:
        return datetime(*parts, tzinfo=zone).timestamp()
    except ValueError:
        return None


def _zone(text: str | None, local: timezone) -> timezone | None:
    """None: no place on earth has such a zone."""
    if text is None:
        return local
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    if seconds >= FARTHEST_ZONE:
        return None
    return timezone(timedelta(seconds=-seconds if text[0] == "-" else seconds))
