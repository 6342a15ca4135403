"""Sections of a step and of a question: commands and checks."""

from __future__ import annotations

from textual.content import Content

from console.core.command import Planned
from console.core.model.verdict import Check, Verdict
from console.tui.present.formatting import (
    BOLD,
    DIM,
    GOOD,
    NOTE,
    VERDICT,
    Lines,
    fitted,
    line,
    wrapped,
)

CHANNELS = {"ssh": "SSH", "redis": "Redis", "consul": "Consul"}
"""Channel → its name in texts."""


LABEL = 8
"""Width of the column of labels."""
NOT_HELD = {Verdict.FAILS: "Not so", Verdict.UNKNOWN: "Unknown"}
"""The label before conditions that do not hold. Each of them stands there as it must be, so the label denies it."""


def labelled(label: str, rows: Lines) -> Lines:
    """Rows behind a label in a column of its own. Without rows there is no label."""
    return tuple(line((f"{label if at == 0 else '':<{LABEL}}", f"{BOLD} {NOTE}"), one) for at, one in enumerate(rows))


def conditions_that_hold(checks: tuple[Check, ...], width: int) -> Lines:
    """One line: how many hold."""
    held = sum(one.holds for one in checks)
    if not held:
        return ()
    word = "condition holds" if held == 1 else "conditions hold"
    every = "all " if held == len(checks) and held > 2 else ""  # noqa: PLR2004  nobody says "all 2"
    number = "both" if held == len(checks) == 2 else f"{every}{held}"  # noqa: PLR2004
    return labelled("Holds", (fitted(line(("✓", GOOD), f" {number} {word}"), width - LABEL),))


def not_held_lines(checks: tuple[Check, ...], width: int) -> Lines:
    """The conditions that do not hold, behind labels that say so; then those of which it is not known."""
    drawn: list[Content] = []
    for verdict, label in NOT_HELD.items():
        found = tuple(one for one in checks if one.verdict is verdict)
        drawn += labelled(label, check_lines(found, width - LABEL, fails=""))
    return tuple(drawn)


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


def check_lines(checks: tuple[Check, ...], width: int, fails: str = VERDICT[Verdict.FAILS][1]) -> Lines:
    """Each check with its evidence; where it does not hold, with an advice. `fails`: the word for that."""
    drawn: list[Content] = []
    for one in checks:
        mark, word, style = VERDICT[one.verdict]
        hazard = f" (hazard {one.hazard})" if one.hazard else ""
        word = fails if one.verdict is Verdict.FAILS else word
        bad = f" ({word})" if word and not one.holds else ""
        rows = wrapped(f"{one.statement}{bad}{hazard}", width, "" if one.holds else style, indent="  ", first="  ")
        drawn.append(line((mark, style), rows[0][1:]))
        drawn += rows[1:]
        if not one.holds:
            drawn += wrapped(f"observed: {one.evidence}", width, indent="    ")
            drawn += wrapped(f"→ {one.advice}", width, indent="    ") if one.advice else ()
        else:
            drawn += wrapped(one.evidence, width, DIM, indent="    ") if one.evidence else ()
    return tuple(drawn)


def newest_known(asked: tuple[Check, ...], live: tuple[Check, ...]) -> tuple[Check, ...]:
    """The live answers; where one is not known now, what the run has observed for its question.

    The run looks closer than the screen does: what only its look reads is no longer unknown.
    """
    known = asked[: len(live)] if len(asked) >= len(live) else live
    return tuple(
        was if now.verdict is Verdict.UNKNOWN and was.verdict is not Verdict.UNKNOWN else now
        for was, now in zip(known, live, strict=True)
    )
