"""The quiet hours of an inventory: whether they are now, and when the next ones begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console.core.inventory import QuietHours
from console.core.quantities import span

_DAY = 24 * 60


def is_quiet(hours: QuietHours, minute: int) -> bool:
    """Whether this minute of the day is in them. They may go over midnight."""
    if hours.start <= hours.end:
        return hours.start <= minute < hours.end
    return minute >= hours.start or minute < hours.end


def quiet_words(quiet_hours: tuple[QuietHours, ...], timezone: str, now: float) -> tuple[tuple[str, ...], str]:
    """A line about them, and why now is outside of them. Both are empty if the inventory names none.

    Raises nothing: the inventory was checked when it was read, and a zone that is missing since then counts as UTC.
    """
    if not quiet_hours:
        return (), ""
    here = _local(now, timezone)
    minute = here.hour * 60 + here.minute
    zone = timezone or str(here.tzinfo)
    current = next((one for one in quiet_hours if is_quiet(one, minute)), None)
    named = ", ".join(str(one) for one in quiet_hours)
    clock = f"{here:%H:%M} {zone}"
    if current is not None:
        left = (current.end - minute) % _DAY
        return (f"quiet hours: {named}; it is {clock}, they last {span(left * 60)} more",), ""
    wait = min((one.start - minute) % _DAY for one in quiet_hours)
    outside = f"quiet hours are {named}, and it is {clock}: the next begin in {span(wait * 60)}"
    return (f"quiet hours: {named}; it is {clock}, they begin in {span(wait * 60)}",), outside


def _local(now: float, timezone: str) -> datetime:
    """Local time. Without a zone: that of this machine."""
    from zoneinfo import ZoneInfo

    at = datetime.fromtimestamp(0, UTC) + timedelta(seconds=now)
    if not timezone:
        return at.astimezone()
    try:
        return at.astimezone(ZoneInfo(timezone))
    except (OSError, ValueError, KeyError):
        return at
