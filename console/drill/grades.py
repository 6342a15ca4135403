"""Grades as pages and files: what is printed at the end, the report, and the list of earlier drills."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from console.core.drills.grade import Grade
from console.core.quantities import counted
from console.core.visible import json_text
from console.report.file import write_report
from console.report.formats import Form
from console.report.render import Block, Facts, Heading, Items, Paragraph, Table, html, markdown

NAME = "grade.json"


def drills_folder() -> Path:
    """Where drills are recorded, a folder each."""
    import platformdirs

    from console.cli.context import APP

    return platformdirs.user_state_path(APP) / "drills"


def save(folder: Path, made: Grade) -> None:
    """Writes the grade into the drill's folder. Raises OSError."""
    write_report(folder / NAME, json_text(dataclasses.asdict(made), 2) + "\n", replace=True)


def load(folder: Path) -> Grade | None:
    """The grade of one drill; None: it has none that can be read."""
    try:
        return TypeAdapter(Grade).validate_python(json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None


def load_all() -> list[Grade]:
    """Every graded drill on this machine, the oldest first."""
    found = (load(place.parent) for place in sorted(drills_folder().glob(f"*/{NAME}")))
    return [one for one in found if one is not None]


def seconds(value: float | None) -> str:
    """`12 s`, or `never`."""
    return "never" if value is None else f"{value:.0f} s"


def rows(one: Grade) -> Iterator[tuple[str, str]]:
    """What is graded, and the grade's words for it."""
    clients = one.clients
    yield "noticed (first key)", seconds(one.notice)
    yield "first right action", seconds(one.right_action)
    yield "protected again", seconds(one.protected)
    yield (
        "acknowledged writes lost",
        "not known" if clients.lost is None else f"{clients.lost:,} of {clients.acknowledged:,}",
    )
    yield "writes refused", f"{clients.refused:,}"
    yield "longest time without a write", seconds(clients.longest_gap)
    yield "key presses", f"{one.keys:,}"
    yield "wrong turns", f"{len(one.wrong_turns):,}"
    yield "commands sent", f"{one.commands:,}"


def table_text(one: Grade, earlier: Grade | None) -> str:
    """The grade for a terminal, beside the best earlier drill."""
    lines = [f"DRILL {one.drill}: {one.happened}", ""]
    theirs = dict(rows(earlier)) if earlier else {}
    if earlier:
        lines.append(f"  {'':30}{'this drill':18}best earlier ({earlier.drill})")
    lines += [f"  {name:30}{value:18}{theirs.get(name, '')}".rstrip() for name, value in rows(one)]
    if one.wrong_turns:
        lines += ["", "  wrong turns:", *(f"    {turn}" for turn in one.wrong_turns)]
    lines += ["", f"  runs: {', '.join(one.runs) or 'none'}"]
    verdict = "protected again, and nothing lost" if one.passed else "not passed: " + _why_not(one)
    return "\n".join([*lines, "", f"  {verdict}"])


def _why_not(one: Grade) -> str:
    reasons = [] if one.protected is not None else ["the cluster would not survive the next failure"]
    if one.clients.lost is None:
        reasons.append("nobody answered at the virtual IP at the end")
    elif one.clients.lost:
        reasons.append(f"{counted(one.clients.lost, 'acknowledged write')} lost")
    return "; ".join(reasons)


def list_text(drills: list[Grade], form: str) -> str:
    """All drills, a line each."""
    if form == "json":
        return json_text({"version": 1, "drills": [dataclasses.asdict(one) for one in drills]}, 2)
    if not drills:
        return "no drill is recorded on this machine: `drill run CLUSTER` begins one"
    head = ("DRILL", "CLUSTER", "SCENARIO", "NOTICED", "ACTION", "PROTECTED", "LOST", "REFUSED", "KEYS", "WRONG")
    body = [
        (one.drill, one.cluster, one.scenario, seconds(one.notice), seconds(one.right_action), seconds(one.protected),
         "?" if one.clients.lost is None else str(one.clients.lost), str(one.clients.refused), str(one.keys),
         str(len(one.wrong_turns)))
        for one in drills
    ]  # fmt: skip
    widths = [max(len(row[column]) for row in (head, *body)) for column in range(len(head))]
    return "\n".join("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
                     for row in (head, *body))  # fmt: skip


def report_text(one: Grade, earlier: Grade | None, form: Form) -> str:
    """The report of one drill."""
    if form == "json":
        best = dataclasses.asdict(earlier) if earlier else None
        return json_text({"version": 1, "drill": dataclasses.asdict(one), "best_earlier": best}, 2) + "\n"
    blocks = list(_blocks(one, earlier))
    return html(f"Drill {one.drill}", blocks) if form == "html" else markdown(blocks)


def _blocks(one: Grade, earlier: Grade | None) -> Iterator[Block]:
    yield Heading(f"Drill {one.drill}", 1)
    verdict = "Protected again, and nothing lost" if one.passed else f"Not passed: {_why_not(one)}"
    yield Paragraph(f"{one.happened}. {verdict}.", warning=not one.passed)
    if earlier is None:
        yield Facts(tuple(rows(one)))
    else:
        theirs = dict(rows(earlier))
        head = ("", "this drill", f"best earlier ({earlier.drill})")
        yield Table(head, tuple((name, value, theirs[name]) for name, value in rows(one)))
    if one.wrong_turns:
        yield Heading("Wrong turns")
        yield Items(one.wrong_turns)
    yield Heading("Runs")
    yield Items(one.runs or ("none",))
    yield Heading("What differs from production")
    yield Items(one.differences or ("nothing is known",))
