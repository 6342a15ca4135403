"""TODO-DOC."""

from __future__ import annotations

from console.core.runs.replay import PastRun
from console.core.runs.state import StepStatus
from console.tui.present.formatting import (
    BOLD,
    DIM,
    NOTE,
    STEP,
    WARN,
    Lines,
    line,
    shortened,
    wrapped,
)
from console.tui.present.runs.past_run import problem_lines
from console.tui.present.runs.times import whole_time


def resume_lines(past: PastRun, width: int) -> Lines:
    """What the journal says before a run is gone on with, and what going on means: read before the key is pressed."""
    assessment = {
        StepStatus.DONE: "done, by the journal: it is looked at again",
        StepStatus.SKIPPED: "skipped, by the journal",
        StepStatus.WAITING: "open",
        StepStatus.UNKNOWN: "UNKNOWN: a command was sent, or may have been, and no answer is recorded",
    }
    rows = (
        row
        for step in past.steps
        for row in wrapped(
            assessment.get(step.status, f"open again: it stood at {step.status.value}"),
            width,
            WARN if step.status is StepStatus.UNKNOWN else "",
            indent=" " * 27,
            first=f"{STEP[step.status][0]} {step.number:>2} {shortened(step.id, 20):<20}  ",
        )
    )
    return (
        line((past.title, BOLD), f"  on {past.cluster}"),
        *wrapped(f"Begun {whole_time(past.opened_at)} by {past.operator or '?'}.", width, DIM),
        *problem_lines(past, width),
        line(""),
        line(("What the journal says", f"{BOLD} {NOTE}")),
        *rows,
        line(""),
        line(("What resuming means", f"{BOLD} {NOTE}")),
        *wrapped("All nodes are looked at first. What is believed of each step is shown, with why.", width),
        *wrapped("A command whose answer was lost is never sent again by itself: looking decides, or you do.", width),
        *wrapped("Each step that changes something asks you, as in a new run. The same journal goes on.", width),
        *wrapped(f"Roles are kept: {', '.join(f'{role} = {node}' for role, node in past.roles.items())}.", width),
    )
