"""A line of text as cells of the terminal, and which cells differ between two drawings of a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as CellStyle
from textual.content import Content
from textual.strip import Strip
from textual.style import Style


def strip_of(content: Content, width: int, base: Style, parse: Callable[[str | Style], Style]) -> Strip:
    """One line, cut or padded to the width. `base`: the style of the widget; `parse`: the style that a word names.

    Textual's own way from a text to cells also wraps, and keeps the place of each letter for selections with the mouse.
    It takes four times as long.
    """
    if content.cell_length > width:
        content = content.truncate(width)
    segments = [
        Segment(text, _cell_style(base, style))
        for text, style in _side_by_side(content, base, parse) or content.render(base, end="", parse_style=parse)
    ]
    return Strip(segments, content.cell_length).extend_cell_length(width, _cell_style(base, Style(reverse=False)))


def _side_by_side(
    content: Content, base: Style, parse: Callable[[str | Style], Style]
) -> list[tuple[str, Style]] | None:
    """The texts and their styles, where no two spans overlap; None: they do. Nearly no line has such spans."""
    text, at = content.plain, 0
    found: list[tuple[str, Style]] = []
    for start, end, style in content.spans:
        if start < at:
            return None
        found.append((text[at:start], base))
        found.append((text[start:end], base + (parse(style) if isinstance(style, str) else style)))
        at = end
    found.append((text[at:], base))
    return [one for one in found if one[0]]


@lru_cache(1024)
def _cell_style(base: Style, style: Style) -> CellStyle:
    return (base + style).rich_style


def changed_cells(before: Strip, after: Strip) -> tuple[int, int]:
    """The first cell that differs, and the cell behind the last one. Equal numbers: no cell differs."""
    if before.cell_length != after.cell_length:
        return 0, max(before.cell_length, after.cell_length)
    old, new = list(before), list(after)
    first = _same_cells(old, new, 1)
    if first >= after.cell_length:
        return first, first
    return first, max(first, after.cell_length - _same_cells(old[::-1], new[::-1], -1))


def _same_cells(before: Sequence[Segment], after: Sequence[Segment], step: int) -> int:
    """How many cells are the same up to the first difference. `step`: -1 for texts that are read from their end."""
    same = 0
    for old, new in zip(before, after, strict=False):
        if old.style != new.style:
            break
        if old.text != new.text:
            for here, there in zip(old.text[::step], new.text[::step], strict=False):
                if here != there:
                    break
                same += cell_len(here)
            break
        same += new.cell_length
    return same
