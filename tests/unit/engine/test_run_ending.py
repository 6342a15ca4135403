"""The end of a run and its report say the same, and all of it: what was skipped, remains, was lost, and lies where."""

from __future__ import annotations

import html as html_text
import json
import os
import re
from dataclasses import replace

import pytest
import sample_sets as sets
import samples
from dying import insist
from fakes import MemoryJournal
from hypothesis import given, settings
from hypothesis import strategies as st
from walks import WALKS, walk

from console.cli.runs.plain.operator import PlainOperator
from console.core.command import OR_NEXT_FREE, DiskKeyExport
from console.core.runs.ending import BACKUPS, DATA, NEEDLESS, REMAINS, SKIPPED, _fates, _only_in_files, run_ending
from console.core.runs.progress import success_in_words, tally
from console.core.runs.question import Choice, Decision
from console.core.runs.records.exports import exports_in
from console.core.runs.records.journal import ChainCheck, Entry, next_entry, parse_entry, plain
from console.core.runs.state import Outcome, StepStatus
from console.core.runs.state_summary import state_summary
from console.report.document import report_document
from console.report.formats import report_text
from console.report.render import markdown
from console.report.sections import blocks
from console.transport.redis.key_export import Tally
from console.tui.present.runs.ending import ending

NONE_LEFT = "each is on redis-a, with the same value and time to live"


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)


def given_up_at(index):
    return lambda question: Decision(Choice.ABORT, question.digest) if question.index >= index else insist(question)


def flat(text):
    """Without line ends, and without the signs that only a form adds."""
    return re.sub(r"[\s\\`|]+", "", text)


def surfaces(room, ended, capsys):
    """The end on every surface, without line ends."""
    past = room.past()
    capsys.readouterr()
    PlainOperator(room.clock.now).print_end(ended)
    found = {"plain": capsys.readouterr().out, "screen": "\n".join(one.plain for one in ending(ended, 100))}
    reports = {form: report_text(past.run_id, past.entries, past.chain, form) for form in ("md", "html", "json")}
    assert json.loads(reports["json"])["ending"] == plain(ended.ending)
    found["md"] = html_text.unescape(reports["md"])
    found["html"] = html_text.unescape(re.sub(r"<[^>]+>", "", reports["html"]))
    return {name: flat(text) for name, text in found.items()}


def section(run, heading):
    return next((one.items for one in run.ending if one.heading == heading), ())


def texts(items):
    return "\n".join("\n".join((one.text, *one.lines, *one.commands)) for one in items)


@pytest.mark.parametrize("at", [0, 4, 9, 99])
@pytest.mark.parametrize("name", WALKS)
def test_every_surface_says_all_of_it(name, at, tmp_path, capsys):
    room = walk(tmp_path, name)
    ended = room.run(answer=given_up_at(at))
    said = surfaces(room, ended, capsys)
    for part in ended.ending:
        for item in part.items:
            for text in (item.text, *item.lines, *item.commands):
                for surface, told in said.items():
                    wanted = json.dumps(text, ensure_ascii=False)[1:-1] if surface == "json" else text
                    assert flat(wanted) in told, (surface, text)


@pytest.mark.parametrize("at", [0, 4, 9, 99])
@pytest.mark.parametrize("name", WALKS)
def test_nothing_that_a_run_left_is_left_out(name, at, tmp_path):
    room = walk(tmp_path, name)
    ended = room.run(answer=given_up_at(at))
    skipped, needless, remains, data, backups = (
        texts(section(ended, one)) for one in (SKIPPED, NEEDLESS, REMAINS, DATA, BACKUPS)
    )
    for number, one in enumerate(ended.steps, start=1):
        here = f"{number} {one.step.id}"
        passed_over, by_operator = one.status is StepStatus.SKIPPED, one.note == "skipped by the operator"
        assert (f"{here}: " in skipped) is (passed_over and by_operator)
        assert (f"{here}: " in needless) is (passed_over and not by_operator)
        open_ = one.status not in (StepStatus.DONE, StepStatus.SKIPPED)
        assert (here in remains) is (open_ and ended.outcome is not Outcome.DONE), remains
    for question in room.operator.questions:
        shown = question.preview.lines if question.preview else ()
        for line in shown:
            assert line in data or f"{question.preview.resync} resync" in line, "what was named at the gate"
    sent = [planned for planned, _ in room.actuator.sent]
    for planned in sent:
        if ".jsonl" in planned.render() and not isinstance(planned.command, DiskKeyExport):
            path = planned.render().removesuffix(OR_NEXT_FREE).rpartition(" ")[2]
            needs_none = "No key had to be kept." in data
            assert (path in data) is not needs_none
            assert (path in backups) is not needs_none
            assert f"runs replay {ended.run_id}" in backups
            assert "redis-cli" not in backups
    assert ("restore-backup" in backups) is any("copy_of=" in one.render() for one in sent)


