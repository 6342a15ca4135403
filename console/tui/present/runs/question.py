"""The texts of a question of a run, on one page: what is sent, what would be lost, what does not hold, the choices.

What does not decide is folded into the last lines. A key unfolds each part.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import chain

from textual.content import Content

from console.core.command import Planned, RedisCommand
from console.core.model.verdict import Check
from console.core.previews.loss_preview import LossPreview
from console.core.quantities import counted
from console.core.runs.by_hand import DONE, is_work
from console.core.runs.question import Choice, Question, QuestionKind
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    NOTE,
    STALE_AFTER,
    WARN,
    Lines,
    line,
    seconds_text,
    wrapped,
)
from console.tui.present.runs.by_hand import by_hand_lines
from console.tui.present.runs.sections import (
    CHANNELS,
    LABEL,
    check_lines,
    command_lines,
    conditions_that_hold,
    labelled,
    not_held_lines,
    section,
)

CHOICES: dict[Choice, str] = {
    Choice.RUN: "Run this step",
    Choice.SKIP: "Skip it",
    Choice.ABORT: "Stop the run",
    Choice.LOOK_AGAIN: "Look again",
    Choice.OVERRIDE: "Accept the loss",
}
MOST_ROWS = 3
"""Rows of a command that is shown in full at once. A longer one is folded, and its sentence is shown."""
MOST_CHANGED_LINES = 6
"""Changed lines of a file that are shown at once."""


class Fold(StrEnum):
    """A part of a question that is folded until the operator asks for it."""

    COMMANDS = "commands"
    CONDITIONS = "conditions"
    LOSS = "loss"
    EVIDENCE = "evidence"


FOLD_KEYS: dict[Fold, str] = {Fold.COMMANDS: "F2", Fold.CONDITIONS: "F3", Fold.LOSS: "F4", Fold.EVIDENCE: "F5"}
"""As `console/tui/keys.py` binds them."""
FOLD_NAMES: dict[Fold, str] = {
    Fold.COMMANDS: "commands in full",
    Fold.CONDITIONS: "conditions that hold",
    Fold.LOSS: "what the copy costs",
    Fold.EVIDENCE: "evidence, reason",
}


def choice_label(choice: Choice, question: Question) -> str:
    """The text on the button."""
    kind = question.kind
    if choice is Choice.RUN and kind is QuestionKind.CONFIRM and is_work(question.by_hand):
        return f"{DONE} (y)"
    if choice is Choice.ABORT and kind in _GATE_QUESTIONS:
        return "No, stop the run"
    if choice is Choice.RUN and kind is QuestionKind.TYPE_NAME and _decides(question):
        return "Yes, that is decided"
    if choice is Choice.RUN and kind is QuestionKind.CONFIRM:
        return "Yes, run it (y)"
    if kind is QuestionKind.TROUBLE and choice in {Choice.RUN, Choice.ABORT}:
        return "Retry" if choice is Choice.RUN else "Stop here"
    return CHOICES[choice]


def question_lines(
    question: Question, live: tuple[Check, ...], unfolded: frozenset[Fold], steps: int, width: int, height: int
) -> Lines:
    """Everything the operator needs for the decision, the most important first. `steps`: how many the run has.

    Where the height allows it, blank lines stand between the parts.
    """
    return tuple(chain.from_iterable(_parts(question, live, unfolded, steps, width, height)))


def rows_to_read(question: Question, live: tuple[Check, ...], steps: int, width: int, height: int) -> int:
    """How many of the first rows of `question_lines` say the step, its node and what is sent there.

    Whatever is unfolded stands below them. No answer that sends something is taken while they are out of view.
    """
    parts = _parts(question, live, frozenset(), steps, width, height)
    return sum(len(one) for one in parts[: _place_of_commands(question) + 1])


def rows_of_folds(
    question: Question, live: tuple[Check, ...], unfolded: frozenset[Fold], steps: int, width: int, height: int
) -> dict[Fold, range]:
    """The rows of `question_lines` in which each unfolded part stands."""
    parts = _parts(question, live, unfolded, steps, width, height)
    shown = [one for one in _folds(question, live or question.checks) if one in unfolded]
    found, first = {}, sum(map(len, parts[: -1 - len(shown)]))  # the last part has the keys
    for fold, part in zip(shown, parts[-1 - len(shown) : -1], strict=True):
        found[fold] = range(first, first + len(part))
        first += len(part)
    return found


def _parts(
    question: Question, live: tuple[Check, ...], unfolded: frozenset[Fold], steps: int, width: int, height: int
) -> list[Lines]:
    checks = live or question.checks
    parts = [
        _head(question, checks, steps, width),
        by_hand_lines(question.by_hand, width, asked=question.kind is QuestionKind.CONFIRM),
        labelled("Differ", _wrapped_all(question.each_alone, width - LABEL)),
        labelled("Do now", remedy_lines(question.remedies, width - LABEL)),
        labelled("Lost", _lost(question.preview, width - LABEL)),
        not_held_lines(checks, width),
        conditions_that_hold(checks, width),
        labelled("Skip", wrapped(f"if you do: {question.if_skipped}", width - LABEL) if question.if_skipped else ()),
        *(_folded(fold, question, checks, width) for fold in _folds(question, checks) if fold in unfolded),
        _fold_line(question, checks, unfolded, width),
    ]
    sent = "Of step" if question.kind is QuestionKind.TROUBLE else "Sends"
    parts.insert(_place_of_commands(question), labelled(sent, _sends(question, width - LABEL)))
    roomy = sum(len(part) + 1 for part in parts if part) <= height
    return [(*part, line("")) if roomy and part else part for part in parts]


def _place_of_commands(question: Question) -> int:
    """Behind the head. Only where a step is in trouble, what can be done now stands before what it has sent."""
    return 4 if question.kind is QuestionKind.TROUBLE else 1


def remedy_lines(lines: tuple[str, ...], width: int) -> Lines:
    """The remedies for a step in trouble, one line each: `look again: nothing is sent, …`."""
    drawn: list[Content] = []
    for one in lines:
        word, _, why = one.partition(": ")
        rows = wrapped(f"{word}: {why}", width, indent="  ", first="· ")
        drawn += (rows[0].stylize(BOLD, 2, 3 + len(word)), *rows[1:])
    return tuple(drawn)


def prompt(question: Question, now: float, width: int, *, more: bool) -> Content:
    """The question with its step, the age of what it shows, and whether there is more text below. Nothing is cut."""
    age = max(0.0, now - question.observed_at)
    seen, old = f"question as of {seconds_text(age)} ago", f"question {seconds_text(age)} old"
    again = "checked again before sending"
    told = [seen]
    if question.kind in _GATE_QUESTIONS:
        told = [f"{seen}, {again}", f"{old}, {again}", seen]
    head = line(_prompt(question), ("  (PgDn: more)" if more else "", f"{BOLD} {NOTE}"))
    for words in told:
        whole = line(head, (f"  {words}", WARN if age > STALE_AFTER else DIM))
        if whole.cell_length <= width:
            return whole
    return head


def field_label(question: Question) -> str:
    """What stands before the field to type into, or above it where it is a whole sentence."""
    return f"Type: {question.sentence}" if question.sentence else f"Type the name {question.node}:"


def refused_answer(why: str) -> Content:
    """Says why a key was not taken as an answer."""
    return line((why, WARN))


OUT_OF_VIEW = "Not taken: step or command was not in view so far. Read it, then answer."


def not_that_text(typed: str, required: str) -> str:
    """Why Enter has done nothing: another text was typed than is asked for."""
    if not typed:
        return f"Not taken: nothing is typed. Yes takes: {required}"
    return f"Not taken: “{typed}” is not the text. Yes takes: {required}"


NOT_SO_FAR = "Not the text so far. Backspace, or Esc: it empties the field."


def no_key_here(key: str, *, takes_yes: bool) -> str:
    """Why a letter has done nothing where nothing has to be typed."""
    return f"“{key}” is not taken. {'Yes is y; for' if takes_yes else 'For'} another answer: Tab and Enter."


def discarded_keys(count: int) -> Content:
    """Says that keys were pressed too early to be an answer."""
    was = "was" if count == 1 else "were"
    return line((f"{counted(count, 'key')} {was} not taken: pressed before this question could be read.", WARN))


_GATE_QUESTIONS = frozenset({QuestionKind.CONFIRM, QuestionKind.TYPE_NAME})


def _decides(question: Question) -> bool:
    """Whether a human decides something, and nothing is sent or done by hand."""
    return bool(question.by_hand) and not is_work(question.by_hand)


def _prompt(question: Question) -> Content:
    step = f"Step {question.index + 1}"
    if question.kind is QuestionKind.TYPE_NAME and question.each_alone:
        return line((f"{step}: does the data of {question.node} stay?", BOLD))
    if question.kind is QuestionKind.TYPE_NAME and _decides(question):
        return line((f"{step}: is it decided for {question.node}?", BOLD))
    if question.kind is QuestionKind.TYPE_NAME:
        return line((f"{step}: run it on {question.node}?", BOLD))
    if question.kind is QuestionKind.CONFIRM and is_work(question.by_hand):
        return line((f"{step}: is it done by hand?", BOLD))
    if question.kind is QuestionKind.CONFIRM:
        return line((f"{step}: run it on {question.node}?", BOLD))
    if question.kind is QuestionKind.BLOCKED and question.sentence:
        return line((f"{step} would lose data. Is that accepted?", f"{BOLD} {WARN}"))
    if question.kind is QuestionKind.BLOCKED:
        return line((f"{step} cannot run now. What next?", f"{BOLD} {WARN}"))
    return line((f"{step} is in trouble. What next?", f"{BOLD} {BAD}"))


# --- the parts ------------------------------------------------------------------------------------------------------


def _head(question: Question, checks: tuple[Check, ...], steps: int, width: int) -> Lines:
    lead = f"Step {question.index + 1} of {steps} on "
    rows = wrapped(f"{lead}{question.node}: {question.step.title}", width, BOLD)
    at = len(lead)
    lines: list[Content] = [rows[0].stylize("reverse", at, at + len(question.node)), *rows[1:]]
    if reason := _reason(question, checks):
        lines += wrapped(reason, width, WARN)
    if question.sentence:
        lines += wrapped("It runs only if you accept that in a typed sentence. Its own question follows.", width)
    if question.differences:
        refused = ("Refused: this has changed since it was shown", f"{BOLD} {BAD}")
        lines.append(line(refused if question.refused else ("This has changed since it was shown", f"{BOLD} {WARN}")))
        lines += chain.from_iterable(wrapped(one, width, indent="  ", first="≠ ") for one in question.differences)
    return tuple(lines)


def _reason(question: Question, checks: tuple[Check, ...]) -> str:
    """The reason without what stands at the conditions that do not hold."""
    reason, was_failing = f"; {question.reason}; ", [one for one in question.checks if not one.holds]
    for one in (*checks, *was_failing):
        if not one.holds:
            reason = reason.replace(f"; {one.advice or one.told}; ", "; ")
    parts = [part for one in reason.split(";") if (part := one.strip(" ."))]
    if question.kind is QuestionKind.BLOCKED and was_failing and all(one.holds for one in checks):
        return "What blocked this step has changed since it was asked: every condition holds now. Look again."
    return "; ".join(parts)


def _sends(question: Question, width: int) -> Lines:
    return tuple(chain.from_iterable(_sent(one, width) for one in question.planned))


def _sent(one: Planned, width: int) -> Lines:
    """One command: the text that is sent where it is short, otherwise its sentence. And what it changes in a file."""
    via = " through the VIP" if isinstance(one.command, RedisCommand) and one.command.through_vip else ""
    where = f"{one.node}, {CHANNELS[one.channel]}{via}: "
    text = one.render()
    rows = wrapped(f"{where}{text}", width, BOLD, indent="  ", first="")
    if "\n" in text.strip() or len(rows) > MOST_ROWS:
        folded = f"{where}{one.summary} ({FOLD_KEYS[Fold.COMMANDS]}: the script)"
        rows = wrapped(folded, width, BOLD, indent="  ", first="")
    changed = _changed_lines(one.detail)
    left = len(changed) - MOST_CHANGED_LINES
    more = (line((f"  and {counted(left, 'line')} more: {FOLD_KEYS[Fold.COMMANDS]}", DIM)),) if left > 0 else ()
    return (*rows, *chain.from_iterable(_detail_lines(text, width) for text in changed[:MOST_CHANGED_LINES]), *more)


def _changed_lines(detail: str) -> tuple[str, ...]:
    """The changed lines of a diff; none of another text."""
    lines = detail.splitlines()
    if not any(one.startswith("@@") for one in lines):
        return ()
    return tuple(one for one in lines if one.startswith(("+", "-")) and not one.startswith(("+++", "---")))


def _lost(preview: LossPreview | None, width: int) -> Lines:
    if preview is None:
        return ()
    warnings = chain.from_iterable(wrapped(one, width, WARN, indent="  ", first="! ") for one in preview.warnings)
    words = chain.from_iterable(wrapped(one, width, indent="  ", first="") for one in preview.lines)
    repeated = any(preview.reason in one for one in preview.lines)
    head = () if repeated else wrapped(f"{preview.source} → {preview.target}: {preview.reason}", width, BOLD)
    return (*warnings, *head, *words)


# --- what is folded -------------------------------------------------------------------------------------------------


def _folds(question: Question, checks: tuple[Check, ...]) -> list[Fold]:
    """The parts that this question has. Only those that are unfolded are drawn: this is asked at each repaint."""
    has = {
        Fold.COMMANDS: bool(question.planned),
        Fold.CONDITIONS: any(one.holds for one in checks),
        Fold.LOSS: question.preview is not None and bool(question.preview.details),
        Fold.EVIDENCE: True,
    }
    return [fold for fold in Fold if has[fold]]


def _folded(fold: Fold, question: Question, checks: tuple[Check, ...], width: int) -> Lines:
    """The lines of a part that can be folded."""
    match fold:
        case Fold.COMMANDS:
            lines = (*command_lines(question.planned, width), *_details(question.planned, width))
        case Fold.CONDITIONS:
            lines = check_lines(tuple(one for one in checks if one.holds), width)
        case Fold.LOSS:
            lines = _wrapped_all(question.preview.details if question.preview else (), width)
        case Fold.EVIDENCE:
            lines = (
                *wrapped("As it was when this was asked:", width, DIM),
                *_wrapped_all(question.evidence, width),
                *wrapped(question.step.why, width, DIM),
            )
    return section(FOLD_NAMES[fold].capitalize(), lines)[1:]


def _fold_line(question: Question, checks: tuple[Check, ...], unfolded: frozenset[Fold], width: int) -> Lines:
    """The keys that show what is folded, and that fold it again."""
    keys = " · ".join(
        f"{FOLD_KEYS[fold]} {'fold ' if fold in unfolded else ''}{FOLD_NAMES[fold]}"
        for fold in _folds(question, checks)
    )
    return wrapped(keys, width, DIM) if keys else ()


def _wrapped_all(texts: Iterable[str], width: int) -> Lines:
    return tuple(chain.from_iterable(wrapped(one, width, indent="  ", first="· ") for one in texts))


def _details(planned: tuple[Planned, ...], width: int) -> Lines:
    drawn: list[Content] = []
    for one in planned:
        if one.detail:
            drawn.append(line((f"In detail, on {one.node}", BOLD)))
            drawn += chain.from_iterable(_detail_lines(text, width) for text in one.detail.splitlines())
    return tuple(drawn)


def _detail_lines(text: str, width: int) -> Lines:
    """One line of a detail, wrapped: nothing of a command that restores a backup is cut."""
    return wrapped(text.replace("\t", "    "), width, _diff_style(text), indent="    ", first="  ")


def _diff_style(text: str) -> str:
    return GOOD if text.startswith("+") else BAD if text.startswith("-") else ""
