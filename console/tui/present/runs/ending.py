"""The end of a run: the verdict first, then what the run leaves, as the report has it too."""

from __future__ import annotations

from itertools import chain

from textual.content import Content

from console.core.runs.ending import EndItem
from console.core.runs.progress import tally
from console.core.runs.state import RunState, StepStatus
from console.tui.present.formatting import BOLD, DIM, GOOD, OUTCOME, STEP, Lines, fitted, line, wrapped
from console.tui.present.runs.sections import section


def ending(run: RunState, width: int) -> Lines:
    """The outcome, what was skipped, what remains, what was lost or kept, the ways back, and where the journal is."""
    mark, word, style = OUTCOME[run.outcome]
    done = [one for one in run.steps if one.status is StepStatus.DONE]
    journal = (*wrapped(run.journal or "none", width), line(f"redis-ha-console runs report {run.run_id}"))
    return (
        line((f"{mark} {word}", f"{BOLD} {style}"), f"  {tally(run)}  {run.runbook.title}"),
        *(wrapped(run.message, width) if run.message else ()),
        *wrapped("The console is read-only again. Esc goes back to the cluster.", width, GOOD),
        *chain.from_iterable(section(one.heading, _items(one.items, width)) for one in run.ending),
        *section("Done", tuple(_step(one.step.title, width) for one in done) or (line(("nothing", DIM)),)),
        *section("Journal and report", journal),
    )


def _items(items: tuple[EndItem, ...], width: int) -> Lines:
    drawn: list[Content] = []
    for one in items:
        drawn += wrapped(one.text, width, BOLD if one.lines or one.commands else "", indent="  ", first="· ")
        drawn += chain.from_iterable(wrapped(text, width, indent="    ", first="  ") for text in one.lines)
        drawn += chain.from_iterable(
            wrapped(text, width, BOLD, indent="      ", first="    ")
            for command in one.commands
            for text in command.splitlines()
        )
    return tuple(drawn)


def _step(title: str, width: int) -> Content:
    mark, _, style = STEP[StepStatus.DONE]
    return line((f"{mark} ", style), fitted(line(title), max(0, width - 2)))
