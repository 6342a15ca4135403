"""Two masters: what each alone holds is named before the choice, and counted as a whole before SLAVEOF."""

import os

import pytest
import samples as s
from hypothesis import given
from hypothesis import strategies as st
from walks import WALKS, walk

from console.cli.runs.plain.operator import _question_lines
from console.core.model import ProblemKind, read, unread
from console.core.previews.key_comparison import (
    DbSample,
    DifferingKey,
    KeyDifference,
    KeySample,
    each_alone_lines,
)
from console.core.previews.loss_preview import RunFindings, preview
from console.core.runbooks.document import GateKind
from console.core.runs.question import Choice, Decision, QuestionKind
from console.core.runs.records.journal import ChainCheck, parse_entry
from console.core.runs.state import Outcome
from console.engine.ports import Answer, AnswerKind
from console.engine.steps.step_view import gate_of, sentences_ahead
from console.report.document import report_document
from console.report.entry_text import entry_text
from console.transport.journals.archive import FolderArchive
from console.transport.redis.key_export import Tally
from console.tui.present.runs.question import choice_label, prompt, question_lines


def sample(node, other, keys, looked_at, names, different=()):
    odd = [DifferingKey(0, one, KeyDifference.MISSING) for one in names]
    odd += [DifferingKey(0, one, KeyDifference.VALUE) for one in different]
    db = DbSample(0, keys, looked_at, missing=len(names), alike=3, different=len(different))
    return read(KeySample(node, other, (db,), tuple(odd)), s.NOW)


def compared(of_target, of_source):
    return s.replace(s.comparison(s.B, s.A), of_target=of_target, of_source=of_source)


def test_each_side_is_named_with_its_keys_and_what_becomes_of_them():
    lines = each_alone_lines(
        compared(sample(s.A, s.B, 9, 9, ["cart:1", "cart:2"], ["counter"]), sample(s.B, s.A, 5_000, 1_000, ["order:7"]))
    )
    assert lines[0] == "only redis-a has 2 keys (redis-b would not have it): cart:1, cart:2"
    assert lines[1].startswith("only redis-b has at least 4,991 keys (it stays)")
    assert lines[1].endswith("(it stays): order:7 (1 of 1,000 looked at)")
    assert lines[2] == (
        "of 4 keys compared that both have, 1 differs in type, size or value: counter;"
        " 3 of 9 keys of redis-a were not compared, and may differ"
    )


@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 60), st.data())
def test_no_number_contradicts_the_counts_of_both_servers(of_a, only_a, of_both, data):
    """`of_both` keys on both, the others on one only: what is said to be on one alone bounds the truth."""
    only_b = of_a
    keys_a, keys_b = only_a + of_both, only_b + of_both
    looked_at = data.draw(st.integers(1, keys_b))
    missing = data.draw(st.integers(max(0, looked_at - of_both), min(only_b, looked_at)))
    of_target = KeySample(s.B, s.A, (DbSample(0, keys_b, looked_at, missing),))
    of_source = KeySample(s.A, s.B, (DbSample(0, keys_a, 1, 0),))
    assert missing <= of_target.at_least(of_source) <= only_b
    assert of_target.at_least(of_source) >= keys_b - keys_a
    told = each_alone_lines(
        s.replace(s.comparison(s.B, s.A), of_target=read(of_target, s.NOW), of_source=read(of_source, s.NOW))
    )
    assert "about" not in told[0]


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_a_part_is_never_worded_as_the_whole(alike, different, missing, rest):
    keys = alike + different + missing + rest
    db = DbSample(0, keys, alike + different + missing, missing=missing, alike=alike, different=different)
    found = s.replace(s.comparison(s.B, s.A), of_target=read(KeySample(s.A, s.B, (db,)), s.NOW))
    told = [one for one in each_alone_lines(found) if "compared that both have" in one]
    assert bool(told) == bool(alike + different)
    for line in told:
        assert ("were not compared, and may differ" in line) == bool(rest)
        assert ("none differs" in line) == (not different and not rest)


def test_a_side_that_has_nothing_alone_or_could_not_be_read_is_said_too():
    lines = each_alone_lines(compared(sample(s.A, s.B, 9, 9, []), unread(ProblemKind.TIMEOUT, "late", s.NOW)))
    assert (
        lines[0] == "only redis-a has: nothing that was found; all 9 keys of redis-a looked at: each is on redis-b too"
    )
    assert lines[1].startswith("what only redis-b has: not known, ")


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 3))
def test_numbers_and_their_words_agree(missing, looked_at, different):
    missing = min(missing, looked_at)
    names = [f"k{number}" for number in range(missing)]
    odd = [f"d{number}" for number in range(different)]
    found = compared(sample(s.A, s.B, 40, looked_at, names, odd), sample(s.B, s.A, 1, 1, []))
    text = "\n".join(each_alone_lines(found))
    for wrong in (" 1 keys", " 1 are ", " 1 have ", " 1 differ ", " 2 differs"):
        assert wrong not in text


KEPT_IN = "keys-of-redis-b.jsonl"


