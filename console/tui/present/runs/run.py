"""The texts of a run: its steps, the details of one step, its end."""

from __future__ import annotations

from itertools import chain, groupby

from textual.content import Content

from console.core.model.verdict import Check
from console.core.runbooks.document import GateKind
from console.core.runs.half_done import writes_paused_since
from console.core.runs.progress import (
    Activity,
    activity,
    commands_heading,
    duration,
    no_commands_in_words,
    tally,
)
from console.core.runs.records.exports import VERBS as EXPORTS
from console.core.runs.records.exports import kept_in_words
from console.core.runs.state import (
    FINAL_STATUSES,
    AssessmentKind,
    Outcome,
    RunState,
    StepState,
    StepStatus,
)
from console.engine.steps.step_view import gate_of
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    NOTE,
    OUTCOME,
    STEP,
    WARN,
    Lines,
    fitted,
    line,
    marked,
    seconds_text,
    wrapped,
)
from console.tui.present.runs.by_hand import by_hand_lines
from console.tui.present.runs.sections import check_lines, command_lines, section

GATES: dict[GateKind, str] = {
    GateKind.NONE: "runs without a question: it changes nothing",
    GateKind.CONFIRM: "asks before it runs",
    GateKind.TYPE_NAME: "asks you to type the name of the node",
}


_STEP_FIXED = len("▸✓ 10 ")
"""Columns of a step's line before its name."""
_ACTIVITY: dict[Activity, tuple[str, str, str]] = {
    Activity.BEGINS: ("»", Activity.BEGINS.value, NOTE),
    Activity.LOOKS: ("»", Activity.LOOKS.value, NOTE),
    Activity.ASKS: ("?", Activity.ASKS.value, WARN),
    Activity.SENDS: ("»", Activity.SENDS.value, NOTE),
    Activity.PROVES: ("»", Activity.PROVES.value, NOTE),
}


def step_list(run: RunState, selected: int, width: int) -> Lines:
    """The list of steps: number, mark, name, status. `▸` marks the step whose details are shown."""
    return tuple(_step_line(at, one, selected=at == selected, width=width) for at, one in enumerate(run.steps))


def steps_width(run: RunState) -> int:
    """The columns that the list of steps needs so that no name is cut."""
    return _STEP_FIXED + max((len(one.step.id) for one in run.steps), default=0) + 1


def title(run: RunState, width: int, now: float) -> Content:
    """One line: what the run does now or how it ended, how many steps are done, a pause of writes, the runbook."""
    doing = activity(run)
    sign = OUTCOME[run.outcome] if doing is Activity.ENDED else _ACTIVITY[doing]
    resumed = ", resumed" if run.resumed else ""
    paused = None if doing is Activity.ENDED else writes_paused_since(run)
    refused = () if paused is None else ("  ", (f"! writes paused for {seconds_text(now - paused)}", WARN))
    short = line(marked(sign), *refused, f"  {tally(run)}{resumed}")
    whole = line(short, "  ", (run.runbook.title, BOLD))
    return fitted(whole if whole.cell_length <= width else short, width)  # the header names the runbook, too


def starting(stopping: bool) -> Lines:
    """The line before the first message of the runner."""
    return (line("Stopping." if stopping else "Arming: opening the journal and the connections."),)


def other_step_asks(number: int, width: int) -> Lines:
    """Above the details of a step, while the question of another one waits."""
    text = f"The question of step {number} waits. Esc shows it, and only there it can be answered."
    return (*wrapped(text, width, WARN), line(""))


