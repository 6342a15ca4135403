"""The operator of a run with plain prompts: prints each step and its evidence, asks, and prints what happens."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

from console.cli.output import say, say_over
from console.cli.runs.plain.terminal_input import ask
from console.cli.runs.plain.text import by_hand_lines, check_text, ending_lines, planned_text, preview_lines, wrapped
from console.core.model import ClusterState
from console.core.runs.by_hand import DONE, is_work
from console.core.runs.ending import end_in_words
from console.core.runs.half_done import half_done
from console.core.runs.question import Choice, Decision, Question, QuestionKind
from console.core.runs.state import FINAL_STATUSES, RunState, StepState, StepStatus

ANSWERS = {
    "y": Choice.RUN,
    "yes": Choice.RUN,
    "retry": Choice.RUN,
    "skip": Choice.SKIP,
    "abort": Choice.ABORT,
    "override": Choice.OVERRIDE,
    "look": Choice.LOOK_AGAIN,
    "n": Choice.LOOK_AGAIN,
    "no": Choice.LOOK_AGAIN,
}
_WHEN_DONE = f'Then answer y ("{DONE}"): nothing is sent, and the run looks whether it is so.'
CHOICE_WORDS = {
    Choice.LOOK_AGAIN: "LOOK",
    Choice.RUN: "retry",
    Choice.SKIP: "skip",
    Choice.OVERRIDE: "override",
    Choice.ABORT: "abort",
}


_MEANS = {
    Choice.LOOK_AGAIN: "nothing is sent; the run looks at the servers again, and asks again",
    Choice.SKIP: "the run goes on without this step",
    Choice.OVERRIDE: "asks for a whole sentence, by which you accept what is shown above",
    Choice.ABORT: "ends the run; nothing more is sent",
}
"""What each answer does, beside the one that runs the step."""


class PlainOperator:
    """Implements the engine's Operator with print and input. Ctrl-C or the end of input at a prompt aborts the run."""

    def __init__(self, now: Callable[[], float], on_change: Callable[[RunState], None] = lambda _: None) -> None:
        """`on_change` is called with every change of the run, before anything is printed."""
        self._now = now
        self._on_change = on_change
        self._assessments_printed = False
        self._last_announced = -1
        self._printed_lines: dict[int, int] = {}
        """Step → how many of its output lines were printed."""
        self._finished: set[int] = set()
        self._progress = ""
        self._run: RunState | None = None
        """The newest state of the run."""
        self._can_overwrite = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        """Whether a line can be overwritten. If not, progress is printed only when its text changes."""

    # --- start and end --------------------------------------------------------------------------------------------

    def print_start(self, run: RunState) -> None:
        armed = "RESUMED and ARMED" if run.resumed else "ARMED"
        say(f"{run.runbook.title} on {run.cluster}. {armed}: each step is shown and asks before it changes anything.")
        for role in run.runbook.roles:
            say(wrapped(f"{role.name} = {run.roles.get(role.name, '?')}: {role.description}", "  ", "      "))
        say(f"  journal: {run.journal}")

    def print_end(self, run: RunState) -> None:
        self._end_progress()
        say()
        say(wrapped(run.message))
        for section in run.ending:
            say("\n".join(("", section.heading, *ending_lines(section))))
        say()
        say(f"journal: {run.journal}")
        say(f"run {run.run_id}: {run.outcome.value}")

    # --- what happens -----------------------------------------------------------------------------------------------

    def show(self, state: ClusterState) -> None:
        """Prints nothing: questions and proofs contain what matters of an observation."""

    def tell(self, run: RunState) -> None:
        self._on_change(run)
        self._run = run
        self._show_assessments(run)
        for index, step in enumerate(run.steps):
            if step.status is StepStatus.WAITING or index in self._finished:
                continue
            self._announce(run, index, step)
            self._print_output(index, step)
            if step.status is StepStatus.VERIFYING:
                self._show_progress(run, step)
            elif step.status is StepStatus.SENDING and step.note:
                self._show_line(f"  {step.note}")
            elif step.status in FINAL_STATUSES:
                self._finished.add(index)
                self._end_progress()
                say(wrapped(end_in_words(step.status.value, step.note), "  ", "    "))

    def _show_assessments(self, run: RunState) -> None:
        """Prints how a resumed run assesses each step and why, with the command that was never answered."""
        if self._assessments_printed or not run.assessments:
            return
        self._assessments_printed = True
        say("\nThe state of each step, from the journal and from what was observed now:")
        for assessment in run.assessments:
            step = run.steps[assessment.index].step
            say(wrapped(f"{assessment.index + 1} {step.id}: {assessment.kind.value}: {assessment.why}", "  ", "      "))
            if assessment.command:
                first, *more = assessment.command.splitlines() or [""]
                say(f"      {first}{f' … ({len(more)} more lines)' if more else ''}")
        say()

    def _announce(self, run: RunState, index: int, step: StepState) -> None:
        if index <= self._last_announced:
            return
        self._last_announced = index
        say(f"\n== {index + 1}/{len(run.steps)} {step.step.id}: {step.step.title}")
        say(wrapped(step.step.why, "  "))

    def _print_output(self, index: int, step: StepState) -> None:
        for line in step.output[self._printed_lines.get(index, 0) :]:
            self._end_progress()
            first, *more = line.splitlines() or [""]
            say(wrapped(f"{first} … ({len(more)} more lines, as shown)" if more else first, "  ", "    "))
        self._printed_lines[index] = len(step.output)

    def _show_progress(self, run: RunState, step: StepState) -> None:
        missing = [check for check in step.proofs if not check.holds]
        if not step.proofs or not missing:
            return
        held = len(step.proofs) - len(missing)
        what = f"{missing[0].told}: {missing[0].evidence}" if missing[0].evidence else missing[0].told
        text = f"  waiting, {held} of {len(step.proofs)} hold; {what}"
        if self._can_overwrite:
            left = f"{max(0, round(run.waiting_until - self._now()))} s left; " if run.waiting_until else ""
            text = text.replace("waiting, ", f"waiting, {left}", 1)
        self._show_line(text)

    def _show_line(self, text: str) -> None:
        """Prints a line of progress, over the one before if the terminal can do that."""
        if self._can_overwrite:
            width = shutil.get_terminal_size((100, 24)).columns - 1
            say_over(text, width)
        elif text != self._progress:
            say(text)
        self._progress = text

    def _end_progress(self) -> None:
        if self._progress and self._can_overwrite:
            say()
        self._progress = ""

    # --- what is asked ------------------------------------------------------------------------------------------------

    def decide(self, question: Question) -> Decision:
        self._end_progress()
        say("\n".join((*_question_lines(question), *self._answers_in_words(question))))
        try:
            typed = ask(_prompt(question))
            choice = ANSWERS.get(typed.lower(), Choice.LOOK_AGAIN)
            if choice is Choice.OVERRIDE and question.sentence:
                return Decision(choice, question.digest, ask(_sentence_prompt(question)))
        except (EOFError, KeyboardInterrupt):
            say()
            return Decision(Choice.ABORT, question.digest)
        if question.kind is QuestionKind.TYPE_NAME:
            choice = ANSWERS.get(typed.lower(), Choice.RUN) if typed != question.node else Choice.RUN
            chosen = choice if choice in (Choice.ABORT, Choice.SKIP) else Choice.RUN
            return Decision(chosen, question.digest, typed)
        if choice in (Choice.RUN, Choice.OVERRIDE) and choice not in question.choices:
            choice = Choice.LOOK_AGAIN  # nothing can be forced
        return Decision(choice, question.digest)

    def _answers_in_words(self, question: Question) -> list[str]:
        """What each answer of the prompt does, a line each; and what stays half done where the run ends here."""
        order = (Choice.LOOK_AGAIN, Choice.SKIP, Choice.OVERRIDE, Choice.ABORT)
        offered = [one for one in order if one in question.choices and not question.remedies]  # those say it themselves
        lines = [wrapped(f"{_words_of(one, question)}: {_MEANS[one]}", "  ", "    ") for one in offered]
        if question.kind is QuestionKind.CONFIRM and Choice.SKIP not in question.choices:
            lines.append(wrapped("skip: not here, a later step relies on what this one does", "  ", "    "))
        left = half_done(self._run) if self._run is not None else ()
        return [*lines, *(wrapped(f"if you end the run now: {one}", "  ", "    ") for one in left)]


