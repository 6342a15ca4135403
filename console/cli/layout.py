"""Tables and lines for a terminal: nothing wraps inside a word. Without a terminal nothing is wrapped."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

GAP = "  "
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def terminal_width() -> int | None:
    """The columns of the terminal that standard output is. None: it is no terminal, and lines may have any length."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def terminal_height() -> int | None:
    """The rows of the terminal that standard output is. None: it is no terminal, and nothing scrolls away."""
    return shutil.get_terminal_size().lines if sys.stdout.isatty() else None


def table_lines(rows: Sequence[Sequence[str]], width: int | None, indent: str = "") -> Iterator[str]:
    """Rows with aligned columns. Where they are wider than this, the columns stand in several tables.

    Each of these begins with the first column, which names the row.
    """
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, places in enumerate(_blocks(widths, width, len(indent))):
        if number:
            yield ""
        for row in rows:
            yield (indent + GAP.join(row[at].ljust(widths[at]) for at in places)).rstrip()


def _blocks(widths: Sequence[int], width: int | None, indent: int) -> Iterator[list[int]]:
    """The places of the columns of each table."""
    block = [0]
    for at in range(1, len(widths)):
        taken = indent + sum(widths[one] + len(GAP) for one in block) + widths[at]
        if width is not None and taken > width and len(block) > 1:
            yield block
            block = [0]
        block.append(at)
    yield block


def folded(text: str, width: int | None, hang: int) -> Iterator[str]:
    """A line that may begin with a coloured word, wrapped between words. Further lines are indented by `hang`."""
    plain = _COLOUR.sub("", text)
    if width is None or len(plain) <= width:
        yield text
        return
    first, *rest = textwrap.wrap(
        plain, width, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False
    )
    if plain != text:
        painted = text[: [one.end() for one in _COLOUR.finditer(text)][-1]]
        first = painted + first[len(_COLOUR.sub("", painted)) :]
    yield first
    yield from rest
