"""Grades as pages and files: what is printed at the end, the report, and the list of earlier drills."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from textwrap import fill

from pydantic import TypeAdapter, ValidationError

from console.core.drills.grade import Grade, best
from console.core.quantities import counted
from console.core.visible import json_text
from console.report.file import write_report
from console.report.formats import Form
from console.report.render import Block, Facts, Heading, Items, Paragraph, Table, html, markdown

NAME = "grade.json"
_WIDTH = 80
"""Columns of the smallest terminal."""


def drills_folder() -> Path:
    """Where drills are recorded, a folder each."""
    import platformdirs

    from console.cli.context import APP

    return platformdirs.user_state_path(APP) / "drills"


def new_folder(parent: Path, cluster: str) -> Path:
    """A folder of its own for a drill or a check of this cluster, named after now."""
    name = f"{datetime.now(tz=UTC):%Y%m%dT%H%M%SZ}-{cluster}"
    for number in count(1):
        place = parent / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            place.mkdir(parents=True, mode=0o700)
            return place
    raise AssertionError


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
    if one.by_hand:
        yield "entered, to work by hand", counted(one.by_hand, "time")


def table_text(one: Grade, earlier: Grade | None) -> str:
    """The grade for a terminal of 80 columns, beside the best earlier drill."""
    lines = [fill(f"DRILL {one.drill}: {one.happened}", _WIDTH, subsequent_indent="  "), ""]
    theirs = dict(rows(earlier)) if earlier else {}
    lines += [f"  {'':30}{'this drill':20}best earlier"] if earlier else []
    lines += [f"  {name:30}{value:20}{theirs.get(name, '')}".rstrip() for name, value in rows(one)]
    lines += [f"  best earlier: {_named(earlier)}"] if earlier else []
    for title, told in (("wrong turns", one.wrong_turns), ("still found at the end", one.left)):
        if told:
            lines += ["", f"  {title}:", *(_item(text) for text in told)]
    lines += ["", fill(f"  runs: {', '.join(one.runs) or 'none'}", _WIDTH, subsequent_indent="    ")]
    return "\n".join([*lines, "", fill(f"  {_verdict(one)}", _WIDTH, subsequent_indent="    ")])


def _item(text: str) -> str:
    return fill(f"    {text}", _WIDTH, subsequent_indent="      ")


def _named(earlier: Grade) -> str:
    return f"{earlier.drill}, {earlier.scenario}{'' if earlier.passed else ', not passed'}"


def _verdict(one: Grade) -> str:
    if not one.passed:
        return "not passed: " + _why_not(one)
    by = " by hand" if one.by_hand else "" if one.commands else " by itself"
    return f"protected again{by if not (one.commands and one.by_hand) else ', partly by hand'}, and nothing lost"


def _why_not(one: Grade) -> str:
    reasons = [] if one.protected is not None else ["the cluster would not survive the next failure"]
    if one.clients.lost is None:
        reasons.append("no master answers where clients look for it")
    elif one.clients.lost:
        reasons.append(f"{counted(one.clients.lost, 'acknowledged write')} lost")
    if one.undone:
        reasons.append(f"nobody has done what was asked: {one.undone}")
    return "; ".join(reasons)


def list_text(drills: list[Grade], form: str) -> str:
    """All drills, a line each, for a terminal of 80 columns. JSON has every figure."""
    if form == "json":
        return json_text({"version": 1, "drills": [dataclasses.asdict(one) for one in drills]}, 2)
    if not drills:
        return "no drill is recorded on this machine: `drill run CLUSTER` begins one"
    leading = {id(_leading(drills, one)) for one in drills}
    clusters = dict.fromkeys(map(_cluster, drills))
    body = [
        ("*" if one.passed and id(one) in leading else "", one.drill, one.scenario, seconds(one.notice),
         seconds(one.right_action), seconds(one.protected), "?" if one.clients.lost is None else str(one.clients.lost))
        for one in drills
    ]  # fmt: skip
    head = ("", "DRILL", "SCENARIO", "NOTICED", "ACTION", "PROTECTED", "LOST")
    widths = [max(len(row[column]) for row in (head, *body)) for column in range(len(head))]
    lines = [f"{row[0]:1} " + "  ".join(f"{cell:{width}}" for cell, width in list(zip(row, widths, strict=True))[1:])
             for row in (head, *body)]  # fmt: skip
    told = lines[:1]
    for cluster in clusters:
        mine = (line for line, one in zip(lines[1:], drills, strict=True) if _cluster(one) == cluster)
        told += [fill(f"CLUSTER {cluster}", _WIDTH, subsequent_indent="  "), *mine]
    return "\n".join([*(one.rstrip() for one in told), "", "* the best of its cluster and scenario"])


def _cluster(one: Grade) -> str:
    """What its drills are compared by, in words: clusters of one name are told apart."""
    return f"{one.cluster} ({', '.join(filter(None, (one.kind, one.identity)))})" if one.kind else one.cluster


def _leading(drills: list[Grade], one: Grade) -> Grade | None:
    """The best drill of its cluster and scenario."""
    return best([each for each in drills if each.scenario == one.scenario], one)


def report_text(one: Grade, earlier: Grade | None, form: Form) -> str:
    """The report of one drill."""
    if form == "json":
        best = dataclasses.asdict(earlier) if earlier else None
        return json_text({"version": 1, "drill": dataclasses.asdict(one), "best_earlier": best}, 2) + "\n"
    blocks = list(_blocks(one, earlier))
    return html(f"Drill {one.drill}", blocks) if form == "html" else markdown(blocks)


def _blocks(one: Grade, earlier: Grade | None) -> Iterator[Block]:
    yield Heading(f"Drill {one.drill}", 1)
    yield Paragraph(f"Cluster {_cluster(one)}.")
    verdict = _verdict(one)
    yield Paragraph(f"{one.happened}. {verdict[:1].upper()}{verdict[1:]}.", warning=not one.passed)
    if earlier is None:
        yield Facts(tuple(rows(one)))
    else:
        theirs = dict(rows(earlier))
        head = ("", "this drill", f"best earlier ({_named(earlier)})")
        yield Table(head, tuple((name, value, theirs.get(name, "")) for name, value in rows(one)))
    if one.wrong_turns:
        yield Heading("Wrong turns")
        yield Items(one.wrong_turns)
    if one.left:
        yield Heading("Still found at the end")
        yield Items(one.left)
    yield Heading("Runs")
    yield Items(one.runs or ("none",))
    yield Heading("What differs from production")
    yield Items(one.differences or ("nothing is known",))
