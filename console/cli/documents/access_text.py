"""`inventory check --connect` as text and as JSON. The JSON is a public interface: keys may be added, never renamed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from console.cli.status.as_json import timestamp
from console.core.access.step import Outcome, Step, Subject
from console.core.inventory import UnusableCluster
from console.core.quantities import counted
from console.core.visible import json_text, visible

VERSION = 1
WIDTH = 80
_SIGNS = {Outcome.WORKS: "✓", Outcome.NOTE: "!", Outcome.FAILS: "✗", Outcome.NOT_TRIED: "…"}
_PLAIN_SIGNS = {Outcome.WORKS: "+", Outcome.NOTE: "!", Outcome.FAILS: "x", Outcome.NOT_TRIED: "-"}
"""For a terminal that cannot show the others."""
_COLOURS = {Outcome.WORKS: "32", Outcome.NOTE: "33;1", Outcome.FAILS: "31;1", Outcome.NOT_TRIED: "35"}
_STEP = 15
"""Columns of the name of a step: the longest is `keepalived.conf`."""
_SEEN = 4 + _STEP + 2
"""Where what was seen begins."""
_CHANGE = "change: "


@dataclass(frozen=True, slots=True)
class Tried:
    """A cluster, and what was tried in it."""

    name: str
    kind: str
    subjects: tuple[Subject, ...]

    def having(self, outcome: Outcome) -> int:
        """How many steps went like this."""
        return sum(step.outcome is outcome for one in self.subjects for step in one.steps)


def as_text(
    tried: Sequence[Tried], unusable: Sequence[UnusableCluster], *, colour: bool, encoding: str = "utf-8"
) -> str:
    """Every cluster, each with its nodes and watchers."""
    signs = _SIGNS if _can_show(encoding) else _PLAIN_SIGNS
    lines: list[str] = []
    for one in tried:
        lines += _cluster(one, signs, colour=colour)
    for wrong in unusable:
        lines += [f"{wrong.name}: cannot be used, and was not tried", *(f"  {visible(one)}" for one in wrong.problems)]
    return "\n".join([*lines, ""])


def as_json(tried: Sequence[Tried], unusable: Sequence[UnusableCluster], now: float) -> str:
    """The whole document, with a line end."""
    clusters: list[dict[str, Any]] = [
        {"name": one.name, "kind": one.kind, "problems": [], "subjects": [_subject_json(each) for each in one.subjects]}
        for one in tried
    ]
    clusters += [{"name": one.name, "kind": None, "problems": list(one.problems), "subjects": []} for one in unusable]
    return json_text({"version": VERSION, "tried_at": timestamp(now), "clusters": clusters}, 1) + "\n"


def _subject_json(subject: Subject) -> dict[str, Any]:
    steps = [
        {"step": one.name, "outcome": one.outcome.value, "seen": one.seen, "change": one.change or None}
        for one in subject.steps
    ]
    return {"name": subject.name, "kind": subject.kind, "address": subject.address, "steps": steps}


def _can_show(encoding: str) -> bool:
    try:
        "".join(_SIGNS.values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


UNTRIED = "Not part of this check, as it changes a node: to start and stop services."
"""So that nobody takes a name of a service for proved."""


def _cluster(tried: Tried, signs: Mapping[Outcome, str], *, colour: bool) -> Iterator[str]:
    yield f"{tried.name} ({tried.kind})"
    for subject in tried.subjects:
        yield ""
        yield f"{subject.name}  {subject.address}"
        for (outcome, reason), steps in groupby(subject.steps, lambda one: (one.outcome, _reason(one))):
            sign = f"\x1b[{_COLOURS[outcome]}m{signs[outcome]}\x1b[0m" if colour else signs[outcome]
            together = list(steps)
            yield from _not_tried(sign, together) if reason else _each(sign, together)
    yield ""
    yield _sum(tried)
    yield UNTRIED
    yield ""


def _reason(step: Step) -> str:
    """What steps that were not tried have in common."""
    return step.seen if step.outcome is Outcome.NOT_TRIED else ""


def _not_tried(sign: str, steps: Sequence[Step]) -> Iterator[str]:
    names = ", ".join(one.name for one in steps)
    first, *rest = _folded(f"{names}: not tried, {steps[0].seen}", 4)
    yield f"  {sign} {first}"
    yield from rest


def _each(sign: str, steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        first, *rest = _folded(step.seen, _SEEN)
        yield f"  {sign} {step.name:<{_STEP}}  {first}".rstrip()
        yield from rest
        if step.change:
            first, *rest = _folded(f"{_CHANGE}{step.change}", _SEEN, len(_CHANGE))
            yield f"{' ' * _SEEN}{first}"
            yield from rest


def _folded(text: str, indent: int, hang: int = 0) -> list[str]:
    """The text in lines; the first one without its indent. A word that is too long for a line is not broken."""
    lines = textwrap.wrap(
        visible(text),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [lines[0].lstrip(" "), *lines[1:]] if lines else [""]


def _sum(tried: Tried) -> str:
    total = counted(sum(len(one.steps) for one in tried.subjects), "step")
    failed, noted, left = (tried.having(one) for one in (Outcome.FAILS, Outcome.NOTE, Outcome.NOT_TRIED))
    if not failed and not left:
        return f"{tried.name}: {total}, all work" + (f", {noted} to look at" if noted else "")
    return f"{tried.name}: of {total}, {failed} failed, {noted} to look at, {left} not tried"
