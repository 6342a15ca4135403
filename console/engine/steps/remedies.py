"""What can be done about a step that failed or whose result is not known, in the same words everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from console.core.kinds import kind_of
from console.core.model.verdict import Check, Verdict
from console.core.runbooks.document import Step
from console.core.runbooks.verb import VerbSpec
from console.core.runs.half_done import undo_in_words
from console.core.runs.state import Outcome, StepStatus
from console.engine.ports import Answer, AnswerKind
from console.engine.steps.step_view import sentence


def remedies(step: Step, verb: VerbSpec, answer: Answer | None, *, repeatable: bool, kind: str) -> tuple[str, ...]:
    """One a line, the harmless one first. `answer` None: carried out, not proved. `repeatable`: may be sent again.

    `kind`: the kind of the cluster. Only runbooks of this kind are named.
    """
    lines = ["look again: nothing is sent; the step is done if its proof holds now"]
    if repeatable:
        lines.append(
            f"retry: {_why_repeatable(answer)}; the step is asked anew, with everything that it shows and requires"
        )
    if verb.undo and (answer is None or answer.kind is not AnswerKind.NOT_SENT):
        lines.append(f"take it back: {undo_in_words(verb, kind_of(kind))}")
    advice = " ".join(step.on_failure.split())
    lines.append(f"stop here: {advice}" if advice else "stop here: nothing more is sent")
    return tuple(lines)


def trouble_in_words(step: Step, answer: Answer | None, proofs: Sequence[Check]) -> str:
    """What went wrong with a step, and what its runbook advises. `answer`: as in `remedies`."""
    missing = "; ".join(_missing(check) for check in proofs if not check.holds)
    text = f"not proved so far, {missing}" if answer is None else answer_in_words(answer)
    return f"{sentence(text)} {sentence(step.on_failure)}".rstrip()


def _missing(check: Check) -> str:
    """A condition that is not proved. What helps against a failed one follows: the runbook cannot know it."""
    advice = f": {check.advice}" if check.verdict is Verdict.FAILS and check.advice else ""
    return f"{check.told} ({check.evidence}){advice}"


def may_repeat(verb: VerbSpec, answer: Answer | None) -> bool:
    """Whether it may be sent again: it was not sent, or the server refused it, or a second time is harmless (H27).

    It is never sent again automatically. The operator chooses it, and then passes the step's whole gate again.
    """
    if answer is None or answer.kind is AnswerKind.UNKNOWN:
        return verb.twice_is_once
    return answer.kind is AnswerKind.NOT_SENT or (answer.kind is AnswerKind.FAILED and verb.repeatable)


def answer_in_words(answer: Answer) -> str:
    """What an answer means, and its text."""
    what = {
        AnswerKind.NOT_SENT: "nothing was sent",
        AnswerKind.UNKNOWN: "the answer was lost and it may have been carried out",
        AnswerKind.FAILED: "the server did not carry it out",
        AnswerKind.DONE: "the server carried it out",
    }[answer.kind]
    return f"{what}: {answer.text}" if answer.text else what


def end_after_trouble(answer: Answer | None) -> tuple[Outcome, StepStatus]:
    """How run and step end where the operator gives up in trouble: by what became of the command."""
    if answer is None or answer.kind is AnswerKind.FAILED:
        return Outcome.FAILED, StepStatus.FAILED
    if answer.kind is AnswerKind.UNKNOWN:
        return Outcome.UNKNOWN, StepStatus.UNKNOWN
    return Outcome.REFUSED, StepStatus.REFUSED


def _why_repeatable(answer: Answer | None) -> str:
    if answer is not None and answer.kind is AnswerKind.NOT_SENT:
        return "nothing was sent"
    if answer is not None and answer.kind is AnswerKind.FAILED:
        return "the server says that it did not carry it out"
    return "sending it twice does no more harm than sending it once"
