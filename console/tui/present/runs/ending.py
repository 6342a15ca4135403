"""The end of a run: the verdict first, then what the run leaves, as the report has it too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from itertools import chain

from textual.content import Content

from console.core.runs.ending import REMAINS, EndItem, EndSection
from console.core.runs.state import RunState, StepStatus
from console.core.typed_commands import program_command
from console.tui.present.formatting import BOLD, DIM, GOOD, STEP, WARN, Lines, line, wrapped
from console.tui.present.runs.sections import section


class Kept(Enum):
    """What has become of the keys that a run has kept in files."""

    NONE = ""
    """It has kept none, or that is not known yet."""
    ONLY_THERE = "x shows how to bring back the keys that are only in a file."
    BROUGHT_BACK = "A replay of the keys that this run has kept has ended: nothing is left to bring back."
    SILENCED = "No more is said of the keys that this run has kept, as an operator wanted. Their file stays."
    GONE = "The file of the keys that this run has kept is gone, or somebody wanted no more said of it."


_SETTLED = frozenset({Kept.BROUGHT_BACK, Kept.SILENCED, Kept.GONE})
"""Nothing is to be done about the keys any more."""


def ending(run: RunState, width: int, kept: Kept = Kept.NONE) -> Lines:
    """What remains, what was lost or kept, the ways back, and where the journal is. The title above has the outcome."""
    done = chain.from_iterable(_step(one.step.title, width) for one in run.steps if one.status is StepStatus.DONE)
    journal = (*wrapped(run.journal or "none", width), line(program_command(f"runs report {run.run_id}")))
    return (
        *wrapped(run.runbook.title, width, BOLD),
        *(wrapped(run.message, width) if run.message else ()),
        *wrapped("The console is read-only again. Esc goes back to the cluster.", width, GOOD),
        *(wrapped(kept.value, width, WARN if kept is Kept.ONLY_THERE else GOOD) if kept.value else ()),
        *chain.from_iterable(section(one.heading, _items(one.items, width)) for one in _sections(run, kept)),
        *section("Done", tuple(done) or (line(("nothing", DIM)),)),
        *section("Journal and report", journal),
    )


def _sections(run: RunState, kept: Kept) -> Iterator[EndSection]:
    """What the run has left. What was to be done about kept keys is done once they are settled."""
    command = f"runs replay {run.run_id}"
    for one in run.ending:
        items = one.items
        if kept in _SETTLED and one.heading == REMAINS:
            items = tuple(item for item in items if not any(command in text for text in item.commands))
        if items:
            yield replace(one, items=items)


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


def _step(title: str, width: int) -> Lines:
    mark, _, style = STEP[StepStatus.DONE]
    rows = wrapped(title, width - 2)
    return (line((f"{mark} ", style), rows[0]), *(line("  ", row) for row in rows[1:]))
