"""Recorded runs in words: their list, the timeline of one, its entries, its chain. Times are local and UTC."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo

from textual.content import Content

from console.core.runs.journal import ChainCheck, Entry
from console.core.runs.past_run import PastRun, PastStep, Standing
from console.core.runs.state import Outcome, StepStatus
from console.report.entry_text import entry_text
from console.tui.present.words import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    NOTE,
    OUTCOME,
    STEP,
    WARN,
    Lines,
    Part,
    counted,
    fitted,
    line,
    seconds_text,
    wrapped,
)

Sign = tuple[str, str, str]
STANDING: Mapping[Standing, Sign] = {
    Standing.UNDER_WAY: ("»", "under way", NOTE),
    Standing.DIED: ("!", "not closed", WARN),
    Standing.BROKEN: ("✗", "broken", BAD),
}
STEP_FIXED = len("✓ 10  verifying  00:00:00Z 00:00:00")
"""Columns of a step's line beside its name."""
TOLD = frozenset({"decided", "intent", "result", "refused", "overridden", "verified"})
"""Kinds of entries that the timeline tells under their step; the list of entries has them all."""


# --- times --------------------------------------------------------------------------------------------------------


def moment(at: str | None) -> datetime | None:
    """An entry's time; None where it is none."""
    try:
        return datetime.fromisoformat(at) if at else None
    except ValueError:
        return None


def both_times(at: str | None, zone: tzinfo | None = None) -> str:
    """`03:40:12Z 05:40:12`: UTC as in logs, and local time. `zone`: None is that of this machine."""
    found = moment(at)
    return f"{found.astimezone(UTC):%H:%M:%S}Z {found.astimezone(zone):%H:%M:%S}" if found else f"{at or 'no time'}"


def whole_time(at: str | None, zone: tzinfo | None = None) -> str:
    """Date and time, both ways."""
    found = moment(at)
    if found is None:
        return at or "not recorded"
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, {found.astimezone(zone):%Y-%m-%d %H:%M:%S} local"


def day_and_time(at: str | None, now: float, zone: tzinfo | None = None) -> str:
    """`11-21 05:40`, local; with the year instead of the time where it is another year."""
    found = moment(at)
    if found is None:
        return "no time"
    local = found.astimezone(zone)
    same = local.year == datetime.fromtimestamp(now, UTC).astimezone(zone).year
    return f"{local:%m-%d %H:%M}" if same else f"{local:%Y-%m-%d}"


# --- the list -----------------------------------------------------------------------------------------------------


def sign_of(past: PastRun) -> Sign:
    """How it ended, or why it has no end: a mark, a word, a style."""
    if past.standing is Standing.CLOSED:
        outcome = past.outcome or Outcome.UNKNOWN
        mark, _, style = OUTCOME[outcome]
        return mark, outcome.value, style
    mark, word, style = STANDING[past.standing]
    return mark, f"{word} at {past.chain.broken_line}" if past.standing is Standing.BROKEN else word, style