def test_a_key_that_was_named_at_the_gate_stands_in_the_report(tmp_path):
    """The looks before and after the question have a preview that was not measured: it names no key."""
    room = walk(tmp_path, "one-shot-rebuild")
    ended = room.run()
    entries = list(room.past().entries)
    (measured,) = [one for one in entries if one.kind == "preview"]
    named = {**measured.data["preview"], "lines": ["1 key is not on redis-a and would be lost: precious"]}
    changed = [
        next_entry(None, one.kind, {**one.data, "preview": named}, samples.NOW) if one is measured else one
        for one in entries
    ]
    assert "precious" in texts(next(one for one in run_ending(ended.run_id, changed) if one.heading == DATA).items)


@given(cut=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_however_little_a_journal_has_it_has_an_end(whole_journal, cut):
    entries = [parse_entry(line) for line in whole_journal]
    kept = entries[: int(len(entries) * cut)]
    made = run_ending("a-run", kept)
    if not any(one.kind == "closed" for one in kept):
        assert "runs resume a-run" in texts(item for one in made for item in one.items)


@pytest.fixture(scope="module")
def whole_journal(tmp_path_factory):
    room = walk(tmp_path_factory.mktemp("whole"), "resolve-dual-master")
    room.run()
    return room.journal.read_text(encoding="utf-8").splitlines(keepends=True)


@pytest.mark.parametrize("state", [sets.sentinel_vip_set(), sets.sentinel_consul_set()], ids=lambda one: one.kind)
def test_a_set_under_sentinels_has_their_rows_and_none_of_keepalived(state):
    journal = MemoryJournal()
    journal.append("observed", {"observed_at": state.observed_at, "figures": state_summary(state)})
    entries = [next_entry(None, kind, data, state.observed_at) for kind, data in journal.entries]
    told = markdown(blocks(report_document("a-run", entries, ChainCheck(1))))
    assert "keepalived" not in told[: told.index("## Commands")]
    for one in state.sentinels:
        assert f"| {one.name}: master |" in told
    assert ("Consul: passing" in told) is (state.consul is not None)


@pytest.mark.parametrize(
    ("counts", "remains"), [((20, 0, 0), True), ((0, 1_200, 0), True), ((0, 0, 3), True), ((0, 0, 0), False)]
)
def test_keys_that_are_only_in_a_file_remain_to_be_put_back(counts, remains):
    missing, value, ttl = counts
    said = Tally(looked_at=5_021, missing=missing, value=value, ttl=ttl).words("redis-a", "redis-b")
    sent = "SCAN, DUMP and PTTL here and on redis-b; what differs is written to /runs/1/keys-of-redis-a.jsonl"
    row = {"verb": "export-differences", "answer": "done", "sent": sent, "node": "redis-a", "at": "", "detail": ""}
    row["answered_at"] = None
    row["text"] = f"{said}; written to /runs/1/keys-of-redis-a-2.jsonl"
    items = list(_only_in_files("RUN-1", [row], {}, {}))
    several = list(_only_in_files("RUN-1", [row, row], {}, {}))
    assert bool(items) is remains
    for one in items:
        assert one.lines == (f"{said}.",)
        assert one.commands == ("redis-ha-console runs replay RUN-1",)
    for one in several:
        assert one.commands[0].endswith("--export keys-of-redis-a-2.jsonl"), (
            "the file that was written, not an older one"
        )


@pytest.mark.parametrize("name", WALKS)
def test_the_end_never_says_of_one_data_set_that_it_was_sent_and_that_it_was_not(name, tmp_path):
    """A later step that finds nothing left to do says nothing of the data: an earlier one has said it."""
    room = walk(tmp_path, name)
    ended = room.run(answer=insist)
    pairs = re.compile(r"resync of (\S+ from \S+): ")
    about = [(found[1], item.text) for item in section(ended, DATA) if (found := pairs.search(item.text))]
    done = {pair for pair, text in about if "It was carried out" in text}
    assert not [text for pair, text in about if pair in done and "It was not sent" in text]


def test_a_step_that_had_nothing_left_to_replace_is_no_second_item():
    made = {"target": "b", "source": "a", "resync": "full", "reason": "b has another history"}
    again = {**made, "resync": "none", "reason": "b follows a already"}
    rows = [
        ("preview", {"step": 1, "preview": made}),
        ("intent", {"step": 1, "index": 0, "command": {"node": "b", "verb": "replicate", "text": "SLAVEOF a"}}),
        ("result", {"step": 1, "index": 0, "answer": {"kind": "done", "text": "OK"}}),
        ("preview", {"step": 2, "preview": again}),
    ]
    entries = [Entry(number, "2026-11-29T00:00:00Z", kind, data, "", "") for number, (kind, data) in enumerate(rows, 1)]
    sent = [
        {
            "step": 1,
            "verb": "replicate",
            "answer": "done",
            "node": "b",
            "summary": "",
            "text": "",
            "at": "",
            "answered_at": "",
        }
    ]
    (item,) = _fates(entries, sent)
    assert item.text.startswith("Full resync of b from a")
    (alone,) = _fates(entries[3:], [])
    assert "It was not sent" in alone.text


def test_what_remains_is_told_as_it_is_when_the_run_ends(tmp_path):
    """The operator thought about the question for a while: clients went on writing meanwhile."""
    room = walk(tmp_path, "one-shot-rebuild")

    def later(question):
        room.pair.change(lambda state: samples.with_redis(state, samples.A, keys={0: 777_777}))
        return Decision(Choice.ABORT, question.digest)

    ended = room.run(answer=later)
    closed = next(one.data for one in room.past().entries if one.kind == "closed")
    assert "777777" in json.dumps(closed["figures"])
    assert ended.outcome is Outcome.ABORTED


@pytest.mark.parametrize(("needless", "skipped"), [(0, 0), (1, 0), (0, 1), (2, 3)])
def test_a_step_that_needed_nothing_was_skipped_by_nobody(tmp_path, needless, skipped):
    run = walk(tmp_path, next(iter(WALKS))).run(answer=given_up_at(99))
    passed = [replace(run.steps[0], status=StepStatus.SKIPPED, note=f"already so: {at}") for at in range(needless)]
    passed += [replace(run.steps[0], status=StepStatus.SKIPPED, note="skipped by the operator")] * skipped
    done = replace(run, steps=(replace(run.steps[0], status=StepStatus.DONE), *passed))
    for words in (tally(done), success_in_words(done)):
        assert ("needed nothing" in words) is bool(needless), words
        assert ("skipped" in words) is bool(skipped), words
        assert not needless or f"{needless} " in words
        assert not skipped or f"{skipped} " in words


@pytest.mark.parametrize(("content", "kept"), [("20 keys are not on redis-a", True), (NONE_LEFT, False)])
def test_a_file_without_keys_is_not_called_kept(content, kept):
    text = f"looked at all 21 keys of redis-b: {content}; written to /runs/1/keys-of-redis-b.jsonl"
    sent = "# SCAN, DUMP and PTTL here and on redis-a; what differs is written to /runs/1/keys-of-redis-b.jsonl"
    row = {"verb": "export-differences", "node": "redis-b", "answer": "done", "text": text, "sent": sent, "at": 1.0}
    (export,) = exports_in([{**row, "answered_at": 2.0, "detail": ""}])
    assert export.needless is not kept
    (item,) = _fates([], [{**row, "answered_at": 2.0, "detail": "", "summary": "", "step": 1, "id": "export"}])
    assert ("Kept: /runs/1" in item.text) is kept
    assert content in item.lines[0]
