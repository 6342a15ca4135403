"""Reads numbers from texts that other programs wrote.

A text may hold anything: digits of other scripts, thousands of digits, `inf`. Python's own functions raise errors for
some of them, and accept others that no program means. Here each of these is None.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

MOST_DIGITS = 20
"""Digits of the largest number that a program of 64 bits counts."""
MOST = 10**MOST_DIGITS - 1
HIGHEST_PORT = 65_535
LAST_MOMENT = 253_370_764_800
"""Epoch seconds of the first day of the year 9999. Later times cannot be shown in every time zone."""
FARTHEST_ZONE = 86_400
"""Seconds. Local times are less than a day away from UTC."""

_WHOLE = re.compile(rf"[+-]?[0-9]{{1,{MOST_DIGITS}}}")
_OCTAL = re.compile(rf"[0-7]{{1,{MOST_DIGITS}}}")
_DECIMAL = re.compile(rf"[+-]?(?:[0-9]{{1,{MOST_DIGITS}}}(?:\.[0-9]*)?|\.[0-9]+)")
_LONGEST = 64
"""Characters of a decimal number that are read."""


def whole_number(text: str, least: int = -MOST, most: int = MOST) -> int | None:
    """The whole number that the text is. None: it is none, or it is outside the limits."""
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        return None
    number = int(text)
    return number if least <= number <= most else None


def count(text: str) -> int | None:
    """A whole number from 0, written with digits only."""
    return None if text[:1] in {"+", "-"} else whole_number(text, 0)


@lru_cache(maxsize=64)
def version_of(text: str) -> tuple[int, ...]:
    """`7.0.15` as numbers that can be compared. A part that is no number counts as 0."""
    return tuple(count(part) or 0 for part in text.split(".")[:3])


def port_number(text: str) -> int | None:
    """A number from 0 to 65535."""
    return None if text[:1] in {"+", "-"} else whole_number(text, 0, HIGHEST_PORT)


def octal_number(text: str) -> int | None:
    """The mode of a file: `644`."""
    return int(text, 8) if _OCTAL.fullmatch(text) else None


def decimal_number(text: str, least: float = -math.inf, most: float = math.inf) -> float | None:
    """The number that the text is, with or without a decimal point. It is finite, and has no exponent."""
    text = text.strip()
    if len(text) > _LONGEST or not _DECIMAL.fullmatch(text):
        return None
    number = float(text)
    return number if least <= number <= most else None


def epoch_seconds(text: str) -> float | None:
    """A time since 1970 that can be shown as a date."""
    return decimal_number(text, 0, LAST_MOMENT)
