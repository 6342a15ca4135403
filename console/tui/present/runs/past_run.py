"""One recorded run: its head, its steps with their journal entries, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from console.core.runs.past.past_run import PastRun, PastStep, Standing
from console.core.runs.records.journal import Entry
from console.core.runs.state import StepStatus
from console.report.entry_text import entry_text
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    NOTE,
    STEP,
    WARN,
    Lines,
    Part,
    fitted,
    line,
    seconds_text,
    wrapped,
)
from console.tui.present.runs.journal import first_line
from console.tui.present.runs.standing import sign_of
from console.tui.present.runs.times import moment, time_of_day, whole_time

STEP_FIXED = len("✓ 10  verifying  00:00:00Z")
"""Columns of a step's line without its name."""
KINDS_UNDER_STEPS = frozenset({"decided", "intent", "result", "refused", "overridden", "verified"})
"""Kinds of entries that are shown under their step. The list of entries shows every kind."""


def title(past: PastRun, now: float, width: int, *, follows: bool = False) -> Content:
    """One line: standing and title; while the run is under way, the age of its newest entry."""
    mark, word, style = sign_of(past)
    word = f"{word}, followed" if follows else word
    parts: list[Part] = [(f"{mark} {word}", f"{BOLD} {style}"), "  ", (past.title, BOLD)]
    if past.standing is Standing.UNDER_WAY and (last := moment(past.entries[-1].at if past.entries else None)):
        parts.append(f"  last entry {seconds_text(max(0.0, now - last.timestamp()))} ago")
    return fitted(line(*parts), width)


def past_run_lines(past: PastRun, width: int) -> Lines:
    """The whole run, step by step, with the decisions, commands and answers of each."""
    steps = (row for step in past.steps for row in _step(past, step, width))
    return (*_head(past, width), *steps, line(""), *_key_hints(past, width))


def newest_line(past: PastRun, width: int) -> int:
    """The line of `past_run_lines` with the newest entry: the last line of the last step that began."""
    last = max((step.number for step in past.steps if step.began_at), default=0)
    above = sum(1 for step in past.steps[:last] for _ in _step(past, step, width))
    return len(_head(past, width)) + above - 1


def _head(past: PastRun, width: int) -> Lines:
    message = wrapped(past.message, width, BOLD) if past.message else ()
    return (*_facts(past, width), *message, *problem_lines(past, width), line(""))


def _facts(past: PastRun, width: int) -> Iterator[Content]:
    roles = ", ".join(f"{role} = {node}" for role, node in past.roles.items()) or "not bound"
    terminal = f", {past.terminal}" if past.terminal else ""
    facts = [
        ("cluster", f"{past.cluster or '?'}: {roles}"),
        ("operator", f"{past.operator or '?'}{terminal}"),
        ("began", whole_time(past.opened_at)),
        *(("resumed", f"{whole_time(one.get('at'))} by {one.get('operator', '?')}") for one in past.resumed),
        *((("ended", whole_time(past.ended_at)),) if past.ended_at else ()),
        ("folder", past.folder),
    ]
    for name, value in facts:
        yield from wrapped(value, width, indent=" " * 10, first=f"{name:<10}")


def problem_lines(past: PastRun, width: int) -> Iterator[Content]:
    """What to know first: a broken journal, a run without an end, commands without an answer."""
    if past.standing is Standing.BROKEN:
        broken = f"The journal is broken at line {past.chain.broken_line}: {past.chain.reason}."
        yield from wrapped(f"{broken} That line and those after it are not valid.", width, f"{BOLD} {BAD}")
    if past.standing is Standing.DIED:
        yield from wrapped(
            "The journal has no end and no console writes it: the console died, or the machine did.",
            width,
            f"{BOLD} {WARN}",
        )
    for one in past.unanswered:
        live = past.standing is Standing.UNDER_WAY
        words = "is being sent" if live else "was sent or may have been sent; no answer is recorded"
        yield from wrapped(f"? {one.node}> {first_line(one.sent)}: {words}", width, f"{BOLD} {NOTE if live else BAD}")


def _key_hints(past: PastRun, width: int) -> Iterator[Content]:
    if past.resumable:
        text = "→ press e to resume it: it observes the servers first and repeats no command without a decision"
        yield from wrapped(text, width, NOTE)
    yield from wrapped("→ press p for a report, v to check the journal", width, NOTE)


def _step(past: PastRun, step: PastStep, width: int) -> Iterator[Content]:
    mark, word, style = STEP[step.status]
    times = time_of_day(step.ended_at or step.began_at) if step.began_at else ""
    name = fitted(line((step.id, BOLD)), max(8, width - STEP_FIXED))
    yield fitted(line((mark, style), f" {step.number:>2} ", name, " ", (f"{word:<9} ", style), (times, DIM)), width)
    if step.note:
        yield from wrapped(step.note, width, DIM if step.status in _NO_TROUBLE else WARN, indent="     ")
    for entry in past.entries:
        if entry.kind in KINDS_UNDER_STEPS and entry.data.get("step") == step.number:
            yield from _entry_under_step(entry, width)
    for remedy in _remedies(past, step):
        yield from wrapped(remedy, width, indent=" " * 7, first="     → ")


def _remedies(past: PastRun, step: PastStep) -> tuple[str, ...]:
    """The remedies that were offered when the run ended at this step."""
    ends = [entry for entry in past.entries if entry.kind == "step" and entry.data.get("step") == step.number]
    return tuple(str(one) for one in (ends[-1].data.get("ways") or ())) if ends else ()


_NO_TROUBLE = frozenset({StepStatus.DONE, StepStatus.SKIPPED, StepStatus.WAITING})


def _entry_under_step(entry: Entry, width: int) -> Lines:
    style = BOLD if entry.kind == "intent" else BAD if entry.kind == "refused" else ""
    lead = f"     {time_of_day(entry.at)} {entry.kind:<10} "
    return wrapped(first_line(_entry_text(entry)), width, style, indent=" " * len(lead), first=lead)


def _entry_text(entry: Entry) -> str:
    """The text of the entry without the number of its step."""
    return entry_text(entry).removeprefix(f"step {entry.data.get('step')}: ").rstrip(": ")
