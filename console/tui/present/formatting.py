"""Styles, marks and number texts that every part of the screen shares, and lines that are cut or wrapped to a width."""

from __future__ import annotations

import itertools
import re
import textwrap
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from textual.content import Content

from console.core.diagnosis.finding import Health, Severity
from console.core.kept import kept_while_same
from console.core.model.verdict import Verdict
from console.core.quantities import size
from console.core.runs.state import Outcome, StepStatus
from console.core.visible import LINES, visible

GOOD = "$text-success"
WARN = "$text-warning"
BAD = "$text-error"
NOTE = "$text-accent"
DIM = "dim"
BOLD = "bold"

STALE_AFTER = 5.0
"""Seconds after which a value is marked as old. The console reads every second."""

UNCUT = 1000
"""A width at which no line is cut: to be wrapped afterwards."""

Part = str | Content | tuple[str, str]
Lines = tuple[Content, ...]

HEALTH: dict[Health, tuple[str, str, str]] = {
    Health.HEALTHY: ("✓", "HEALTHY", GOOD),
    Health.WARNING: ("!", "WARNING", WARN),
    Health.CRITICAL: ("✗", "CRITICAL", BAD),
    Health.UNKNOWN: ("?", "UNKNOWN", WARN),
}
SEVERITY: dict[Severity, tuple[str, str, str]] = {
    Severity.CRITICAL: ("✗", "critical", BAD),
    Severity.WARNING: ("!", "warning", WARN),
    Severity.INFO: ("i", "info", NOTE),
}
VERDICT: dict[Verdict, tuple[str, str, str]] = {
    Verdict.HOLDS: ("✓", "holds", GOOD),
    Verdict.FAILS: ("✗", "does not hold", BAD),
    Verdict.UNKNOWN: ("?", "not known", WARN),
}
STEP: dict[StepStatus, tuple[str, str, str]] = {
    StepStatus.WAITING: ("·", "waiting", DIM),
    StepStatus.CHECKING: ("»", "checking", NOTE),
    StepStatus.ASKING: ("?", "asks", WARN),
    StepStatus.SENDING: ("»", "sending", NOTE),
    StepStatus.VERIFYING: ("»", "verifying", NOTE),
    StepStatus.DONE: ("✓", "done", GOOD),
    StepStatus.SKIPPED: ("-", "skipped", DIM),
    StepStatus.FAILED: ("✗", "failed", BAD),
    StepStatus.REFUSED: ("✗", "refused", BAD),
    StepStatus.STOPPED: ("-", "stopped", WARN),
    StepStatus.UNKNOWN: ("?", "unknown", BAD),
}
OUTCOME: dict[Outcome, tuple[str, str, str]] = {
    Outcome.RUNNING: ("»", "running", NOTE),
    Outcome.DONE: ("✓", "DONE", GOOD),
    Outcome.FAILED: ("✗", "FAILED", BAD),
    Outcome.REFUSED: ("✗", "REFUSED", BAD),
    Outcome.ABORTED: ("-", "ABORTED", WARN),
    Outcome.UNKNOWN: ("?", "UNKNOWN", BAD),
}


KEPT = 8192
"""Lines that are kept with their styles. Most lines are the same as a second ago, and making one costs 50 µs."""

Key = tuple[str, "str | tuple[Any, ...] | None"]
"""A part of a line that can be compared: its text, and its style or its spans."""


def line(*parts: Part) -> Content:
    """One line of text. The answer of a server must not control the terminal, nor hide anything."""
    return _line(tuple(key_of(part) for part in parts))


def key_of(part: Part) -> Key:
    """What tells this part from others: for the arguments of functions whose results are kept."""
    if isinstance(part, str):
        return part, None
    return part if isinstance(part, tuple) else (part.plain, tuple(part.spans))


@lru_cache(KEPT)
def _line(keys: tuple[Key, ...]) -> Content:
    return Content.assemble(*(_part(text, style) for text, style in keys))


def content_of(key: Key) -> Content:
    """The text of a key that was made of a text with styles."""
    text, spans = key
    return Content(text, list(spans) if isinstance(spans, tuple) else [])


def _part(text: str, style: str | tuple[Any, ...] | None) -> Part:
    if isinstance(style, tuple):
        return Content(text, list(style))
    shown = visible(text.replace("\t", " "))
    return shown if style is None else (shown, style)


def marked(sign: tuple[str, str, str]) -> Content:
    """`✓ done` in its style: mark and word carry the meaning, the colour only supports it."""
    mark, word, style = sign
    return line((f"{mark} {word}", style))