def _words_of(choice: Choice, question: Question) -> str:
    """What is typed for this answer."""
    if choice is not Choice.LOOK_AGAIN:
        return CHOICE_WORDS[choice]
    return {QuestionKind.CONFIRM: "n or Enter", QuestionKind.TYPE_NAME: "anything else"}.get(
        question.kind, "look or Enter"
    )


def _question_lines(question: Question) -> list[str]:
    """Everything that the operator needs for the answer. What is new or wrong comes last, just above the prompt."""
    lines = [f"  on {question.node}"]
    lines += [wrapped(line, "  ", "    ") for line in question.evidence]
    lines += [check_text(check) for check in question.checks]
    lines += [wrapped(line, "  ", "    ") for line in question.each_alone]
    if question.preview:
        lines += preview_lines(question.preview)
    if question.kind is not QuestionKind.TROUBLE:
        lines += [planned_text(planned) for planned in question.planned]
    if question.differences:
        lines.append(f"  {'refused: ' if question.refused else ''}changed since it was shown:")
        lines += [wrapped(line, "    ", "      ") for line in question.differences]
    if question.reason:
        lines.append(wrapped(question.reason, "  ", "    "))
    if question.if_skipped:
        lines.append(wrapped(f"if you skip it: {question.if_skipped}", "  ", "    "))
    if question.remedies:
        lines.append("  what can be done now:")
        lines += [wrapped(line, "    ", "      ") for line in question.remedies]
    lines += by_hand_lines(question.by_hand)
    if is_work(question.by_hand) and question.kind is QuestionKind.CONFIRM:
        lines.append(wrapped(_WHEN_DONE, "  "))
    return lines


def _prompt(question: Question) -> str:
    if question.kind is QuestionKind.CONFIRM:
        return "Run this step? [y/N/skip/abort] "
    if question.kind is QuestionKind.TYPE_NAME:
        return f'Type "{question.node}" to confirm, anything else cancels: '
    word = "Blocked." if question.kind is QuestionKind.BLOCKED else "Not done."
    return f"{word} [{'/'.join(CHOICE_WORDS[choice] for choice in question.choices)}] "


def _sentence_prompt(question: Question) -> str:
    return f'Type "{question.sentence}" to override, anything else cancels: '
