"""Recorded runs in words: their list, the timeline of one, its entries, its chain. Times are local and UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from textual.content import Content

from console.core.runs.journal import Entry
from console.core.runs.replay import PastRun, PastStep, Standing
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
from console.tui.present.runs.times import both_times, moment, whole_time

STEP_FIXED = len("✓ 10  verifying  00:00:00Z 00:00:00")
"""Columns of a step's line beside its name."""
KINDS_UNDER_STEPS = frozenset({"decided", "intent", "result", "refused", "overridden", "verified"})
"""Kinds of entries that the timeline tells under their step; the list of entries has them all."""


# --- times --------------------------------------------------------------------------------------------------------


# --- the list -----------------------------------------------------------------------------------------------------


# --- one run ------------------------------------------------------------------------------------------------------


def title(past: PastRun, now: float, width: int, *, follows: bool = False) -> Content:
    """One line: how it stands, what it was; while it is under way, how old the newest entry is."""
    mark, word, style = sign_of(past)
    word = f"{word}, followed" if follows else word
    parts: list[Part] = [(f"{mark} {word}", f"{BOLD} {style}"), "  ", (past.title, BOLD)]
    if past.standing is Standing.UNDER_WAY and (last := moment(past.entries[-1].at if past.entries else None)):
        parts.append(f"  last entry {seconds_text(max(0.0, now - last.timestamp()))} ago")
    return fitted(line(*parts), width)


def past_run_lines(past: PastRun, width: int, zone: tzinfo | None = None) -> Lines:
    """The run from its head to its end, step by step, with what was decided, sent and answered at each."""
    steps = (row for step in past.steps for row in _step(past, step, width, zone))
    return (*_head(past, width, zone), *steps, line(""), *_key_hints(past, width))


def newest_line(past: PastRun, width: int) -> int:
    """Where in the story the newest entry stands: the last line of the last step that was begun."""
    begun = max((step.number for step in past.steps if step.began_at), default=0)
    told = sum(1 for step in past.steps[:begun] for _ in _step(past, step, width, None))
    return len(_head(past, width, None)) + told - 1


def _head(past: PastRun, width: int, zone: tzinfo | None) -> Lines:
    message = wrapped(past.message, width, BOLD) if past.message else ()
    return (*_facts(past, width, zone), *message, *problem_lines(past, width), line(""))


def _facts(past: PastRun, width: int, zone: tzinfo | None) -> Iterator[Content]:
    roles = ", ".join(f"{role} = {node}" for role, node in past.roles.items()) or "not bound"
    terminal = f", {past.terminal}" if past.terminal else ""
    facts = [
        ("cluster", f"{past.cluster or '?'}: {roles}"),
        ("who", f"{past.operator or '?'}{terminal}"),
        ("began", whole_time(past.opened_at, zone)),
        *(("resumed", f"{whole_time(one.get('at'), zone)} by {one.get('operator', '?')}") for one in past.resumed),
        *((("ended", whole_time(past.ended_at, zone)),) if past.ended_at else ()),
        ("folder", past.folder),
    ]
    for name, value in facts:
        yield from wrapped(value, width, indent=" " * 9, first=f"{name:<9}")


def problem_lines(past: PastRun, width: int) -> Iterator[Content]:
    """What a reader must know before the rest."""
    if past.standing is Standing.BROKEN:
        broken = f"The journal is broken at line {past.chain.broken_line}: {past.chain.reason}."
        yield from wrapped(f"{broken} Nothing from there on counts.", width, f"{BOLD} {BAD}")
    if past.standing is Standing.DIED:
        yield from wrapped(
            "The journal has no end and nobody writes it: its console died, or the machine did.",
            width,
            f"{BOLD} {WARN}",
        )
    for one in past.unanswered:
        live = past.standing is Standing.UNDER_WAY
        words = "is being sent" if live else "was sent, or may have been: no answer is recorded"
        yield from wrapped(f"? {one.node}> {first_line(one.sent)}: {words}", width, f"{BOLD} {NOTE if live else BAD}")


def _key_hints(past: PastRun, width: int) -> Iterator[Content]:
    if past.resumable:
        text = "→ press e to resume it: it looks at the servers first, and sends nothing again by itself"
        yield from wrapped(text, width, NOTE)
    yield from wrapped("→ press p for a report, v to check the journal's chain", width, NOTE)


def _step(past: PastRun, step: PastStep, width: int, zone: tzinfo | None) -> Iterator[Content]:
    mark, word, style = STEP[step.status]
    times = both_times(step.ended_at or step.began_at, zone) if step.began_at else ""
    name = fitted(line((step.id, BOLD)), max(8, width - STEP_FIXED))
    yield fitted(line((mark, style), f" {step.number:>2} ", name, " ", (f"{word:<9} ", style), (times, DIM)), width)
    if step.note:
        yield from wrapped(step.note, width, DIM if step.status in _GOOD else WARN, indent="     ")
    for entry in past.entries:
        if entry.kind in KINDS_UNDER_STEPS and entry.data.get("step") == step.number:
            yield from _entry_under_step(entry, width, zone)
    for remedy in _remedies(past, step):
        yield from wrapped(remedy, width, indent=" " * 7, first="     → ")


def _remedies(past: PastRun, step: PastStep) -> tuple[str, ...]:
    """What could be done when the run ended at this step."""
    ends = [entry for entry in past.entries if entry.kind == "step" and entry.data.get("step") == step.number]
    return tuple(str(one) for one in (ends[-1].data.get("ways") or ())) if ends else ()


_GOOD = frozenset({StepStatus.DONE, StepStatus.SKIPPED, StepStatus.WAITING})


def _entry_under_step(entry: Entry, width: int, zone: tzinfo | None) -> Lines:
    style = BOLD if entry.kind == "intent" else BAD if entry.kind == "refused" else ""
    lead = f"     {both_times(entry.at, zone)} {entry.kind:<10} "
    return wrapped(first_line(_entry_text(entry)), width, style, indent=" " * len(lead), first=lead)


def _entry_text(entry: Entry) -> str:
    """What the entry says, without the number of the step that it stands under."""
    return entry_text(entry).removeprefix(f"step {entry.data.get('step')}: ").rstrip(": ")


# --- its entries --------------------------------------------------------------------------------------------------