def columns(rows: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Widths of the columns `cluster` and `runbook` for these rows."""
    cluster, runbook = [7], [7]
    for one, other in rows:
        cluster.append(len(one))
        runbook.append(len(other))
    return min(max(cluster), 14), min(max(runbook), 19)


def list_head(widths: tuple[int, int]) -> Content:
    """What stands in which column."""
    cluster, runbook = widths
    return line(("  " + _cells("when, local", "how it stands", "cluster", "runbook", (cluster, runbook)) + "who", DIM))


def list_line(sign: Sign, when: str, names: tuple[str, str], who: str, widths: tuple[int, int]) -> Content:
    """Cells of the list: those of a run of this machine, or of one that the nodes tell of."""
    mark, word, style = sign
    cluster, runbook = (f"{_cut(name or '?', room):<{room}}" for name, room in zip(names, widths, strict=True))
    return line(f"{when:<11} ", (f"{mark} {word:<12} ", style), (f"{cluster} ", BOLD), f"{runbook} ", (who or "?", DIM))


def _cells(when: str, how: str, cluster: str, runbook: str, widths: tuple[int, int]) -> str:
    return f"{when:<11} {how:<14} {cluster:<{widths[0]}} {runbook:<{widths[1]}} "


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


# --- one run ------------------------------------------------------------------------------------------------------


def title(past: PastRun, now: float, width: int, *, follows: bool = False) -> Content:
    """One line: how it stands, what it was; while it is under way, how old the newest entry is."""
    mark, word, style = sign_of(past)
    word = f"{word}, followed" if follows else word
    parts: list[Part] = [(f"{mark} {word}", f"{BOLD} {style}"), "  ", (past.title, BOLD)]
    if past.standing is Standing.UNDER_WAY and (last := moment(past.entries[-1].at if past.entries else None)):
        parts.append(f"  last entry {seconds_text(max(0.0, now - last.timestamp()))} ago")
    return fitted(line(*parts), width)


def story(past: PastRun, width: int, zone: tzinfo | None = None) -> Lines:
    """The run from its head to its end, step by step, with what was decided, sent and answered at each."""
    steps = (row for step in past.steps for row in _step(past, step, width, zone))
    return (*_head(past, width, zone), *steps, line(""), *_next(past, width))


def line_of_newest(past: PastRun, width: int) -> int:
    """Where in the story the newest entry stands: the last line of the last step that was begun."""
    begun = max((step.number for step in past.steps if step.began_at), default=0)
    told = sum(1 for step in past.steps[:begun] for _ in _step(past, step, width, None))
    return len(_head(past, width, None)) + told - 1


def _head(past: PastRun, width: int, zone: tzinfo | None) -> Lines:
    message = wrapped(past.message, width, BOLD) if past.message else ()
    return (*_facts(past, width, zone), *message, *_problems(past, width), line(""))


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


def _problems(past: PastRun, width: int) -> Iterator[Content]:
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
        yield from wrapped(f"? {one.node}> {_first(one.sent)}: {words}", width, f"{BOLD} {NOTE if live else BAD}")


def _next(past: PastRun, width: int) -> Iterator[Content]:
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
        if entry.kind in TOLD and entry.data.get("step") == step.number:
            yield from _told(entry, width, zone)
    for way in _ways(past, step):
        yield from wrapped(way, width, indent=" " * 7, first="     → ")


def _ways(past: PastRun, step: PastStep) -> tuple[str, ...]:
    """What could be done when the run ended at this step."""
    ends = [entry for entry in past.entries if entry.kind == "step" and entry.data.get("step") == step.number]
    return tuple(str(one) for one in (ends[-1].data.get("ways") or ())) if ends else ()


_GOOD = frozenset({StepStatus.DONE, StepStatus.SKIPPED, StepStatus.WAITING})


def _told(entry: Entry, width: int, zone: tzinfo | None) -> Lines:
    style = BOLD if entry.kind == "intent" else BAD if entry.kind == "refused" else ""
    lead = f"     {both_times(entry.at, zone)} {entry.kind:<10} "
    return wrapped(_first(_words(entry)), width, style, indent=" " * len(lead), first=lead)


def _words(entry: Entry) -> str:
    """What the entry says, without the number of the step that it stands under."""
    return entry_text(entry).removeprefix(f"step {entry.data.get('step')}: ").rstrip(": ")


def _first(text: str) -> str:
    """The first line of a script; the whole of it is in the list of entries."""
    first, *rest = text.splitlines() or [""]
    return f"{first} … and {counted(len(rest), 'line')} more" if rest else first


# --- its entries --------------------------------------------------------------------------------------------------


def entry_line(entry: Entry, width: int, zone: tzinfo | None = None) -> Content:
    """One entry in one line."""
    cells = line((f"{entry.seq:>4} ", DIM), both_times(entry.at, zone), (f" {entry.kind:<9} ", BOLD))
    return fitted(line(cells, _first(entry_text(entry))), width)


def entry_detail(entry: Entry, width: int, zone: tzinfo | None = None) -> Lines:
    """Everything that stands in it, as it was written."""
    written = json.dumps(entry.data, indent=1, ensure_ascii=False).splitlines()
    return (
        line((f"entry {entry.seq}  {entry.kind}", BOLD)),
        *wrapped(whole_time(entry.at, zone), width),
        *wrapped(f"hash {entry.hash}", width, DIM, indent="  ", first=""),
        *wrapped(f"after {entry.previous}", width, DIM, indent="  ", first=""),
        line(""),
        *(row for one in written for row in wrapped(one, width, indent=_indent(one))),
    )


def _indent(text: str) -> str:
    return " " * (len(text) - len(text.lstrip()))


def chain(check: ChainCheck, path: str, width: int) -> Lines:
    """Whether each entry fits the one before, and where it stops."""
    if not check.sound:
        return (
            line((f"✗ The journal is broken at line {check.broken_line}", f"{BOLD} {BAD}")),
            *wrapped(f"{check.reason}.", width),
            *wrapped(
                f"{counted(check.entries, 'entry', 'entries')} before it are sound; nothing after them counts.", width
            ),
            *wrapped(path, width, DIM),
        )
    end = "It is closed." if check.closed else "It is not closed: it is under way, or died, or its end was cut off."
    return (
        line((f"✓ {counted(check.entries, 'entry', 'entries')}, each fits the one before", f"{BOLD} {GOOD}")),
        *wrapped(end, width, "" if check.closed else WARN),
        *wrapped(path, width, DIM),
    )


def resuming(past: PastRun, width: int) -> Lines:
    """What the journal says before a run is gone on with, and what going on means: read before the key is pressed."""
    assessment = {
        StepStatus.DONE: "done, by the journal: it is looked at again",
        StepStatus.SKIPPED: "skipped, by the journal",
        StepStatus.WAITING: "open",
        StepStatus.UNKNOWN: "UNKNOWN: a command was sent, or may have been, and no answer is recorded",
    }
    rows = (
        row
        for step in past.steps
        for row in wrapped(
            assessment.get(step.status, f"open again: it stood at {step.status.value}"),
            width,
            WARN if step.status is StepStatus.UNKNOWN else "",
            indent=" " * 27,
            first=f"{STEP[step.status][0]} {step.number:>2} {_cut(step.id, 20):<20}  ",
        )
    )
    return (
        line((past.title, BOLD), f"  on {past.cluster}"),
        *wrapped(f"Begun {whole_time(past.opened_at)} by {past.operator or '?'}.", width, DIM),
        *_problems(past, width),
        line(""),
        line(("What the journal says", f"{BOLD} {NOTE}")),
        *rows,
        line(""),
        line(("What resuming means", f"{BOLD} {NOTE}")),
        *wrapped("All nodes are looked at first. What is believed of each step is shown, with why.", width),
        *wrapped("A command whose answer was lost is never sent again by itself: looking decides, or you do.", width),
        *wrapped("Each step that changes something asks you, as in a new run. The same journal goes on.", width),
        *wrapped(f"Roles are kept: {', '.join(f'{role} = {node}' for role, node in past.roles.items())}.", width),
    )
