"""Formats counts, bytes and seconds as text, and begins sentences."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """`1 key`, `12 keys`. Thousands are separated by commas."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def capital(text: str) -> str:
    """The text as the beginning of a sentence. It must begin with a word: a name keeps its small letter."""
    return text[:1].upper() + text[1:]


def size(number: int) -> str:
    """Bytes as text: `26.8 MB`, in powers of 1000."""
    value = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(value) < 1000:  # noqa: PLR2004 - a unit's thousand
            return counted(number, "byte") if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def span(seconds: float) -> str:
    """Seconds as text: `45 s`, `12 min`, `3 h`, `2 d`."""
    for limit, unit, word in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds / 86_400:.0f} d"