def step_detail(run: RunState, index: int, live: tuple[Check, ...], now: float, width: int) -> Lines:
    """One step: its reason, node, commands, gate, preconditions, proofs and output."""
    one = run.steps[index]
    step = one.step
    checks = live or one.checks
    proofs_note = ""
    if one.status is StepStatus.VERIFYING and run.waiting_until is not None:
        proofs_note = f", {seconds_text(max(0.0, run.waiting_until - now))} left"
    return (
        *wrapped(f"{index + 1}. {step.title}", width, BOLD),
        *wrapped(step.why, width, DIM),
        line(
            ("On ", DIM),
            (one.node, BOLD),
            (f" ({step.role})", DIM),
            "  ",
            marked(STEP[one.status]),
            f" {duration(one, now)}",
        ),
        *(wrapped(one.note, width, WARN) if one.note else ()),
        *_assessment_of_step(run, index, width),
        *section(
            commands_heading(one), command_lines(one.planned, width) or wrapped(no_commands_in_words(one), width, DIM)
        ),
        *((line(""), *by_hand_lines(one.by_hand, width, asked=False)) if one.by_hand else ()),
        *section("Gate", (line(GATES[gate_of(step)]),)),
        *(section("Preconditions now", check_lines(checks, width)) if checks else ()),
        *(section(f"To be proved{proofs_note}", check_lines(_waited_for_first(one), width)) if one.proofs else ()),
        *(section("Output", _output(one, width)) if one.output else ()),
    )


def just_kept(run: RunState, index: int, width: int) -> Lines:
    """On the page of the step after one that has written keys to a file: how many, and which file."""
    before = next((one for one in reversed(run.steps[:index]) if one.status is StepStatus.DONE), None)
    if before is None or before.step.action is None or before.step.action.verb not in EXPORTS:
        return ()
    kept = kept_in_words(before.node, before.output)
    return wrapped(f"✓ {kept}", width, GOOD, indent="  ", first="") if kept else ()


ASSESSMENT_MARKS: dict[AssessmentKind, tuple[str, str]] = {
    AssessmentKind.OBSERVED: ("✓", GOOD),
    AssessmentKind.JOURNAL: ("✓", WARN),
    AssessmentKind.SKIPPED: ("-", DIM),
    AssessmentKind.OPEN: ("·", ""),
    AssessmentKind.UNKNOWN: ("?", f"{BOLD} {BAD}"),
}


def assessment_lines(run: RunState, width: int) -> Lines:
    """The assessment of each step of a resumed run, with its reason. Equal neighbours share a line."""
    drawn: list[Content] = [line(("Resumed: the state of each step, and why", f"{BOLD} {NOTE}"))]
    for (kind, why, command), group in groupby(run.assessments, lambda one: (one.kind, one.why, one.command)):
        steps = [run.steps[one.index] for one in group]
        at = run.steps.index(steps[0]) + 1
        last = f" to {at + len(steps) - 1} {steps[-1].step.id}" if len(steps) > 1 else ""
        names = f"{steps[0].step.id}{last}"
        mark, style = ASSESSMENT_MARKS[kind]
        drawn += wrapped(f"{names}, {kind.value}: {why}", width, style, indent=" " * 5, first=f"{mark} {at:>2} ")
        drawn += wrapped(command, width, BOLD, indent=" " * 7) if command else ()
    return (*drawn, line(""))


def exit_message(run: RunState) -> str:
    """Printed on the terminal after the console has ended."""
    return f"run {run.run_id}: {run.outcome}\njournal: {run.journal}"


def _step_line(at: int, one: StepState, *, selected: bool, width: int) -> Content:
    mark, word, style = STEP[one.status]
    narrow = width - _STEP_FIXED - len(word) - 1 < len(one.step.id)
    word = "" if one.status is StepStatus.WAITING or narrow else word  # the mark says the same
    room = width - _STEP_FIXED - len(word) - 1
    name = fitted(line((one.step.id, BOLD if selected else "")), max(4, room))
    return fitted(line("▸" if selected else " ", (mark, style), f" {at + 1:>2} ", name, " ", (word, style)), width)


def _assessment_of_step(run: RunState, index: int, width: int) -> Lines:
    found = next((one for one in run.assessments if one.index == index), None)
    if found is None:
        return ()
    return section("State when the run was resumed", wrapped(f"{found.kind.value}: {found.why}", width))


def _waited_for_first(one: StepState) -> tuple[Check, ...]:
    """While a proof is waited for, what does not hold yet stands first: what holds may fill the page."""
    return one.proofs if one.status in FINAL_STATUSES else tuple(sorted(one.proofs, key=lambda check: check.holds))


def _output(one: StepState, width: int) -> Lines:
    return tuple(chain.from_iterable(wrapped(text, width, indent="  ") for text in one.output))


def is_over(run: RunState) -> bool:
    """Whether the run has ended, whatever the outcome."""
    return run.outcome is not Outcome.RUNNING
