"""The result of `drill check` as a table or JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from textwrap import fill

from console.core.drills.walks import PASSED, Walk, all_found, all_passed
from console.core.visible import json_text

_WIDTH = 100


def check_text(walks: Sequence[Walk], differences: Sequence[str], form: str, guesses: Sequence[str] = ()) -> str:
    """All walks, what was found, and what differs from production. `guesses`: nodes of which nothing is known."""
    if form == "json":
        listed = [{**dataclasses.asdict(one), "outcome": one.outcome.value, "why": one.why} for one in walks]
        found = [dataclasses.asdict(one) for one in all_found(walks)]
        return json_text({"version": 1, "passed": all_passed(walks) and not guesses, "walks": listed, "findings": found,
                          "differences": list(differences), "guesses": list(guesses)}, 2)  # fmt: skip
    lines = [*_table(walks), "", "Found, by code:"]
    for one in all_found(walks):
        lines.append(
            fill(f"  {one.code} ({one.severity}, {one.when}): {one.summary}", _WIDTH, subsequent_indent="      ")
        )
        if one.evidence:
            lines.append(fill(f"      {one.evidence}", _WIDTH, subsequent_indent="      "))
    lines += ["", "What differs from production:"]
    lines += [fill(f"  - {one}", _WIDTH, subsequent_indent="    ") for one in differences]
    passed = sum(one.outcome in PASSED for one in walks)
    lines += ["", f"{passed} of {len(walks)} walks ended protected with nothing lost"]
    lines += [fill(f"NOT PASSED: {one}", _WIDTH, subsequent_indent="    ") for one in guesses]
    return "\n".join(lines)


def _table(walks: Sequence[Walk]) -> list[str]:
    rows = [("SCENARIO", "WALK", "OUTCOME", "TIME", "NO WRITE", "LOST", "RUNBOOKS")]
    for one in walks:
        books = ", ".join(f"{each.runbook} ({each.ended or 'not begun'})" for each in one.runbooks)
        lost = "?" if one.lost is None else f"{one.lost:,}"
        times = f"{one.seconds:.0f} s", f"{one.longest_gap:.0f} s"
        rows.append((one.scenario, str(one.number), one.outcome.value, *times, lost, books or "none"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    made = lines[:1]
    for line, one in zip(lines[1:], walks, strict=True):
        made.append(line)
        if one.why:
            made.append(fill(f"    {one.why}", _WIDTH, subsequent_indent="    "))
        made += [f"    {each.runbook}: typed: {each.overridden}" for each in one.runbooks if each.overridden]
        made += [f"    {done}" for done in one.by_hand]
        if one.disturbed:
            made.append(f"    meanwhile: {one.disturbed}")
    return made
