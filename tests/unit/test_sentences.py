"""Every text that the console can say is plain English: capitals, plurals, ends of sentences, no markup."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise, product
from pathlib import Path

import click
import pytest
import sample_races
import sample_sets
import samples
from dying import insist
from walks import WALKS, walk

import console
from console.__main__ import LABORATORY
from console.cli.main import COMMANDS, make_group
from console.core.access.examine import examine
from console.core.conditions.predicate import PredicateSpec
from console.core.kinds.diagnose import all_rules, diagnose
from console.core.kinds.protection import protection
from console.core.model import ConnectStep, Problem, ProblemKind, Reading
from console.core.previews.loss_preview import preview
from console.core.runbooks.document import Condition
from console.core.runbooks.hazards.table import HAZARDS
from console.core.runbooks.interlocks import INTERLOCKS, WITHOUT_INTERLOCKS
from console.core.runbooks.verbs import VERBS
from console.core.runbooks.vocabulary import VOCABULARY, evaluate
from console.core.runs.question import Choice, Decision
from console.documents.inventories.inventory import load_inventory
from console.documents.runbooks.library import load_runbooks
from console.engine.plan import NOT_PROVED
from console.engine.steps.step_view import conditions
from console.tui.keys import KEYS
from console.tui.present.help import WORDS
from console.tui.present.runs.arming import MEANING

PLURALS = (
    "bytes|clients|commands|conditions|connections|directors|entries|findings|instances|interfaces|keys|lines|masters|"
    "nodes|operations|replicas|runs|seconds|Sentinels|servers|steps|writes"
)
SINGULARS = "|".join(one.removesuffix("s") for one in PLURALS.split("|"))
LOWER = {"keepalived", "redis", "systemd", "sudo", "appendonly"}
"""Names of programs and settings: they keep their small letter at the beginning of a sentence."""
FAULTS = {
    "a small letter after a full stop": re.compile(r"(?<=[A-Za-z)”\"'])[.!?] (?=(?P<word>[a-z][\w-]*)(?P<then>\S?))"),
    "one of several": re.compile(rf"(?<![\d.,:/+-])1 (?:{PLURALS})\b"),
    "several of one": re.compile(rf"(?<![\d.,:/-])(?:[2-9]|\d\d+) (?:{SINGULARS})\b(?!-)"),
    "two blanks": re.compile(r"\S  \S"),
    "two full stops": re.compile(r"(?<!\.)\.\.(?!\.)|\. \."),
    "a blank before a mark": re.compile(r"\w [,;](?:\s|$)"),
    "markup": re.compile(r"&(?:lt|gt|amp|quot|#\d+);|\\b"),
    "an unfinished sentence": re.compile(r"(?:(?<![-\w])(?:and|or|the|a|of|that would|because)|[,;(])\s*$"),
}
STATES = {
    **{name: make() for name, make in vars(samples).items() if name.endswith("_pair") or name in WALKS},
    **{name: getattr(samples, name)() for name in ("stale_master_back", "split_brain", "in_sync_unprotected")},
    **{name: getattr(sample_races, name)() for name in ("returning", "promoted", "attached", "told_by_log")},
    **{name: WALKS[name][0]() for name in WALKS},
    "sentinel-vip": sample_sets.sentinel_vip_set(),
    "sentinel-consul": sample_sets.sentinel_consul_set(),
    "one key": samples.with_redis(samples.failed_over_pair(), samples.A, keys={0: 1}),
}
BOOKS = load_runbooks(None).runbooks


def asked_of(kind: str) -> tuple[PredicateSpec, ...]:
    """The predicates that the runbooks of this kind ask. Those of another kind speak of what this one has not."""
    wanted: set[str] = set()
    for book in (one for one in BOOKS if one.kind == kind):
        wanted |= {one.predicate for role in book.roles for one in role.where}
        wanted |= {one.predicate for one in (*book.require, *book.done_if)}
        for step in book.steps:
            wanted |= {one.predicate for one in (*conditions(step), *step.skip_if, *step.verify)}
    return tuple(VOCABULARY[name] for name in sorted(wanted))


ASKED = {kind: asked_of(kind) for kind in {one.kind for one in BOOKS}}


def faults(text: str) -> list[str]:
    found = []
    for name, pattern in FAULTS.items():
        for match in pattern.finditer(text):
            word = match.groupdict().get("word")
            # A name of a node or a command is no word, and has something in it that no word has.
            if word and (word in LOWER or re.search(r"[-_\d]", word) or match["then"] in set(":=/.@")):
                continue
            found.append(f"{name}: …{text[max(0, match.start() - 30) : match.end() + 20]}…")
    return found


def texts_of(value: object) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from texts_of(one)
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts_of(getattr(value, field.name))


def found_in(texts) -> list[str]:
    return sorted({fault for text in texts for fault in faults(text)})


def is_sentence(text: str) -> bool:
    return text.rstrip("”\"')").endswith((".", "?", "!")) and not text.rstrip().endswith("..")


@pytest.mark.parametrize("step", ConnectStep)
def test_steps_to_a_cluster(step):
    """What `inventory check --connect` says, whatever goes wrong at a step."""
    inventory = load_inventory(Path(__file__).parents[2] / "inventory.example.yaml")
    texts: list[str] = []
    kinds = (ProblemKind.REFUSED, ProblemKind.TIMEOUT, ProblemKind.NOT_PERMITTED, ProblemKind.NOT_AVAILABLE)
    for kind, state in product(kinds, (samples.healthy_pair(), sample_sets.sentinel_vip_set())):
        cluster = inventory.cluster("sessions" if state.sentinels else "cache")
        problem = Reading(None, Problem(kind, "no answer", step), samples.NOW)
        for part in ("ssh", "redis", "keepalived_config", "redis_file", "backups", "addresses", "keepalived"):
            broken = samples.with_node(state, state.nodes[0].name, **{part: problem})
            texts += texts_of(examine(cluster, broken, {}))
    assert len(texts) > 500
    assert not found_in(texts)


@pytest.mark.parametrize("name", STATES)
def test_checks_findings_and_previews(name):
    state = STATES[name]
    found: list[str] = [protection(state).reason]
    names = [node.name for node in state.nodes]
    for spec, (first, second) in product(ASKED[state.kind], zip(names, names[1:] + names[:1], strict=True)):
        arguments = {one.name: second if one.is_role else (one.default or "MASTER") for one in spec.arguments}
        roles = {first: first, second: second}
        condition = Condition(spec.name, first if spec.subject else "", arguments)
        check = evaluate(condition, state, roles)
        found += [check.statement, check.evidence, check.advice]
        assert not check.statement.endswith("."), check.statement
    findings = diagnose(state, state.observed_at)
    found += texts_of(findings)
    for one in findings:
        assert is_sentence(one.summary), one.summary
        assert is_sentence(one.why), one.why
        first = one.summary.split()[0].strip(":,")
        assert first[0].isupper() or first in {*names, *LOWER} or re.search(r"[\d-]", first), one.summary
    if state.vip:
        found += texts_of(preview(state, names[0], names[1]))
    assert found_in(found) == []


def test_tables_and_documents():
    found: list[str] = [
        *NOT_PROVED,
        *MEANING,
        *texts_of(WORDS),
        *(key.help for key in KEYS),
        *WITHOUT_INTERLOCKS.values(),
    ]
    found += [*texts_of(tuple(VERBS.values())), *texts_of(HAZARDS)]
    found += [one.reason for rows in INTERLOCKS.values() for one in rows]
    for spec in VOCABULARY.values():
        found += [spec.doc, *(one.doc for one in spec.arguments)]
        assert is_sentence(spec.doc), spec.doc
    for rule in all_rules():
        found += [text for text in texts_of(rule) if text]
    for book in BOOKS:
        found += texts_of(book)
        prose = [book.summary, *(one.description for one in book.roles), *(one.why for one in book.steps)]
        prose += [one.on_failure for one in book.steps if one.on_failure]
        for text in prose:
            assert is_sentence(text), text
            first = text.split()[0].removesuffix("'s")
            assert first[0].isupper() or first in LOWER or "-" in first, text
        for text in (book.title, *(one.title for one in book.steps)):
            assert not is_sentence(text), text
    assert found_in(found) == []


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=" ".join(path) or "redis-ha-console")
    yield " ".join(path), command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, (*path, name))


def test_help_of_every_command():
    seen = dict(commands(make_group((*COMMANDS, *LABORATORY))))
    assert "lab fault" in seen
    for name, text in seen.items():
        assert not re.search(r"\\[a-z]|&\w+;", text), name
        paragraphs = text.split("Options:")[0].split("\n\n")
        assert found_in(" ".join(one.split()) for one in paragraphs) == [], name


@pytest.mark.parametrize("at", [0, 5, 99])
@pytest.mark.parametrize("name", WALKS)
def test_what_a_run_says(name, at, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    room = walk(tmp_path, name)
    ended = room.run(answer=lambda asked: Decision(Choice.ABORT, asked.digest) if asked.index >= at else insist(asked))
    said = [ended.message, *texts_of(ended.ending)]
    for one in room.operator.questions:
        said += [one.reason, *one.evidence, *one.differences, *one.remedies, *texts_of(one.by_hand)]
        said += [planned.summary for planned in one.planned]
    said += [step.note for run in room.operator.told for step in run.steps]
    assert found_in(said) == []
    assert is_sentence(ended.message)
    assert ended.message[0].isupper() or ended.message[0].isdigit()


@pytest.mark.parametrize(
    "text",
    [
        "It fails. then it goes on",
        "1 keys are left",
        "12 key are left",
        "two  blanks",
        "the end..",
        "s &lt; m",
        "no line that would",
    ],
)
def test_a_fault_is_found(text):
    assert faults(text)


COUNTED_ELSEWHERE = {"core/replication/backups.py", "core/replication/history.py", "transport/redis/key_sampler.py"}
"""A form that is parsed again, an offset of a stream, and a number that is always large."""


def uncounted() -> list[str]:
    """Places where a number stands before a plural that is written out: `1 keys` would be said one day."""
    found = []
    for path in sorted((Path(console.__file__).parent).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.JoinedStr):
                continue
            for value, text in pairwise(node.values):
                if not (isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant)):
                    continue
                constant = isinstance(value.value, ast.Name) and value.value.id.isupper()
                noun = re.match(rf" ({PLURALS})(?![\w/])", str(text.value))
                if noun and noun[1] not in ("runs", "writes", "masters") and not constant:
                    found.append(f"{path.relative_to(Path(console.__file__).parent)}:{node.lineno}: {text.value}")
    return found


def test_numbers_before_nouns_are_written_by_one_function():
    assert [one for one in uncounted() if one.partition(":")[0] not in COUNTED_ELSEWHERE] == []
