"""Grades as pages: what is printed at the end, the report, and the list of earlier drills."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from textwrap import fill

from console.core.drills.grade import Grade, best
from console.core.quantities import counted
from console.core.visible import json_text
from console.drill.records import Begun
from console.report.formats import Form
from console.report.render import Block, Facts, Heading, Items, Paragraph, Table, html, markdown

_MOST_SHOWN = 5
_WIDTH = 80
"""Columns of the smallest terminal."""


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
    yield "key presses", "not known" if one.console_ended and not one.keys else f"{one.keys:,}"
    yield "wrong turns", f"{len(one.wrong_turns):,}"
    yield "commands sent", f"{one.commands:,}"
    if one.by_hand:
        yield "changed by hand", counted(one.by_hand, "time")
    if one.entered_at:
        yield "entered, by hand or not", ", ".join(map(seconds, one.entered_at[:_MOST_SHOWN]))


def table_text(one: Grade, earlier: Grade | None) -> str:
    """The grade for a terminal of 80 columns, beside the best earlier drill."""
    lines = [fill(f"DRILL {one.drill}: {one.happened}", _WIDTH, subsequent_indent="  "), ""]
    theirs = dict(rows(earlier)) if earlier else {}
    lines += [f"  {'':30}{'this drill':20}best earlier"] if earlier else []
    lines += [f"  {name:30}{value:20}{theirs.get(name, '')}".rstrip() for name, value in rows(one)]
    lines += [f"  best earlier: {_named(earlier)}"] if earlier else []
    for title, told in _told(one):
        if told:
            lines += ["", f"  {title}:", *(_item(text) for text in told)]
    lines += ["", fill(f"  {one.console_ended}", _WIDTH, subsequent_indent="    ")] if one.console_ended else []
    lines += ["", fill(f"  runs: {', '.join(one.runs) or 'none'}", _WIDTH, subsequent_indent="    ")]
    return "\n".join([*lines, "", fill(f"  {_verdict(one)}", _WIDTH, subsequent_indent="    ")])


def _told(one: Grade) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What is told line by line: its title, and the lines."""
    return (
        ("wrong turns", one.wrong_turns),
        ("lost writes", one.lost_keys),
        ("still found at the end", one.left),
        ("next time", one.next_time),
    )


def _item(text: str) -> str:
    return fill(f"    {text}", _WIDTH, subsequent_indent="      ")


def _named(earlier: Grade) -> str:
    return f"{earlier.drill}, {earlier.scenario}{'' if earlier.passed else ', not passed'}"


def _verdict(one: Grade) -> str:
    if not one.passed:
        return "not passed: " + _why_not(one)
    return f"protected again{_by(one)}, and nothing lost{_unclear(one)}"


def _by(one: Grade) -> str:
    if one.by_hand:
        return ", partly by hand" if one.commands else " by hand"
    return "" if one.commands or one.entered_at else " by itself"


def _unclear(one: Grade) -> str:
    """Who entered a shell may have repaired it there: nothing has looked over that shoulder."""
    if not one.entered_at or one.by_hand:
        return ""
    return f"; entered at {seconds(one.entered_at[0])}: whether by hand is not known"


def _why_not(one: Grade) -> str:
    reasons = [] if one.protected is not None else ["the cluster would not survive the next failure"]
    if one.clients.lost is None:
        reasons.append("no master answers where clients look for it")
    elif one.clients.lost:
        reasons.append(f"{counted(one.clients.lost, 'acknowledged write')} lost")
    if one.undone:
        reasons.append(f"nobody has done what was asked: {one.undone}")
    return "; ".join(reasons)


def _result(one: Grade) -> str:
    """In one word or two, for the list."""
    return "not passed" if not one.passed else "by hand" if one.by_hand else "passed"


