r"""The one place between a text that was read and what is shown: in the terminal, on the screen, in a report.

A server's text must not move the cursor, write the clipboard, turn the direction of reading, or hide letters. A
character without a sign of its own is written as its number: `\x1b`, `\u202e`.
"""

from __future__ import annotations

import json
import re

LINES = "\n\t"
"""What a text of several lines may have."""
_WITHOUT_SIGN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Code points that Unicode counts as letters or marks, and that are drawn as nothing."""


def visible(text: str, keep: str = "") -> str:
    """The text with every character that has no sign of its own as its number, except those in `keep`.

    These are control characters, marks of direction, characters without width, blanks other than the usual one, halves
    of surrogate pairs, and code points that are private or not assigned.
    """
    if text.isprintable() and (text.isascii() or not _WITHOUT_SIGN.search(text)):
        return text
    return "".join(one if one in keep or _has_sign(one) else _number(one) for one in text)


def _has_sign(one: str) -> bool:
    return one.isprintable() and not _WITHOUT_SIGN.match(one)


def _number(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")


def json_text(document: object, indent: int) -> str:
    """The document as JSON, in which everything but printable ASCII is escaped."""
    return json.dumps(document, indent=indent).replace("\x7f", "\\u007f")
