r"""Patterns of keys, as the commands KEYS and SCAN take them: `user:*`, `h?llo`, `[a-c]`, `[^e]`, `\*`."""

from __future__ import annotations

import re
from collections.abc import Sequence


def matcher(patterns: Sequence[str]) -> re.Pattern[bytes]:
    """What matches keys that fit one of the patterns. Without patterns every key fits."""
    return re.compile(b"|".join(map(_translated, patterns)) if patterns else b".*", re.DOTALL)


def _translated(pattern: str) -> bytes:
    text, place, out = pattern.encode("utf-8", "surrogateescape"), 0, b""
    while place < len(text):
        sign = text[place : place + 1]
        place += 1
        if sign == b"*":
            out += b".*"
        elif sign == b"?":
            out += b"."
        elif sign == b"[":
            part, place = _chosen(text, place)
            out += part
        else:
            if sign == b"\\" and place < len(text):
                sign, place = text[place : place + 1], place + 1
            out += re.escape(sign)
    return out


def _chosen(text: bytes, place: int) -> tuple[bytes, int]:
    """The signs in brackets, and the place behind them. Brackets that do not end go to the end of the pattern."""
    wanted: set[int] = set()
    unwanted = text[place : place + 1] == b"^"
    place += unwanted
    while place < len(text) and text[place : place + 1] != b"]":
        if text[place : place + 1] == b"\\" and place + 1 < len(text):
            place += 1
        first = last = text[place]
        if text[place + 1 : place + 2] == b"-" and place + 2 < len(text):
            last, place = text[place + 2], place + 2
        wanted |= set(range(min(first, last), max(first, last) + 1))
        place += 1
    signs = b"".join(b"\\x%02x" % one for one in sorted(wanted))
    if not signs:
        return (b"." if unwanted else b"(?!)"), place + 1
    return b"[" + (b"^" if unwanted else b"") + signs + b"]", place + 1