def list_text(drills: list[Grade], form: str, ungraded: Sequence[Begun] = ()) -> str:
    """All drills, a line each, for a terminal of 80 columns. JSON has every figure."""
    if form == "json":
        return json_text({"version": 1, "drills": [{**dataclasses.asdict(one), "passed": one.passed} for one in drills],
                          "without_grade": [_plain(one) for one in ungraded]}, 2)  # fmt: skip
    if not drills and not ungraded:
        return "no drill is recorded on this machine: `drill run CLUSTER` begins one"
    return "\n".join([*_graded_lines(drills), *_ungraded_lines(ungraded)]).strip("\n")


def _graded_lines(drills: list[Grade]) -> list[str]:
    if not drills:
        return []
    leading = {id(_leading(drills, one)) for one in drills}
    clusters = dict.fromkeys(map(_cluster, drills))
    body = [
        (
            "*" if one.passed and id(one) in leading else "",
            *(_short(one), one.scenario, _result(one)),
            *map(seconds, (one.notice, one.right_action, one.protected)),
            "?" if one.clients.lost is None else f"{one.clients.lost:,}",
        )
        for one in drills
    ]
    head = ("", "DRILL", "SCENARIO", "RESULT", "NOTICED", "ACTION", "SAFE", "LOST")
    widths = [max(len(row[column]) for row in (head, *body)) for column in range(len(head))]
    lines = [f"{row[0]:1} " + "  ".join(f"{cell:{width}}" for cell, width in list(zip(row, widths, strict=True))[1:])
             for row in (head, *body)]  # fmt: skip
    told = lines[:1]
    for cluster in clusters:
        mine = (line for line, one in zip(lines[1:], drills, strict=True) if _cluster(one) == cluster)
        told += [fill(f"CLUSTER {cluster}", _WIDTH, subsequent_indent="  "), *mine]
    return [*(one.rstrip() for one in told), "",
            "* the best of its cluster and scenario; SAFE: protected again, after the fault"]  # fmt: skip


def _short(one: Grade) -> str:
    """Its name and its day. Names of older drills have the day, and the cluster that stands above them."""
    day = datetime.fromtimestamp(one.began_at, UTC)
    return f"{one.drill} {day:%m-%d}" if one.drill.startswith("drill-") else one.drill.removesuffix(f"-{one.cluster}")


def _plain(one: Begun) -> dict[str, object]:
    return {"drill": one.drill, "cluster": one.cluster, "began_at": one.began_at, "runs": one.runs_still}


def _ungraded_lines(ungraded: Sequence[Begun]) -> Iterator[str]:
    if ungraded:
        yield "\nWithout a grade:"
    for one in ungraded:
        why = "it runs now" if one.runs_still else "ended without a grade (its console was closed)"
        day = datetime.fromtimestamp(one.began_at, UTC)
        yield fill(f"  {one.drill} {day:%m-%d %H:%M} {one.cluster}: {why}", _WIDTH, subsequent_indent="    ")


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
    yield Paragraph(f"Cluster {_cluster(one)}. {datetime.fromtimestamp(one.began_at, UTC):%Y-%m-%d %H:%M} UTC.")
    verdict = _verdict(one)
    yield Paragraph(f"{one.happened}. {verdict[:1].upper()}{verdict[1:]}.", warning=not one.passed)
    if one.console_ended:
        yield Paragraph(f"{one.console_ended}.", warning=True)
    if earlier is None:
        yield Facts(tuple(rows(one)))
    else:
        theirs = dict(rows(earlier))
        head = ("", "this drill", f"best earlier ({_named(earlier)})")
        yield Table(head, tuple((name, value, theirs.get(name, "")) for name, value in rows(one)))
    for title, told in _told(one):
        if told:
            yield Heading(title.capitalize())
            yield Items(told)
    yield Heading("Runs")
    yield Items(one.runs or ("none",))
    yield Heading("What differs from production")
    # Commands in backticks would stand there with backslashes: what is a mark in Markdown is made plain.
    yield Items(tuple(text.replace("`", "'") for text in one.differences) or ("nothing is known",))
