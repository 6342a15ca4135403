"""TODO-DOC."""

from __future__ import annotations

import json
from datetime import tzinfo

from textual.content import Content

from console.core.quantities import counted
from console.core.runs.journal import ChainCheck, Entry
from console.report.entry_text import entry_text
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    WARN,
    Lines,
    fitted,
    line,
    wrapped,
)
from console.tui.present.runs.times import both_times, whole_time


def first_line(text: str) -> str:
    """The first line of a script; the whole of it is in the list of entries."""
    first, *rest = text.splitlines() or [""]
    return f"{first} … and {counted(len(rest), 'line')} more" if rest else first


def entry_line(entry: Entry, width: int, zone: tzinfo | None = None) -> Content:
    """One entry in one line."""
    cells = line((f"{entry.seq:>4} ", DIM), both_times(entry.at, zone), (f" {entry.kind:<9} ", BOLD))
    return fitted(line(cells, first_line(entry_text(entry))), width)


def entry_detail(entry: Entry, width: int, zone: tzinfo | None = None) -> Lines:
    """Everything that stands in it, as it was written."""
    written = json.dumps(entry.data, indent=1, ensure_ascii=False).splitlines()
    return (
        line((f"entry {entry.seq}  {entry.kind}", BOLD)),
        *wrapped(whole_time(entry.at, zone), width),
        *wrapped(f"hash {entry.hash}", width, DIM, indent="  ", first=""),
        *wrapped(f"after {entry.previous}", width, DIM, indent="  ", first=""),
        line(""),
        *(row for one in written for row in wrapped(one, width, indent=_indent(one))),
    )


def _indent(text: str) -> str:
    return " " * (len(text) - len(text.lstrip()))


def journal_check_lines(check: ChainCheck, path: str, width: int) -> Lines:
    """Whether each entry fits the one before, and where it stops."""
    if not check.sound:
        return (
            line((f"✗ The journal is broken at line {check.broken_line}", f"{BOLD} {BAD}")),
            *wrapped(f"{check.reason}.", width),
            *wrapped(
                f"{counted(check.entries, 'entry', 'entries')} before it are sound; nothing after them counts.", width
            ),
            *wrapped(path, width, DIM),
        )
    end = "It is closed." if check.closed else "It is not closed: it is under way, or died, or its end was cut off."
    return (
        line((f"✓ {counted(check.entries, 'entry', 'entries')}, each fits the one before", f"{BOLD} {GOOD}")),
        *wrapped(end, width, "" if check.closed else WARN),
        *wrapped(path, width, DIM),
    )
