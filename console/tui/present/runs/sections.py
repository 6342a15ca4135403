"""Sections of a step and of a question: commands and checks."""

from __future__ import annotations

from textual.content import Content

from console.core.command import Planned
from console.core.model.verdict import Check
from console.tui.present.formatting import (
    BOLD,
    DIM,
    NOTE,
    VERDICT,
    Lines,
    line,
    wrapped,
)

CHANNELS = {"ssh": "SSH", "redis": "Redis", "consul": "Consul"}
"""Channel → its name in texts."""


def section(name: str, lines: Lines) -> Lines:
    """Lines under a heading."""
    return (line(""), line((name, f"{BOLD} {NOTE}")), *lines)


def command_lines(planned: tuple[Planned, ...], width: int) -> Lines:
    """Each command with its node, its channel and its effect."""
    drawn: list[Content] = []
    for one in planned:
        drawn += wrapped(f"on {one.node} over {CHANNELS[one.channel]}: {one.summary}", width, DIM)
        for at, text in enumerate(one.render().splitlines()):
            drawn += wrapped(text, width, BOLD, indent="    ", first="    " if at else "  $ ")
    return tuple(drawn)


def check_lines(checks: tuple[Check, ...], width: int) -> Lines:
    """Each check with its evidence; where it does not hold, with an advice."""
    drawn: list[Content] = []
    for one in checks:
        mark, word, style = VERDICT[one.verdict]
        hazard = f" [{one.hazard}]" if one.hazard else ""
        bad = "" if one.holds else f" ({word})"
        rows = wrapped(f"{one.statement}{bad}{hazard}", width, "" if one.holds else style, indent="  ", first="  ")
        drawn.append(line((mark, style), rows[0][1:]))
        drawn += rows[1:]
        if not one.holds:
            drawn += wrapped(f"observed: {one.evidence}", width, indent="    ")
            drawn += wrapped(f"→ {one.advice}", width, indent="    ") if one.advice else ()
        else:
            drawn += wrapped(one.evidence, width, DIM, indent="    ") if one.evidence else ()
    return tuple(drawn)
