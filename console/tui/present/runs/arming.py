"""TODO-DOC."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from textual.content import Content

from console.core.model.verdict import Check
from console.core.quantities import counted
from console.core.runbooks.document import GateKind, Runbook
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    Lines,
    fitted,
    line,
    wrapped,
)
from console.tui.present.runs.sections import check_lines, section


def required_lines(checks: tuple[Check, ...], width: int) -> Lines:
    """What must hold before the first step."""
    held = all(one.holds for one in checks)
    head = (GOOD, "Can begin now") if held else (BAD, "Cannot begin now: this must hold first")
    return (line((head[1], f"{BOLD} {head[0]}")), *check_lines(checks, width), line(""))


def runbook_line(runbook: Runbook, width: int, longest: int) -> tuple[Content, Content]:
    """Two lines of the list of runbooks."""
    head = line((f"{runbook.name:<{longest}}  ", BOLD), runbook.title)
    note = line((f"  {counted(len(runbook.steps), 'step')}. {runbook.summary}", DIM))
    return fitted(head, width), fitted(note, width)


def arming_lines(runbook: Runbook, roles: Mapping[str, str], cluster: str, width: int) -> Lines:
    """What arming means, and who is who: read before the key is pressed."""
    longest = max((len(one.name) for one in runbook.roles), default=0)
    blank = " " * (longest + 2)
    described = chain.from_iterable(
        wrapped(f"{roles.get(one.name, '?')}: {one.description}", width, indent=blank, first=f"{one.name:<{longest}}  ")
        for one in runbook.roles
    )
    typed = sum(step.gate is GateKind.TYPE_NAME for step in runbook.steps)
    asked_for = sum(step.gate is GateKind.CONFIRM for step in runbook.steps)
    return (
        line((runbook.title, BOLD), f"  on {cluster}"),
        *wrapped(runbook.summary, width, DIM),
        *section("Who is who", tuple(described)),
        *section(
            "What arming means",
            (
                *wrapped("Until now this console could change nothing. Armed, it can, on this cluster only.", width),
                *wrapped(
                    f"Nothing is sent without you: {counted(asked_for, 'step')} ask first, "
                    f"{counted(typed, 'step')} ask you to type the node's name.",
                    width,
                ),
                *wrapped("Everything is looked at again right before it is sent, and refused if it changed.", width),
                *wrapped("Every decision, command and answer is written to a journal on this machine.", width),
                *wrapped("You can stop at every question. The run ends, and the console is read-only again.", width),
            ),
        ),
        *section("Steps", tuple(_planned_step(at, runbook, roles, width) for at in range(len(runbook.steps)))),
    )


def _planned_step(at: int, runbook: Runbook, roles: Mapping[str, str], width: int) -> Content:
    step = runbook.steps[at]
    gate = {GateKind.NONE: "looks only", GateKind.CONFIRM: "asks", GateKind.TYPE_NAME: "name typed"}[step.gate]
    return fitted(line(f"{at + 1:>2} ", step.title, (f"  on {roles.get(step.role, '?')}, {gate}", DIM)), width)
