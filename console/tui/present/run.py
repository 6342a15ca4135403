"""A run in words: its steps, the step under way, what is asked, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, groupby

from textual.content import Content

from console.core.command import Planned
from console.core.model.verdict import Check
from console.core.previews.loss_preview import LossPreview
from console.core.runbooks.document import GateKind, Runbook
from console.core.runs.question import Choice, Question, QuestionKind
from console.core.runs.state import AssessmentKind, Outcome, RunState, StepState, StepStatus
from console.tui.present.words import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    NOTE,
    OUTCOME,
    STALE_AFTER,
    STEP,
    VERDICT,
    WARN,
    Lines,
    counted,
    fitted,
    line,
    marked,
    seconds_text,
    wrapped,
)

GATES: dict[GateKind, str] = {
    GateKind.NONE: "runs by itself: it changes nothing",
    GateKind.CONFIRM: "asks before it runs",
    GateKind.TYPE_NAME: "asks for the node's name to be typed",
}
CHOICES: dict[Choice, str] = {
    Choice.RUN: "Run this step",
    Choice.SKIP: "Skip it",
    Choice.ABORT: "Stop the run",
    Choice.LOOK_AGAIN: "Look again",
    Choice.OVERRIDE: "Override",
}


def choice_label(choice: Choice, kind: QuestionKind) -> str:
    """What stands on the button."""
    if choice is Choice.ABORT and kind in {QuestionKind.CONFIRM, QuestionKind.TYPE_NAME}:
        return "No, stop the run"
    if choice is Choice.RUN and kind is QuestionKind.CONFIRM:
        return "Yes, run it"
    if kind is QuestionKind.TROUBLE and choice in {Choice.RUN, Choice.ABORT}:
        return "Retry" if choice is Choice.RUN else "Stop here"
    return CHOICES[choice]


def steps(run: RunState, selected: int, width: int) -> Lines:
    """The list at the left: number, mark, name, status in a word; `▸` is the step whose details are shown."""
    return tuple(_step_line(at, one, selected=at == selected, width=width) for at, one in enumerate(run.steps))


def title(run: RunState, width: int) -> Content:
    """One line: the runbook, how far it is, how it goes."""
    final = {StepStatus.DONE, StepStatus.SKIPPED}
    done = sum(one.status in final for one in run.steps)
    resumed = ", resumed" if run.resumed else ""
    far = f"  {done} of {len(run.steps)} done{resumed}  "
    return fitted(line((run.runbook.title, BOLD), far, marked(OUTCOME[run.outcome])), width)


def starting(stopping: bool) -> Lines:
    """Before the runner told anything."""
    return (line("Stopping." if stopping else "Arming: opening the journal and the connections."),)


def required(checks: tuple[Check, ...], width: int) -> Lines:
    """What must hold before the first step."""
    held = all(one.holds for one in checks)
    head = (GOOD, "Can begin now") if held else (BAD, "Cannot begin now: this must hold first")
    return (line((head[1], f"{BOLD} {head[0]}")), *_checks(checks, width), line(""))


def detail(run: RunState, index: int, live: tuple[Check, ...], now: float, width: int) -> Lines:
    """One step: why, on which node, under which conditions, what is sent, what came back."""
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
            ("On ", DIM), (one.node, BOLD), (f" ({step.role})", DIM), "  ", marked(STEP[one.status]), *_took(one, now)
        ),
        *(wrapped(one.note, width, WARN) if one.note else ()),
        *_assessment_of(run, index, width),
        *_section("Sends", _commands(one.planned, width) or (line(("nothing: it only looks", DIM)),)),
        *_section("Gate", (line(GATES[step.gate]),)),
        *(_section("Preconditions now", _checks(checks, width)) if checks else ()),
        *(_section(f"To be proved{proofs_note}", _checks(one.proofs, width)) if one.proofs else ()),
        *(_section("Output", _output(one, width)) if one.output else ()),
    )


def asked(question: Question, live: tuple[Check, ...], width: int) -> Lines:
    """What is put before the operator, in the order to read it: what is new, sent, lost, and what is true."""
    sends = "What this step sends" if question.kind is QuestionKind.TROUBLE else "Will be sent"
    return (
        *_head(question, width),
        *(_section("What can be done now", ways(question.remedies, width)) if question.remedies else ()),
        *_diffs(question.planned, width),
        *(_section(sends, _commands(question.planned, width)) if question.planned else ()),
        *(_preview(question.preview, width) if question.preview else ()),
        *(_section("Preconditions now", _checks(live or question.checks, width)) if live or question.checks else ()),
        *_section("Evidence", tuple(chain.from_iterable(wrapped(x, width, indent="  ") for x in question.evidence))),
        *_section("Why this step", wrapped(question.step.why, width)),
    )


def ways(lines: tuple[str, ...], width: int) -> Lines:
    """What can be done about a step in trouble, a line each, its word first: `look again: nothing is sent, …`."""
    drawn: list[Content] = []
    for one in lines:
        word, _, why = one.partition(": ")
        rows = wrapped(f"{word}: {why}", width, indent="  ", first="· ")
        drawn += (rows[0].stylize(BOLD, 2, 3 + len(word)), *rows[1:])
    return tuple(drawn)


ASSESSMENT: dict[AssessmentKind, tuple[str, str]] = {
    AssessmentKind.OBSERVED: ("✓", GOOD),
    AssessmentKind.JOURNAL: ("✓", WARN),
    AssessmentKind.SKIPPED: ("-", DIM),
    AssessmentKind.OPEN: ("·", ""),
    AssessmentKind.UNKNOWN: ("?", f"{BOLD} {BAD}"),
}


def assessed(run: RunState, width: int) -> Lines:
    """What a resumed run believes of its steps, and why; those that are open without a reason in one line."""
    drawn: list[Content] = [line(("Resumed: what is believed of each step, and why", f"{BOLD} {NOTE}"))]
    for (kind, why, command), group in groupby(run.assessments, lambda one: (one.kind, one.why, one.command)):
        steps = [run.steps[one.index] for one in group]
        at = run.steps.index(steps[0]) + 1
        names = steps[0].step.id if len(steps) == 1 else f"to {at + len(steps) - 1} {steps[-1].step.id}"
        mark, style = ASSESSMENT[kind]
        drawn += wrapped(f"{names}, {kind.value}: {why}", width, style, indent=" " * 5, first=f"{mark} {at:>2} ")
        drawn += wrapped(command, width, BOLD, indent=" " * 7) if command else ()
    return (*drawn, line(""))


def asked_age(question: Question, now: float) -> Content:
    """How old what is shown at the gate is."""
    age = max(0.0, now - question.observed_at)
    style = WARN if age > STALE_AFTER else DIM
    again = "; looked at again before sending" if question.kind in _GATES else ""
    return line((f"Seen {seconds_text(age)} ago{again}.", style))


def prompt(question: Question, *, more: bool) -> Content:
    """The question itself, and whether what it rests on goes on below."""
    return line(_prompt(question), ("  (PgDn reads on)" if more else "", DIM))


def _prompt(question: Question) -> Content:
    if question.kind is QuestionKind.TYPE_NAME:
        return line((f"Type {question.node} to confirm:", BOLD))
    if question.kind is QuestionKind.CONFIRM:
        return line((f"Run this step on {question.node}?", BOLD))
    if question.kind is QuestionKind.BLOCKED:
        return line(("This step cannot run now. What next?", f"{BOLD} {WARN}"))
    return line(("This step is in trouble. What next?", f"{BOLD} {BAD}"))


def ending(run: RunState, width: int) -> Lines:
    """How it ended, what was done, where the record is."""
    done = [one for one in run.steps if one.status is StepStatus.DONE]
    skipped = [one for one in run.steps if one.status is StepStatus.SKIPPED]
    rest = [one for one in run.steps if one.status not in {StepStatus.DONE, StepStatus.SKIPPED}]
    return (
        line((" ".join(OUTCOME[run.outcome][:2]), f"{BOLD} {OUTCOME[run.outcome][2]}"), f"  {run.runbook.title}"),
        *(wrapped(run.message, width) if run.message else ()),
        *_section("Done", _ended(done, width) or (line(("nothing", DIM)),)),
        *(_section("Skipped, already true", _ended(skipped, width)) if skipped else ()),
        *(_section("Not done", _ended(rest, width)) if rest else ()),
        *_section(
            "Record", (*wrapped(run.journal or "none", width), line(f"redis-ha-console runs report {run.run_id}"))
        ),
        line(""),
        *wrapped("The console is read-only again. Esc goes back to the cluster.", width, GOOD),
    )


def short_ending(run: RunState) -> str:
    """For the terminal, after the screen is gone."""
    return f"run {run.run_id}: {run.outcome}\njournal: {run.journal}"


# --- choosing and arming --------------------------------------------------------------------------------------------


def runbook_line(runbook: Runbook, width: int, longest: int) -> tuple[Content, Content]:
    """Two lines of the list of runbooks."""
    head = line((f"{runbook.name:<{longest}}  ", BOLD), runbook.title)
    note = line((f"  {counted(len(runbook.steps), 'step')}. {runbook.summary}", DIM))
    return fitted(head, width), fitted(note, width)


def arming(runbook: Runbook, roles: Mapping[str, str], cluster: str, width: int) -> Lines:
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
        *_section("Who is who", tuple(described)),
        *_section(
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
        *_section("Steps", tuple(_planned_step(at, runbook, roles, width) for at in range(len(runbook.steps)))),
    )


# --- parts ----------------------------------------------------------------------------------------------------------

_GATES = frozenset({QuestionKind.CONFIRM, QuestionKind.TYPE_NAME})


def _step_line(at: int, one: StepState, *, selected: bool, width: int) -> Content:
    mark, word, style = STEP[one.status]
    word = "" if one.status is StepStatus.WAITING else word
    room = width - 6 - len(word) - 1
    name = fitted(line((one.step.id, BOLD if selected else "")), max(4, room))
    return fitted(line("▸" if selected else " ", (mark, style), f" {at + 1:>2} ", name, " ", (word, style)), width)


def _assessment_of(run: RunState, index: int, width: int) -> Lines:
    found = next((one for one in run.assessments if one.index == index), None)
    if found is None:
        return ()
    return _section("Believed when it was resumed", wrapped(f"{found.kind.value}: {found.why}", width))


def _took(one: StepState, now: float) -> tuple[str, ...]:
    if one.started_at is None:
        return ()
    return (f"  {seconds_text(max(0.0, (one.ended_at or now) - one.started_at))}",)


def _section(name: str, lines: Lines) -> Lines:
    return (line(""), line((name, f"{BOLD} {NOTE}")), *lines)


def _commands(planned: tuple[Planned, ...], width: int) -> Lines:
    drawn: list[Content] = []
    for one in planned:
        drawn += wrapped(f"on {one.node} over {one.channel}: {one.summary}", width, DIM)
        for at, text in enumerate(one.render().splitlines()):
            drawn += wrapped(text, width, BOLD, indent="    ", first="    " if at else "  $ ")
    return tuple(drawn)


def _checks(checks: tuple[Check, ...], width: int) -> Lines:
    drawn: list[Content] = []
    for one in checks:
        mark, word, style = VERDICT[one.verdict]
        hazard = f" [{one.hazard}]" if one.hazard else ""
        bad = "" if one.holds else f" ({word})"
        rows = wrapped(f"{one.statement}{bad}{hazard}", width, "" if one.holds else style, indent="  ", first="  ")
        drawn.append(line((mark, style), rows[0][1:]))
        drawn += rows[1:]
        if not one.holds:
            drawn += wrapped(f"seen: {one.evidence}", width, indent="    ")
            drawn += wrapped(f"→ {one.advice}", width, indent="    ") if one.advice else ()
        else:
            drawn += wrapped(one.evidence, width, DIM, indent="    ") if one.evidence else ()
    return tuple(drawn)


def _output(one: StepState, width: int) -> Lines:
    return tuple(chain.from_iterable(wrapped(text, width, indent="  ") for text in one.output))


def _head(question: Question, width: int) -> Lines:
    lines: list[Content] = [*wrapped(f"{question.index + 1}. {question.step.title}", width, BOLD)]
    lines.append(line(("Target ", DIM), (f" {question.node} ", f"{BOLD} reverse")))
    if question.reason:
        lines += wrapped(question.reason, width, WARN)
    if question.sentence:
        lines += wrapped(f"To take the loss shown below all the same, type: {question.sentence}", width, BOLD)
    if question.differences:
        lines.append(line(("Refused: this changed since it was shown", f"{BOLD} {BAD}")))
        lines += chain.from_iterable(wrapped(one, width, indent="  ", first="≠ ") for one in question.differences)
    return tuple(lines)


def _preview(preview: LossPreview, width: int) -> Lines:
    warnings = chain.from_iterable(wrapped(one, width, WARN, indent="  ", first="! ") for one in preview.warnings)
    words = chain.from_iterable(wrapped(one, width, indent="  ") for one in preview.lines)
    said = any(preview.reason in one for one in preview.lines)
    head = wrapped(f"{preview.source} → {preview.target}" + ("" if said else f": {preview.reason}"), width, BOLD)
    return _section("What would be lost", (*warnings, *head, *words))


def _diffs(planned: tuple[Planned, ...], width: int) -> Lines:
    drawn: list[Content] = []
    for one in planned:
        if one.detail:
            drawn += _section(f"In detail, on {one.node}", tuple(_diff_line(x, width) for x in one.detail.splitlines()))
    return tuple(drawn)


def _diff_line(text: str, width: int) -> Content:
    style = GOOD if text.startswith("+") else BAD if text.startswith("-") else ""
    return fitted(line((text.replace("\t", "    "), style)), width)


def _ended(ones: list[StepState], width: int) -> Lines:
    drawn: list[Content] = []
    for one in ones:
        mark, word, style = STEP[one.status]
        drawn.append(line((f"{mark} {word:<8}", style), fitted(line(one.step.title), max(0, width - 10))))
        drawn += wrapped(one.note, width, DIM, indent=" " * 10) if one.note else ()
    return tuple(drawn)


def _planned_step(at: int, runbook: Runbook, roles: Mapping[str, str], width: int) -> Content:
    step = runbook.steps[at]
    gate = {GateKind.NONE: "looks only", GateKind.CONFIRM: "asks", GateKind.TYPE_NAME: "name typed"}[step.gate]
    return fitted(line(f"{at + 1:>2} ", step.title, (f"  on {roles.get(step.role, '?')}, {gate}", DIM)), width)


def is_over(run: RunState) -> bool:
    """Whether the run has ended, whatever the outcome."""
    return run.outcome is not Outcome.RUNNING
