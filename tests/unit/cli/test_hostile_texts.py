"""Every text of the model with control characters in it, through everything that commands print."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from fakes import CLUSTER, RUNBOOK, A, B, Pair, Stage
from hypothesis import given
from hypothesis import strategies as st
from past_runs import lines_of, past
from spoiled import EVIL, STATES, spoil, text_fields, unprintable

import console.cli
from console.cli.output import say, say_json, say_painted
from console.cli.runs.plan import plan_document, plan_text
from console.cli.status.as_json import ClusterStatus, as_json
from console.cli.status.as_table import as_table
from console.cli.status.metrics.exposition import as_openmetrics
from console.core.diagnosis.finding import Health
from console.core.kinds.diagnose import diagnose
from console.core.visible import LINES, visible
from console.engine.actions.commands import CommandContext
from console.engine.plan import make_plan
from console.report.formats import FORMS, report_text


def test_every_text_of_the_model_is_tried():
    hit: set[tuple[str, str]] = set()
    for make in STATES.values():
        spoil(make(), hit)
    assert len(text_fields()) > 50
    assert not text_fields() - hit, "add a state with it to tests/spoiled.py"


@pytest.mark.parametrize("name", STATES)
def test_status(name, capsys):
    state = spoil(STATES[name](), set())
    seen = [ClusterStatus(state, diagnose(state, state.observed_at), Health.WARNING)]
    plain, painted = as_table(seen, colour=False), as_table(seen, colour=True)
    assert not unprintable(plain)
    say_painted(painted)
    assert "\x1b[33;1m" in painted
    metrics = as_openmetrics(seen)
    assert not unprintable(metrics)
    text = as_json(seen, state.observed_at)
    assert text.isascii()
    assert not unprintable(text)
    json.loads(text)


def test_plan(capsys):
    pair = Pair()
    pair.state = spoil(pair.state, set())
    work = CommandContext(CLUSTER, {"survivor": A, "returning": B}, "RUN-ID", "20261121T034000Z")
    made = make_plan(RUNBOOK, pair.state, work)
    say("\n".join(plan_text(made)))
    say_json(plan_document(made))
    told = capsys.readouterr().out
    assert "\\x1b]0;x" in told
    assert not unprintable(told)


@pytest.mark.parametrize("form", FORMS)
def test_report_and_journal(form, capsys):
    stage = Stage()
    stage.run()
    told = [(kind, spoiled(data)) for kind, data in json.loads(json.dumps(plainly(stage.journal.entries)))]
    run = past(lines_of(told))
    assert run.chain.sound
    text = report_text(run.run_id, run.entries, run.chain, form)
    assert not unprintable(text)


def plainly(entries):
    from console.core.runs.records.journal import plain

    return [(kind, plain(data)) for kind, data in entries]


def spoiled(value):
    if isinstance(value, dict):
        return {key: spoiled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [spoiled(one) for one in value]
    return f"{value}{EVIL}" if isinstance(value, str) else value


@given(st.text(st.characters() | st.sampled_from(EVIL)))
def test_visible(text):
    shown = visible(text)
    assert shown.isprintable()
    assert visible(shown) == shown
    assert not unprintable(visible(text, LINES))
    assert [one for one in visible(text, LINES) if one in LINES] == [one for one in text if one in LINES]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;x\x07", r"\x1b]0;x\x07"), ("\x9b31m", r"\x9b31m"), ("a\u202eb", r"a\u202eb"), ("\u200b", r"\u200b"),
        ("\ufeff", r"\ufeff"), ("\ud800", r"\ud800"), ("\U000e0041", r"\U000e0041"), ("\u0378", r"\u0378"),
        ("\ue000", r"\ue000"),
        ("\ufe0f\u3164", r"\ufe0f\u3164"), ("a\nb", r"a\nb"), ("\xa0\u2028", r"\xa0\u2028"),
        ("größe 中文 ✓ ▁▂▃", "größe 中文 ✓ ▁▂▃"),
    ],
)  # fmt: skip
def test_what_is_shown(text, shown):
    assert visible(text) == shown


def test_a_terminal_of_another_encoding(monkeypatch, capsysbinary):
    import io
    import sys

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    say("✓ größe")
    sys.stdout.flush()
    assert raw.getvalue() == b"\\u2713 gr\xf6\xdfe\n"


def test_commands_print_by_one_function_only():
    folder = Path(console.cli.__file__).parent
    found = [
        f"{path.name}:{node.lineno}"
        for path in folder.rglob("*.py")
        if path.name != "output.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"print", "click.echo", "click.secho", "input", "sys.stdout.write"}
    ]
    assert not found
