"""The texts before a run is armed: the list of runbooks, the roles, the plan, what arming means."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType

from textual.content import Content

from console.core.diagnosis.finding import Severity
from console.core.model.verdict import Check
from console.core.quantities import counted
from console.core.runbooks.document import GateKind, Runbook, UnusableRunbook
from console.core.runbooks.naming import named
from console.engine.steps.step_view import gate_of
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    WARN,
    Lines,
    fitted,
    line,
    wrapped,
)
from console.tui.present.runs.sections import (
    LABEL,
    check_lines,
    conditions_that_hold,
    labelled,
    not_held_lines,
    section,
)
from console.tui.state.cluster_view import ClusterView


def none_recommended(view: ClusterView, recommended: str, width: int) -> Lines:
    """What stands above the runbooks where none was recommended when the list was opened, with the reason."""
    if recommended:
        return wrapped(f"Now {recommended} is recommended.", width, BOLD)
    if view.state is None or view.state.nothing_read:
        return wrapped("None is recommended: nothing could be read.", width, WARN)
    why = "the findings name none of these" if view.findings else "nothing was found"
    by_hand = next((one for one in view.findings if one.next.advice and one.severity is not Severity.INFO), None)
    if by_hand is not None:
        why = f"what {by_hand.code} asks for is done by hand: {by_hand.next.advice}"
    if any(one.next.runbook for one in view.findings):
        why = "of those that the findings name, none has a node for each role now"
    return wrapped(f"None is recommended: {why}.", width, WARN)


def runbook_lines(runbook: Runbook, width: int, longest: int, *, recommended: bool = False) -> Lines:
    """A runbook in the list: its name and its title."""
    indent = " " * (longest + 2)
    rows = wrapped(f"{'recommended: ' if recommended else ''}{runbook.title}", width, indent=indent)
    return (line((f"{runbook.name:<{longest}}  ", BOLD), rows[0][len(indent) :]), *rows[1:])


def runbook_about(runbook: Runbook, width: int) -> Lines:
    """What a runbook does, and when it is the wrong one."""
    runbook = named(runbook, {})
    return (
        *wrapped(f"{runbook.title}, {counted(len(runbook.steps), 'step')}", width, BOLD),
        *wrapped(runbook.summary, width),
    )


def unusable_lines(unusable: UnusableRunbook, width: int) -> Lines:
    """The lines of a file that cannot be used, in the list of runbooks."""
    return (
        fitted(line((unusable.file_name, BOLD), ("  ✗ cannot be used", BAD)), width),
        *wrapped(unusable.problems[0], width, DIM, indent="  "),
    )


def arming_lines(
    runbook: Runbook,
    roles: Mapping[str, str],
    cluster: str,
    checks: tuple[Check, ...],
    width: int,
    sentences: Mapping[int, str] = MappingProxyType({}),
) -> Lines:
    """The question, the roles, what does not hold, what arming means; below that the steps and what holds.

    `sentences`: number of a step → the sentence that it will ask for.
    """
    room, runbook = width - LABEL, named(runbook, roles)
    steps = (_planned_step(at, runbook, roles, width) for at in range(len(runbook.steps)))
    failing, held = (tuple(one for one in checks if one.holds is holds) for holds in (False, True))
    return (
        *wrapped(f"Arm this run on {cluster}? {runbook.title}", width, BOLD),
        *(wrapped("The run cannot start now: these conditions must hold first.", width, BAD) if failing else ()),
        *labelled("Roles", _role_lines(runbook, roles, room)),
        *not_held_lines(failing, width),
        *conditions_that_hold(checks, width),
        *labelled("Asks", _asks(runbook, roles, sentences, room)),
        *labelled("Means", tuple(chain.from_iterable(wrapped(one, room) for one in MEANING))),
        *section("What it does", wrapped(runbook.summary, width)),
        *section("Steps", tuple(chain(*steps))),
        *(section("Conditions that hold", check_lines(held, width)) if held else ()),
    )


MEANING = (
    "Until now this console could change nothing. Once armed, it can change this cluster, and no other.",
    "Nothing is sent without your answer. Right before, the servers are checked again: any change refuses the step.",
    "You can stop at every question. Then the console is read-only again.",
    "Every decision, command and answer is written to a journal on this machine.",
)
"""What arming means."""


def _role_lines(runbook: Runbook, roles: Mapping[str, str], width: int) -> Lines:
    longest = max((len(one.name) for one in runbook.roles), default=0)
    nodes = max((len(one) for one in roles.values()), default=0)
    indent = longest + nodes + 4
    drawn: list[Content] = []
    for one in runbook.roles:
        node = roles.get(one.name, "?")
        rows = wrapped(one.description, width - indent)
        drawn.append(line(f"{one.name:<{longest}}  ", (f"{node:<{nodes}}", BOLD), "  ", rows[0]))
        drawn += (line(" " * indent, row) for row in rows[1:])
    return tuple(drawn)


def _asks(runbook: Runbook, roles: Mapping[str, str], sentences: Mapping[int, str], width: int) -> Lines:
    gates = [gate_of(step) for step in runbook.steps]
    asks = gates.count(GateKind.CONFIRM)
    wait = f"{counted(asks, 'step')} {'waits' if asks == 1 else 'wait'} for your yes"
    numbers: dict[str, list[int]] = {}
    for number, (step, gate) in enumerate(zip(runbook.steps, gates, strict=True), start=1):
        if gate is GateKind.TYPE_NAME:
            numbers.setdefault(roles.get(step.role, "?"), []).append(number)
    names = "; ".join(f"{node} at {_steps(at)}" for node, at in numbers.items())
    wants = f" You type a node's name: {names}." if names else ""
    return (
        *wrapped(f"Up to {wait}; what is done already is skipped.{wants}", width),
        *chain.from_iterable(
            wrapped(f"Step {number} would lose data, and also asks for a typed sentence: {sentence}.", width, WARN)
            for number, sentence in sentences.items()
        ),
    )


def _steps(numbers: list[int]) -> str:
    """`step 9`, `steps 5 and 10`, `steps 2, 5 and 10`."""
    *first, last = (str(one) for one in numbers)
    return f"steps {', '.join(first)} and {last}" if first else f"step {last}"


_GATES = {GateKind.NONE: "only looks", GateKind.CONFIRM: "asks", GateKind.TYPE_NAME: "asks for the name"}


def _planned_step(at: int, runbook: Runbook, roles: Mapping[str, str], width: int) -> Lines:
    step = runbook.steps[at]
    what = f"{step.title}: {_GATES[gate_of(step)]}, on {roles.get(step.role, '?')}"
    return wrapped(what, width, indent="   ", first=f"{at + 1:>2} ")
