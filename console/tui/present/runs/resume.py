"""The text before a run is resumed."""

from __future__ import annotations

from console.core.quantities import capital
from console.core.runs.past.past_run import PastRun
from console.core.runs.state import StepStatus
from console.tui.present.formatting import (
    BOLD,
    DIM,
    NOTE,
    STEP,
    WARN,
    Lines,
    line,
    wrapped,
)
from console.tui.present.runs.past_run import problem_lines
from console.tui.present.runs.times import whole_time

NOTHING_MORE = "Nothing of this run is sent any more: begin a new one."


def resume_lines(past: PastRun, width: int, later: str = "") -> Lines:
    """The state of each step by the journal, and what resuming means. `later`: the later run that forbids it."""
    assessment = {
        StepStatus.DONE: "done; it is checked again",
        StepStatus.SKIPPED: "skipped",
        StepStatus.WAITING: "open",
        StepStatus.UNKNOWN: "UNKNOWN: a command was sent or may have been sent, and no answer is recorded",
    }
    longest = max((len(step.id) for step in past.steps), default=0)
    rows = (
        row
        for step in past.steps
        for row in wrapped(
            assessment.get(step.status, f"open again; it was {step.status.value}"),
            width,
            WARN if step.status is StepStatus.UNKNOWN else "",
            indent=" " * (longest + 7),
            first=f"{STEP[step.status][0]} {step.number:>2} {step.id:<{longest}}  ",
        )
    )
    return (
        *(wrapped(f"{capital(later)}. {NOTHING_MORE}", width, WARN) if later else ()),
        line((past.title, BOLD), f"  on {past.cluster}"),
        *wrapped(f"Began {whole_time(past.opened_at)} by {past.operator or '?'}.", width, DIM),
        *problem_lines(past, width),
        line(""),
        line(("Steps by the journal", f"{BOLD} {NOTE}")),
        *rows,
        line(""),
        line(("What resuming means", f"{BOLD} {NOTE}")),
        *wrapped("First all nodes are observed. Then the state of each step is shown, with the reason.", width),
        *wrapped(
            "A command whose answer was lost is never repeated without a decision: the observation decides, or you do.",
            width,
        ),
        *wrapped("Each step that changes something asks you, as in a new run. The same journal is continued.", width),
        *wrapped(
            f"The roles stay the same: {', '.join(f'{role} = {node}' for role, node in past.roles.items())}.", width
        ),
    )
