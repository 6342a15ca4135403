"""The texts of a question of a run: what is sent, what would be lost, the evidence, the choices."""

from __future__ import annotations

from itertools import chain

from textual.content import Content

from console.core.command import Planned
from console.core.model.verdict import Check
from console.core.previews.loss_preview import LossPreview
from console.core.runs.question import Choice, Question, QuestionKind
from console.engine.actions.commands import instruction
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    STALE_AFTER,
    WARN,
    Lines,
    fitted,
    line,
    seconds_text,
    wrapped,
)
from console.tui.present.runs.sections import check_lines, command_lines, section

CHOICES: dict[Choice, str] = {
    Choice.RUN: "Run this step",
    Choice.SKIP: "Skip it",
    Choice.ABORT: "Stop the run",
    Choice.LOOK_AGAIN: "Look again",
    Choice.OVERRIDE: "Override",
}


def choice_label(choice: Choice, kind: QuestionKind) -> str:
    """The text on the button."""
    if choice is Choice.ABORT and kind in {QuestionKind.CONFIRM, QuestionKind.TYPE_NAME}:
        return "No, stop the run"
    if choice is Choice.RUN and kind is QuestionKind.CONFIRM:
        return "Yes, run it"
    if kind is QuestionKind.TROUBLE and choice in {Choice.RUN, Choice.ABORT}:
        return "Retry" if choice is Choice.RUN else "Stop here"
    return CHOICES[choice]


def question_lines(question: Question, live: tuple[Check, ...], width: int) -> Lines:
    """Everything the operator needs for the decision, the most important first."""
    by_hand = instruction(question.step)
    sends = "Commands of this step" if question.kind is QuestionKind.TROUBLE else "Commands to send"
    return (
        *_question_head(question, width),
        *(section("What you can do now", remedy_lines(question.remedies, width)) if question.remedies else ()),
        *_change_details(question.planned, width),
        *(section("Do by hand, then confirm", wrapped(by_hand, width)) if by_hand else ()),
        *(section(sends, command_lines(question.planned, width)) if question.planned else ()),
        *(_preview(question.preview, width) if question.preview else ()),
        *(section("Preconditions now", check_lines(live or question.checks, width)) if live or question.checks else ()),
        *section("Evidence", tuple(chain.from_iterable(wrapped(x, width, indent="  ") for x in question.evidence))),
        *section("Why this step", wrapped(question.step.why, width)),
    )


def remedy_lines(lines: tuple[str, ...], width: int) -> Lines:
    """The remedies for a step in trouble, one line each: `look again: nothing is sent, …`."""
    drawn: list[Content] = []
    for one in lines:
        word, _, why = one.partition(": ")
        rows = wrapped(f"{word}: {why}", width, indent="  ", first="· ")
        drawn += (rows[0].stylize(BOLD, 2, 3 + len(word)), *rows[1:])
    return tuple(drawn)


def observed_age(question: Question, now: float) -> Content:
    """The age of the observation that the question is based on."""
    age = max(0.0, now - question.observed_at)
    style = WARN if age > STALE_AFTER else DIM
    again = "; checked again before sending" if question.kind in _GATE_QUESTIONS else ""
    return line((f"Observed {seconds_text(age)} ago{again}.", style))


def prompt(question: Question, *, more: bool) -> Content:
    """The question itself, and whether there is more text below."""
    return line(_prompt(question), ("  (PgDn: more below)" if more else "", DIM))


def _prompt(question: Question) -> Content:
    if question.kind is QuestionKind.TYPE_NAME:
        return line((f"Type {question.node} to confirm:", BOLD))
    if question.kind is QuestionKind.CONFIRM:
        return line((f"Run this step on {question.node}?", BOLD))
    if question.kind is QuestionKind.BLOCKED:
        return line(("This step cannot run now. What next?", f"{BOLD} {WARN}"))
    return line(("This step is in trouble. What next?", f"{BOLD} {BAD}"))


_GATE_QUESTIONS = frozenset({QuestionKind.CONFIRM, QuestionKind.TYPE_NAME})


def _question_head(question: Question, width: int) -> Lines:
    lines: list[Content] = [*wrapped(f"{question.index + 1}. {question.step.title}", width, BOLD)]
    lines.append(line(("Target ", DIM), (f" {question.node} ", f"{BOLD} reverse")))
    if question.reason:
        lines += wrapped(question.reason, width, WARN)
    if question.sentence:
        lines += wrapped(f"To accept what is shown below, type: {question.sentence}", width, BOLD)
    if question.differences:
        refused = ("Refused: this has changed since it was shown", f"{BOLD} {BAD}")
        lines.append(line(refused if question.refused else ("This has changed since it was shown", f"{BOLD} {WARN}")))
        lines += chain.from_iterable(wrapped(one, width, indent="  ", first="≠ ") for one in question.differences)
    return tuple(lines)


def _preview(preview: LossPreview, width: int) -> Lines:
    warnings = chain.from_iterable(wrapped(one, width, WARN, indent="  ", first="! ") for one in preview.warnings)
    words = chain.from_iterable(wrapped(one, width, indent="  ") for one in preview.lines)
    repeated = any(preview.reason in one for one in preview.lines)
    head = wrapped(f"{preview.source} → {preview.target}" + ("" if repeated else f": {preview.reason}"), width, BOLD)
    return section("What would be lost", (*warnings, *head, *words))


def _change_details(planned: tuple[Planned, ...], width: int) -> Lines:
    drawn: list[Content] = []
    for one in planned:
        if one.detail:
            drawn += section(f"In detail, on {one.node}", tuple(_diff_line(x, width) for x in one.detail.splitlines()))
    return tuple(drawn)


def _diff_line(text: str, width: int) -> Content:
    style = GOOD if text.startswith("+") else BAD if text.startswith("-") else ""
    return fitted(line((text.replace("\t", "    "), style)), width)
