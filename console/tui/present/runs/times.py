"""Times of journal entries. Every screen has one clock: UTC, marked with a Z, as logs and journals have it."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: str | None) -> datetime | None:
    """The time of an entry; None where it has no valid one."""
    try:
        return datetime.fromisoformat(at) if at else None
    except ValueError:
        return None


def time_of_day(at: str | None) -> str:
    """`03:40:12Z`."""
    found = moment(at)
    return f"{found.astimezone(UTC):%H:%M:%S}Z" if found else f"{at or 'no time'}"


def whole_time(at: str | None) -> str:
    """`2026-11-21 03:40:12Z`."""
    found = moment(at)
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if found else at or "not recorded"


def day_and_time(at: str | None, now: float) -> str:
    """`11-21 03:40Z`; in another year `2025-11-21`."""
    found = moment(at)
    if found is None:
        return "no time"
    utc = found.astimezone(UTC)
    return f"{utc:%m-%d %H:%M}Z" if utc.year == datetime.fromtimestamp(now, UTC).year else f"{utc:%Y-%m-%d}"
