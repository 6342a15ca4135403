"""The entries of a journal, and the result of its check."""

from __future__ import annotations

import json

from textual.content import Content

from console.core.quantities import counted
from console.core.runs.records.journal import ChainCheck, Entry
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
from console.tui.present.runs.times import time_of_day, whole_time


def first_line(text: str) -> str:
    """The first line of a text, and how many more there are."""
    first, *rest = text.splitlines() or [""]
    return f"{first} … and {counted(len(rest), 'line')} more" if rest else first


def entry_line(entry: Entry, width: int) -> Content:
    """One entry in one line."""
    cells = line((f"{entry.seq:>4} ", DIM), time_of_day(entry.at), (f" {entry.kind:<9} ", BOLD))
    return fitted(line(cells, first_line(entry_text(entry))), width)


def entry_detail(entry: Entry, width: int) -> Lines:
    """All fields of an entry as they were written."""
    written = json.dumps(entry.data, indent=1, ensure_ascii=False).splitlines()
    return (
        line((f"entry {entry.seq}  {entry.kind}", BOLD)),
        *wrapped(whole_time(entry.at), width),
        *wrapped(f"hash {entry.hash}", width, DIM, indent="  ", first=""),
        *wrapped(f"after {entry.previous}", width, DIM, indent="  ", first=""),
        line(""),
        *(row for one in written for row in wrapped(one, width, indent=_indent(one))),
    )


def _indent(text: str) -> str:
    return " " * (len(text) - len(text.lstrip()))


def journal_check_lines(check: ChainCheck, path: str, width: int) -> Lines:
    """Whether the hash chain of the journal is intact; if not, where it breaks."""
    if not check.sound:
        return (
            line((f"✗ The journal is broken at line {check.broken_line}", f"{BOLD} {BAD}")),
            *wrapped(f"{check.reason}.", width),
            *wrapped(
                f"Valid before that line: {counted(check.entries, 'entry', 'entries')}. Nothing after them is valid.",
                width,
            ),
            *wrapped(path, width, DIM),
        )
    end = (
        "The run is closed."
        if check.closed
        else "The run is not closed: it is under way, it died, or the end of the file was cut."
    )
    return (
        line((f"✓ {counted(check.entries, 'entry', 'entries')} in an unbroken hash chain", f"{BOLD} {GOOD}")),
        *wrapped(end, width, "" if check.closed else WARN),
        *wrapped(path, width, DIM),
    )