def insist(question):
    yes = Choice.RUN if Choice.RUN in question.choices else Choice.OVERRIDE
    return Decision(yes, question.digest, question.sentence or question.node)


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        room = walk(tmp_path_factory.mktemp("whole"), "resolve-dual-master")
        said = f"{Tally(looked_at=21, missing=20).words(s.B, s.A)}; for example cart:9; written to /runs/1/{KEPT_IN}"
        room.actuator.table["SCAN, DUMP"] = [Answer(AnswerKind.DONE, said)]
        asked = []
        run = room.run(answer=lambda question: (asked.append(question), insist(question))[1])
    assert run.outcome is Outcome.DONE, run.message
    return run, asked, [parse_entry(line) for line in room.journal.read_text().splitlines(keepends=True)]


def of(asked, step):
    return [one for one in asked if one.step.id == step]


def test_the_question_whose_data_stays_names_what_each_alone_has_on_every_screen_and_in_the_journal(ended):
    _, asked, entries = ended
    (question,) = of(asked, "decide")
    assert question.kind is QuestionKind.TYPE_NAME
    assert any(one.startswith("only redis-a has") for one in question.each_alone)
    assert any(one.startswith("only redis-b has") for one in question.each_alone)
    drawn = " ".join(" ".join(one.plain for one in question_lines(question, (), frozenset(), 19, 300, 60)).split())
    plain = " ".join("\n".join(_question_lines(question)).split())
    (kept,) = [one for one in entries if one.kind == "compared"]
    report = report_document("a-run", entries, ChainCheck(len(entries)))
    (gate,) = [one for one in report["gates"] if one["id"] == "decide"]
    for line in question.each_alone:
        assert line in drawn
        assert " ".join(line.split()) in plain
        assert line in entry_text(kept)
        assert line in gate["evidence"]
    assert "does the data of redis-a stay?" in prompt(question, s.NOW, 80, more=False).plain
    assert choice_label(Choice.RUN, question) == "Yes, that is decided", "nothing is run by it"
    assert [one for one in asked if one.each_alone] == [question], "no other step compares"


def test_before_the_data_is_replaced_the_whole_count_stands_in_place_of_a_sample(ended):
    _, asked, _ = ended
    blocked, gate = of(asked, "replicate")
    assert blocked.sentence
    for one in (blocked, gate):
        assert one.preview.lines[0] == (
            "looked at all 21 keys of redis-b: 20 keys are not on redis-a; for example cart:9;"
            " kept in keys-of-redis-b.jsonl of this run"
        )
        assert not [line for line in (*one.preview.lines, *one.preview.warnings) if "certainty" in line]
    assert "would lose data. Is that accepted?" in prompt(blocked, s.NOW, 80, more=False).plain
    assert "cannot run" not in prompt(blocked, s.NOW, 80, more=False).plain


def test_without_an_export_the_sample_is_told():
    comparison = compared(sample(s.B, s.A, 9, 9, ["cart:1"]), sample(s.A, s.B, 9, 9, []))
    state = s.stale_master_back()
    told = preview(state, s.A, s.B, comparison=comparison)
    assert any("cart:1" in one for one in told.warnings)
    counted = preview(state, s.A, s.B, comparison=comparison, found=RunFindings(exported="looked at all: none"))
    assert counted.lines[0] == "looked at all: none"
    assert not any("cart:1" in one for one in (*counted.lines, *counted.warnings))


def test_the_sentence_is_announced_before_the_run_is_armed(ended):
    run, asked, _ = ended
    (blocked, _) = of(asked, "replicate")
    ahead = sentences_ahead(run.runbook, WALKS["resolve-dual-master"][0](), run.roles)
    assert ahead == {blocked.index + 1: blocked.sentence}
    names = [number for number, one in enumerate(run.runbook.steps, start=1) if gate_of(one) is GateKind.TYPE_NAME]
    assert set(ahead) <= set(names)


def test_what_an_earlier_run_has_exported_stands_beside_the_sample(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    room = walk(tmp_path, "resolve-dual-master")
    said = f"{Tally(looked_at=21, missing=1).words(s.B, s.A)}; for example counter; written to {tmp_path}/{KEPT_IN}"
    room.actuator.table["SCAN, DUMP"] = [Answer(AnswerKind.DONE, said)]
    stop = lambda question: (  # noqa: E731
        Decision(Choice.ABORT, question.digest) if question.step.id == "save" else insist(question)
    )
    room.run(answer=stop)
    (room.folder / room.run_id / KEPT_IN).write_text("")  # the folders with such a file are looked at
    (tmp_path / KEPT_IN).write_text("")
    room.console_context = s.replace(room.console_context, archive=FolderArchive(room.folder))
    asked = []
    room.run(answer=lambda question: (asked.append(question), Decision(Choice.ABORT, question.digest))[1])
    told = [line for one in asked if one.step.id == "decide" for line in one.each_alone]
    assert any("an earlier run has kept 1 key of redis-b" in line and KEPT_IN in line for line in told), told
