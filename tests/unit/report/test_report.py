"""The report of a run: what an incident review needs, from the journal alone, in three forms."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone
from html.parser import HTMLParser

import pytest
from fakes import PASSWORD, A, B, ScriptedOperator, Stage, choose

from console.core.command import Secret
from console.core.runs.question import Choice
from console.core.runs.records.journal import Entry, check_chain, next_entry, plain
from console.engine.ports import Answer, AnswerKind
from console.report.document import report_document
from console.report.render import Code, Facts, Heading, Items, Paragraph, Table, html, markdown
from console.report.sections import blocks

ZONE = timezone(timedelta(hours=8))
VOID = {"meta", "br"}
EVIL = "<script src=http://example.org/x.js></script><img onerror=x> ``` | \x1b[2J \u202e & \"'"


class Checked(HTMLParser):
    """Every element closed in its order, and nothing that would be fetched or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onerror", "style"}, (tag, attrs)
        assert not [value for _, value in attrs if value and "//" in value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "


def parsed(text: str) -> Checked:
    page = Checked()
    page.feed(text)
    page.close()
    assert not page.open
    assert not page.seen & {"script", "img", "link", "iframe", "object"}
    return page


def chained(journal) -> list[Entry]:
    entries: list[Entry] = []
    for second, (kind, data) in enumerate(journal.entries):
        entries.append(next_entry(entries[-1] if entries else None, kind, data, 1795246800 + second))
    return entries


def reported(entries: list[Entry]):
    return report_document("a-run", entries, check_chain([entry.line for entry in entries]))


@pytest.fixture(scope="module")
def rebuilt():
    stage = Stage()
    stage.run()
    return chained(stage.journal)


def forms(document) -> tuple[str, str]:
    return markdown(blocks(document, ZONE)), html("Run a-run", blocks(document, ZONE))


def test_the_pair_before_and_after(rebuilt):
    document = reported(rebuilt)
    before, after = document["before"]["nodes"], document["after"]["nodes"]
    assert (before[B]["redis"], before[B]["keys"], before[B]["priority"]) == ("does not run", None, 139)
    assert (after[B]["redis"], after[B]["keys"], after[B]["priority"]) == (
        "replica of 192.168.100.201:6379, link up",
        249_943,
        137,
    )
    assert before[A]["redis"] == after[A]["redis"] == "master"
    assert document["after"]["vip_holders"] == [A]
    told, _ = forms(document)
    assert "| redis-b: priority | 139 | 137 |" in told
    assert "| redis-b: keepalived | running, BACKUP | running, BACKUP |" in told


def test_a_gate_with_what_was_shown_and_typed(rebuilt):
    (gate,) = (one for one in reported(rebuilt)["gates"] if one["id"] == "replicate")
    assert (gate["asked"], gate["choice"], gate["typed"]) == ("type-name", "run", B)
    assert any("249,935 keys" in line for line in gate["evidence"])
    assert gate["preview"]["resync"] == "full"
    assert len(gate["digest"]) == 64
    told, page = forms(reported(rebuilt))
    for words in (gate["digest"], "typed: redis-b", *gate["evidence"]):
        assert words in told
    assert gate["digest"] in parsed(page).text


def test_times_are_told_twice_and_the_operator_with_the_terminal(rebuilt):
    opened = rebuilt[0].data
    assert opened["operator"] == f"{opened['user']}@{opened['host']}"
    assert {"terminal", "terminal_from"} <= set(opened)
    document = reported(rebuilt)
    document["opened"] |= {"terminal": "/dev/pts/3", "terminal_from": "192.168.100.7"}
    told, page = forms(document)
    assert "terminal /dev/pts/3, logged in from 192.168.100.7" in told
    assert "| 2026-11-21T07:40:00.000Z | 2026-11-21 15:40:00 +0800 | opened |" in told
    assert "2026-11-21 15:40:00 +0800" in parsed(page).text


def test_commands_losses_and_the_way_back(rebuilt):
    document = reported(rebuilt)
    sent = {one["verb"]: one for one in document["commands"]}
    assert (sent["replicate"]["sent"], sent["replicate"]["answer"]) == ("SLAVEOF 192.168.100.201 6379", "done")
    (fate,) = document["data"]
    assert (fate["target"], fate["carried_out"]) == (B, "done")
    (backup,) = document["backups"]
    told, page = forms(document)
    for words in ("this data of the target was replaced", backup["path"], "restore-backup cache --bind target=redis-b"):
        assert words in told
        assert words in parsed(page).text
    assert all(step["status"] in ("done", "skipped") for step in document["steps"])
    assert not document["problems"]


def test_an_answer_that_was_lost_stands_at_the_top():
    stage = Stage({"SLAVEOF": [Answer(AnswerKind.UNKNOWN, "connection lost")]})
    stage.run(ScriptedOperator(by_step={"replicate": [choose(Choice.RUN, B)]}))
    document = reported(chained(stage.journal))
    assert document["outcome"] == "unknown"
    assert document["data"][0]["carried_out"] == "unknown"
    assert [one["status"] for one in document["steps"]][-1] == "not reached"
    told, _ = forms(document)
    assert "> **Note: A command was sent and its outcome is not known:" in told[: told.index("- outcome")]


def test_a_journal_without_an_end_and_a_broken_one_say_so_first(rebuilt):
    sent = next(number for number, entry in enumerate(rebuilt, start=1) if entry.kind == "intent")
    told, page = forms(reported(rebuilt[:sent]))
    assert told.index("The journal has no end") < told.index("its outcome is not known") < told.index("- outcome")
    assert "- ended: not recorded" in told
    assert "The journal has no end" in parsed(page).text

    lines = [entry.line for entry in rebuilt]
    at = next(place for place, text in enumerate(lines) if place >= 20 and "redis" in text)
    lines[at] = lines[at].replace("redis", "rodis")
    check = check_chain(lines)
    told, _ = forms(report_document("a-run", rebuilt[: check.entries], check))
    head = told[: told.index("- outcome")]
    assert f"The journal is broken at line {at + 1}: it was changed after it was written" in head


@pytest.mark.parametrize("tenths", range(10))
def test_however_little_a_journal_has_there_is_a_report(rebuilt, tenths):
    document = reported(rebuilt[: len(rebuilt) * tenths // 10])
    parsed(forms(document)[1])
    assert json.loads(json.dumps(document))["problems"]


def test_how_long_clients_could_not_write(rebuilt):
    held = {"node": A, "since": 1795246800.0, "until": 1795246801.25}
    last = replace(rebuilt[-1], data={**rebuilt[-1].data, "writes_held_back": held})
    told, _ = forms(report_document("a-run", [*rebuilt[:-1], last], check_chain([entry.line for entry in rebuilt])))
    assert "Clients could not write for 1.2 s, from 2026-11-21T07:40:00.000Z to 2026-11-21T07:40:01.250Z" in told


def test_a_pause_that_nobody_saw_end_is_told_too(rebuilt):
    intent = next(entry for entry in rebuilt if entry.kind == "intent")
    cut = [*rebuilt[: intent.seq - 1], replace(intent, data={**intent.data, "verb": "pause-writes"})]
    told, _ = forms(report_document("a-run", cut, check_chain([entry.line for entry in rebuilt[: intent.seq]])))
    assert f"Writes were paused on {B} from {intent.at} on" in told


def test_nothing_that_a_server_says_becomes_markup():
    shown = [Heading(EVIL), Paragraph(EVIL, warning=True), Items((EVIL,)), Facts(((EVIL, EVIL),)), Code(EVIL)]
    shown.append(Table((EVIL,), ((EVIL,),)))
    page = html(EVIL, shown)
    assert "<img onerror=x>" in parsed(page).text
    told = markdown(shown)
    assert told.count("<script") == 1, "in the fence only"
    assert "````" in told, "a fence that its content cannot close"
    for text in (page, told):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_a_secret_is_in_no_form(rebuilt):
    document = reported(rebuilt)
    assert plain(Secret(PASSWORD)) != PASSWORD
    for text in (*forms(document), json.dumps(document)):
        assert PASSWORD not in text


def test_a_journal_of_an_older_version_has_its_report(rebuilt):
    new = ("figures", "evidence", "verb", "writes_held_back", "user", "host", "terminal", "terminal_from")
    older: list[Entry] = []
    for entry in rebuilt:
        data = {key: value for key, value in entry.data.items() if key not in new}
        older.append(next_entry(older[-1] if older else None, entry.kind, data, 1795246800))
    document = reported(older)
    assert (document["outcome"], document["before"], document["after"]) == ("done", None, None)
    told, page = forms(document)
    assert "- redis-b: data set: holds keys" in told, "what the gate rested on, where its words are not kept"
    assert "this data of the target was replaced" in told
    assert "Before and after" not in parsed(page).text


def test_text_that_is_no_markup_reads_as_it_was_written():
    """In a tracker and in a terminal alike: `s < m` is no tag, and `redis-b> PING` no quotation."""
    for text in ("s < m < s + abs(weight)", "redis-b> PING", "1 <= 2", "a -> b"):
        assert text in markdown([Paragraph(text), Items((text,)), Table((text,), ((text,),))])
    for text in ("<b>", "</b>", "<!-- x", "<?php"):
        assert text not in markdown([Paragraph(text)])
    assert markdown([Paragraph("> quoted")]).startswith("&gt; quoted")