@lru_cache(KEPT)
def wrapped(text: str, width: int, style: str = "", indent: str = "", first: str | None = None) -> Lines:
    """A text wrapped to the width. `first` stands before the first line, `indent` before the others."""
    lead = indent if first is None else first
    rows = textwrap.wrap(
        visible(text, LINES), max(10, width - len(indent)), break_long_words=True, break_on_hyphens=False
    ) or [""]
    return tuple(line(lead if at == 0 else indent, (row, style)) for at, row in enumerate(rows))


def fitted(cells: Content, width: int) -> Content:
    """Exactly this wide: cut with an ellipsis, or padded with blanks."""
    return cells if cells.cell_length == width else _fitted(key_of(cells), width)


@lru_cache(KEPT)
def _fitted(key: Key, width: int) -> Content:
    cells = content_of(key)
    if cells.cell_length > width:
        cells = cells.truncate(max(0, width), ellipsis=True)
    return cells.pad_right(max(0, width - cells.cell_length))


def rewrapped(lines: Lines, width: int, indent: str = "    ") -> Lines:
    """Lines wrapped to this width between words, with their styles. A word that is longer than a line is broken."""
    return tuple(itertools.chain.from_iterable(_rewrapped(key_of(one), width, indent) for one in lines))


@lru_cache(KEPT)
def _rewrapped(key: Key, width: int, indent: str) -> Lines:
    return tuple(_rows(content_of(key).rstrip(), width, indent))


def _rows(text: Content, width: int, indent: str) -> Iterator[Content]:
    lead = ""
    while len(lead) + len(text) > width:
        room = max(1, width - len(lead))
        blank = text.plain.rfind(" ", 1, room + 1)
        if blank > 0 and not text.plain[:blank].strip():  # padding before a word that would not fit behind it
            lead, text = indent, _without_padding(text)
            continue
        room = blank if blank > 0 else room
        yield line(lead, text[:room].rstrip())
        lead, text = indent, _without_padding(text[room:])
    yield line(lead, text)


def _without_padding(text: Content) -> Content:
    return text[len(text.plain) - len(text.plain.lstrip(" ")) :]


def side_by_side(columns: Iterable[Lines], widths: Iterable[int], gap: str = " ") -> Lines:
    """Columns of lines side by side, each cut or padded to its width."""
    sizes = tuple(widths)
    rows = []
    for row in zip_longest(*columns):
        cells = [fitted(one if one is not None else line(""), size) for one, size in zip(row, sizes, strict=True)]
        rows.append(_joined(gap, *cells))
    return tuple(rows)


@kept_while_same(KEPT)
def _joined(gap: str, *cells: Content) -> Content:
    """One line. A cell that has not changed is the same object as before."""
    return line(*[part for one in cells for part in (gap, one)][1:])


def seconds_text(seconds: float | None) -> str:
    """`0 s`, `12 s`, `3 min`, `2 h`, `4 d`; `never` where there is no time."""
    if seconds is None:
        return "never"
    if seconds < 100:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} d"


def bytes_text(count: float | None) -> str:
    """`14 B`, `1.0 MB`: the unit of every other text, in short; `—` where it is not known."""
    return "—" if count is None else re.sub(r" bytes?$", " B", size(int(count)))


def number_text(count: int | None) -> str:
    """`249,925`; `—` where it is not known."""
    return "—" if count is None else f"{count:,}"


def clock_text(at: float | None) -> str:
    """`03:40:12Z`: UTC, as logs and journals have it."""
    return "--:--:--Z" if at is None else time.strftime("%H:%M:%SZ", time.gmtime(at))


def age_note(age: float | None) -> Content:
    """` 12 s old`; empty while the value is fresh."""
    if age is None or age <= STALE_AFTER:
        return line("")
    return line((f" {seconds_text(age)} old", WARN))


def shortened(text: str, room: int) -> str:
    """The text, cut with an ellipsis where it is longer than this."""
    return text if len(text) <= room else text[: room - 1] + "…"


@lru_cache(KEPT)
def told_apart(name: str, names: tuple[str, ...], room: int) -> str:
    """The name with an ellipsis in its middle, where it is longer than this.

    It is cut where it can still be told from the other names, if there is such a place.
    """
    if len(name) <= room:
        return name
    places = sorted(range(max(1, room)), key=lambda place: abs(2 * place - room + 1))
    others = set(names) - {name}
    apart = (place for place in places if _cut(name, place, room) not in {_cut(one, place, room) for one in others})
    return _cut(name, next(apart, places[0]), room)


def _cut(name: str, head: int, room: int) -> str:
    return name if len(name) <= room else f"{name[:head]}…{name[len(name) - max(0, room - 1 - head) :]}"[: max(1, room)]
