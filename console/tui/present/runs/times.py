"""Times of journal entries, in UTC and in local time."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


def moment(at: str | None) -> datetime | None:
    """The time of an entry; None where it has no valid one."""
    try:
        return datetime.fromisoformat(at) if at else None
    except ValueError:
        return None


def both_times(at: str | None, zone: tzinfo | None = None) -> str:
    """`03:40:12Z 05:40:12`: UTC, as in logs, and local time. `zone`: None is the zone of this machine."""
    found = moment(at)
    return f"{found.astimezone(UTC):%H:%M:%S}Z {found.astimezone(zone):%H:%M:%S}" if found else f"{at or 'no time'}"


def whole_time(at: str | None, zone: tzinfo | None = None) -> str:
    """Date and time, in UTC and local."""
    found = moment(at)
    if found is None:
        return at or "not recorded"
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, {found.astimezone(zone):%Y-%m-%d %H:%M:%S} local"


def day_and_time(at: str | None, now: float, zone: tzinfo | None = None) -> str:
    """`11-21 05:40`, local; in another year `2025-11-21`."""
    found = moment(at)
    if found is None:
        return "no time"
    local = found.astimezone(zone)
    same = local.year == datetime.fromtimestamp(now, UTC).astimezone(zone).year
    return f"{local:%m-%d %H:%M}" if same else f"{local:%Y-%m-%d}"
