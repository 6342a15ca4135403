"""Journals whose lines belong together and whose values do not: every reader of a journal ends without an error."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
from fakes import NOW
from hostile import TOKENS
from past_runs import past, written

from console.core.runs.records.journal import canonical, check_chain, next_entry, parse_entry
from console.engine.steps.attempt import past_attempt
from console.report.document import report_document
from console.report.entry_text import entry_text
from console.report.render import html, markdown
from console.report.sections import blocks
from console.tui.present.runs.journal import entry_detail, entry_line
from console.tui.present.runs.past_run import past_run_lines, title

WHOLE = [json.loads(line) for line in written()]
VALUES: tuple[Any, ...] = (
    *TOKENS, None, [], {}, [None], ["x"], [1], [[]], {"x": None}, {"x": []}, {"x": {}}, "", "x", 0, -1, 1.5, True,
    10**19, 10**30, 1e300,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in parts:
        yield (*path, key)
        yield from places(one, (*path, key))


def odd(chance: random.Random) -> list[str]:
    """The journal of a whole run with one to three other values in it, sealed again."""
    entries = [dict(one) for one in WHOLE]
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(entries))
        data = copy.deepcopy(entries[at]["data"])
        entries[at] = {**entries[at], "data": data}
        found = list(places(data))
        if not found:
            continue
        *path, last = chance.choice(found)
        inside = data
        for key in path:
            inside = inside[key]
        value = copy.deepcopy(chance.choice(VALUES))
        if isinstance(inside, list) and chance.random() < 0.3:
            inside.insert(last, value)
        elif isinstance(inside, dict) and chance.random() < 0.3:
            del inside[last]
        else:
            inside[last] = value
    lines, before = [], None
    for place, one in enumerate(entries):
        before = next_entry(before, one["kind"], one["data"], NOW + place)
        lines.append(before.line)
    return lines


def read_all(lines: list[str]) -> None:
    """What `runs list`, `runs show`, `runs report`, `runs resume` and the screens make of it."""
    run = past(lines)
    for form in (report_document(run.run_id, run.entries, run.chain),):
        json.dumps(form)
        markdown(blocks(form, UTC))
        html("x", blocks(form, UTC))
    for entry in run.entries:
        assert isinstance(entry_text(entry), str)
        entry_line(entry, 80)
        entry_detail(entry, 80)
    past_run_lines(run, 80)
    title(run, NOW, 80)
    assert isinstance(run.why_not, str)
    for step in run.steps:
        past_attempt(step)


def try_journals(times: int) -> None:
    chance = random.Random(12)
    for _ in range(times):
        lines = odd(chance)
        try:
            read_all(lines)
        except Exception as error:
            changed = [line for line, whole in zip(lines, written(), strict=False) if line not in whole]
            raise AssertionError(f"{error!r}: {''.join(changed)[:3_000]}") from error


def test_values_of_another_kind():
    try_journals(8)


@pytest.mark.long
def test_values_of_another_kind_many_times():
    try_journals(100)


def test_what_the_console_writes_is_sound():
    assert check_chain(written()).sound


@pytest.mark.parametrize(
    "line",
    [
        "", "x", "[" * 5_000, '{"seq":' + "9" * 5_000 + "}", '"\\ud800"', "NaN", "\0", "{}",
        canonical({**WHOLE[0], "data": {"steps": "replicate"}}), canonical({**WHOLE[0], "data": {"steps": [["x"]]}}),
        json.dumps({**WHOLE[0], "data": {"x": float("nan")}}), json.dumps({**WHOLE[0], "data": {"x": "\ud800"}}),
    ],
)  # fmt: skip
def test_a_line_that_no_journal_has_breaks_the_chain(line):
    found = check_chain([f"{line}\n"])
    assert not found.sound
    assert found.broken_line == 1
    assert found.reason


def test_a_list_where_a_name_belongs_is_named():
    data = {**WHOLE[0]["data"], "steps": [["replicate"]]}
    with pytest.raises(ValueError, match="an item of steps is not a text"):
        parse_entry(next_entry(None, "opened", data, NOW).line)
