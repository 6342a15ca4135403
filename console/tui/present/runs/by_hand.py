"""What a step asks of a human: where, what, the command to type there, and what to choose then."""

from __future__ import annotations

from textual.content import Content

from console.core.runs.by_hand import WHEN_DONE, HandWork, is_work
from console.tui.present.formatting import BOLD, WARN, Lines, line, wrapped


def by_hand_lines(work: tuple[HandWork, ...], width: int, *, asked: bool = True) -> Lines:
    """Empty where the step is not one for a human. `asked`: a question is open, and what to choose then is said."""
    drawn: list[Content] = []
    for one in work:
        drawn.append(line((one.heading, f"{BOLD} {WARN}")))
        drawn += wrapped(one.what, width, indent="  ")
        drawn += wrapped(one.command, width, BOLD, indent="    ", first="  $ ") if one.command else ()
    return (*drawn, *(wrapped(WHEN_DONE, width) if asked and is_work(work) else ()))
