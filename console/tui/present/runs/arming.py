"""The texts before a run is armed: the list of runbooks, the roles, the plan, what arming means."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from textual.content import Content

from console.core.model.verdict import Check
from console.core.quantities import counted
from console.core.runbooks.document import GateKind, Runbook, UnusableRunbook
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
    """The preconditions of the whole run."""
    met = all(one.holds for one in checks)
    head = (
        (GOOD, "The run can start now")
        if met
        else (BAD, "The run cannot start now: these preconditions must hold first")
    )
    return (line((head[1], f"{BOLD} {head[0]}")), *check_lines(checks, width), line(""))


def runbook_line(runbook: Runbook, width: int, longest: int) -> tuple[Content, Content]:
    """Two lines of the list of runbooks."""
    head = line((f"{runbook.name:<{longest}}  ", BOLD), runbook.title)
    note = line((f"  {counted(len(runbook.steps), 'step')}. {runbook.summary}", DIM))
    return fitted(head, width), fitted(note, width)


def unusable_lines(unusable: UnusableRunbook, width: int) -> Lines:
    """The lines of a file that cannot be used, in the list of runbooks."""
    return (
        fitted(line((unusable.file_name, BOLD), ("  ✗ cannot be used", BAD)), width),
        *wrapped(unusable.problems[0], width, DIM, indent="  "),
    )


def arming_lines(runbook: Runbook, roles: Mapping[str, str], cluster: str, width: int) -> Lines:
    """The roles, what arming means, and the steps."""
    longest = max((len(one.name) for one in runbook.roles), default=0)
    blank = " " * (longest + 2)
    described = chain.from_iterable(
        wrapped(f"{roles.get(one.name, '?')}: {one.description}", width, indent=blank, first=f"{one.name:<{longest}}  ")
        for one in runbook.roles
    )
    typed = sum(step.gate is GateKind.TYPE_NAME for step in runbook.steps)
    confirmed = sum(step.gate is GateKind.CONFIRM for step in runbook.steps)
    meaning = (
        "Until now this console could change nothing. Once armed, it can change this cluster, and no other.",
        "Nothing is sent without your answer.",
        f"Steps that ask before they run: {confirmed}. Steps that ask you to type the name of the node: {typed}.",
        "Right before a command is sent, the servers are checked again. If they changed, the step is refused.",
        "Every decision, command and answer is written to a journal on this machine.",
        "You can stop the run at every question. Then the console is read-only again.",
    )
    return (
        line((runbook.title, BOLD), f"  on {cluster}"),
        *wrapped(runbook.summary, width, DIM),
        *section("Roles", tuple(described)),
        *section("What arming means", tuple(chain.from_iterable(wrapped(one, width) for one in meaning))),
        *section("Steps", tuple(_planned_step(at, runbook, roles, width) for at in range(len(runbook.steps)))),
    )


def _planned_step(at: int, runbook: Runbook, roles: Mapping[str, str], width: int) -> Content:
    step = runbook.steps[at]
    gate = {GateKind.NONE: "observes only", GateKind.CONFIRM: "asks", GateKind.TYPE_NAME: "type the name"}[step.gate]
    return fitted(line(f"{at + 1:>2} ", step.title, (f"  on {roles.get(step.role, '?')}, {gate}", DIM)), width)
