"""Each rule of the soak can be broken, and says so: what it reads are real journals, and what servers held."""

from __future__ import annotations

import base64
import json
import time
from types import SimpleNamespace

import pytest
from soak import rules
from soak.ground import Drop
from soak.pilot import RESULT, SENT, note
from soak.tally import Tally

from console.transport.journals.journal_file import open_journal

PLANNED = {"node": "redis-b", "summary": "Makes redis-b follow.", "command": {"sent": "SLAVEOF 192.0.2.1 6379"}}
NOW = 1_795_246_800.0


class Book:
    """What was asked of the rules, and what they found."""

    def __init__(self):
        self.asked = []
        self.broken = []

    def must(self, holds, rule, text):
        self.asked.append(rule)
        if not holds:
            self.broken.append((rule, text))

    @property
    def rules(self):
        return {rule for rule, _ in self.broken}


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def journal(tmp_path):
    """`journal(…)`: a journal with these entries, a second apart."""

    def write(*entries, name="20261121T074000Z-cache-rebuild-0001"):
        times = iter(range(10_000))
        made = open_journal(tmp_path / "runs", name, lambda: NOW + next(times))
        for kind, data in entries:
            made.append(kind, data)
        made.close()

    return write


def intent(verb="replicate", step=1):
    return "intent", {"step": step, "verb": verb, "place": 1, "digest": "d", "planned": PLANNED}


def result(kind, step=1):
    return "result", {"step": step, "node": "redis-b", "answer": {"kind": kind, "text": "", "exit_status": 0}}


def ended(status, step=1):
    return "step", {"step": step, "id": "replicate", "status": status, "note": ""}


OPENED = ("opened", {"cluster": "cache"})
VERIFIED = ("verified", {"step": 1})


@pytest.mark.parametrize(
    ("entries", "broken"),
    [
        ((result("unknown"), ended("done")), True),
        ((result("unknown"), ended("failed")), True),
        ((result("unknown"), ended("unknown")), False),
        ((result("unknown"), VERIFIED, ended("done")), False),
        ((result("done"), ended("done")), False),
    ],
)
def test_a_lost_answer_is_neither_done_nor_failed(journal, tmp_path, book, entries, broken):
    journal(OPENED, intent(), *entries, ("closed", {"outcome": "done"}))
    rules.judge_journals(tmp_path, [], book.must)
    assert book.rules == ({"unknown stays unknown"} if broken else set()), book.broken


def test_a_command_that_left_twice_a_changed_line_and_a_password_are_seen(journal, tmp_path, book):
    journal(OPENED, intent(), result("unknown"), intent(), result("done"), ("closed", {"message": "s3cret-word"}))
    rules.judge_journals(tmp_path, ["s3cret-word"], book.must)
    assert book.rules == {"sent once", "no secrets"}
    (path,) = rules.journal_files(tmp_path)
    path.write_text(path.read_text().replace("redis-b", "redis-c", 1))
    again = Book()
    rules.judge_journals(tmp_path, [], again.must)
    assert "journals hold" in again.rules


@pytest.mark.parametrize(("between", "broken"), [((VERIFIED,), set()), ((), {"sent once"})])
def test_what_was_proved_and_then_undone_by_others_may_be_sent_again(journal, tmp_path, book, between, broken):
    again = (("resumed", {}), ("believed", {"steps": []}), intent(), result("done"))
    journal(OPENED, intent(), result("done"), *between, *again, ("closed", {"outcome": "done"}))
    rules.judge_journals(tmp_path, [], book.must)
    assert book.rules == broken


@pytest.mark.parametrize(("verb", "broken"), [("export-disk-keys", set()), ("replicate", {"sent once"})])
def test_a_lost_answer_is_asked_for_again_only_where_that_does_no_harm(journal, tmp_path, book, verb, broken):
    closed = ("closed", {"outcome": "done"})
    journal(OPENED, intent(verb), result("unknown"), intent(verb), result("done"), VERIFIED, ended("done"), closed)
    rules.judge_journals(tmp_path, [], book.must)
    assert book.rules == broken


def test_what_left_without_intent_or_without_a_yes_is_seen(tmp_path, book):
    sent = {"at": NOW, "node": "redis-b", "sent": "SLAVEOF …", "verb": "replicate"}
    note(tmp_path / SENT, {**sent, "intended": False, "digest": "shown"})
    note(tmp_path / SENT, {**sent, "intended": True, "digest": "never shown"})
    note(tmp_path / SENT, {"at": NOW, "node": "redis-b", "answered": "done"})
    rules.judge_sends(tmp_path, {"shown"}, book.must)
    assert book.rules == {"intent first"}, "a console that was killed has left no list of its answers"
    (tmp_path / RESULT).write_text("{}")
    rules.judge_sends(tmp_path, {"shown"}, book.must)
    assert book.rules == {"intent first", "facts as shown"}


def ground(*drops, held=(), files=(), acknowledged=range(1, 11)):
    return SimpleNamespace(
        clients=SimpleNamespace(acknowledged=dict.fromkeys(acknowledged)), drops=list(drops), two_serve=[],
        held_anywhere=lambda: frozenset(held), held_in_files=lambda: frozenset(files),
    )  # fmt: skip


def drop(at=NOW + 3, *, by_fault=False):
    return Drop("redis-b", at - 1, at, frozenset({9, 10}), "its data is another one", by_fault)


KEPT = range(1, 9)


def test_writes_that_the_console_has_destroyed_are_seen(journal, tmp_path, book):
    journal(OPENED, intent(), result("done"))
    assert rules.judge_losses(ground(drop(), held=KEPT), tmp_path, [], book.must) == 0
    assert book.rules == {"no write is lost"}
    assert "2 (9-10): redis-b" in book.broken[0][1]


@pytest.mark.parametrize(
    ("case", "by_servers"),
    [
        ("held", 0), ("in files", 0), ("exported", 0), ("accepted", 0), ("named", 0),
        ("by a fault", 2), ("a fault between", 2), ("another verb", 2), ("long before", 2),
    ],
)  # fmt: skip
def test_what_is_kept_or_accepted_or_was_the_work_of_others_is_no_loss_of_the_console(
    journal, tmp_path, book, case, by_servers
):
    accepted = ("overridden", {"step": 1, "checks": []})
    preview = {"lines": ["2 keys would be lost"], "warnings": [], "details": []}
    more = {"accepted": [accepted], "named": [("preview", {"step": 1, "preview": preview})]}.get(case, [])
    journal(OPENED, *more, intent("backup" if case == "another verb" else "replicate"), result("done"))
    if case == "exported":
        lines = [{"key_base64": base64.b64encode(b"w:%d" % one).decode()} for one in (9, 10)]
        (tmp_path / "keys-of-redis-b.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    found = drop(NOW + 120 if case == "long before" else NOW + 3, by_fault=case == "by a fault")
    world = ground(found, held=range(1, 11) if case == "held" else KEPT, files=(9, 10) if case == "in files" else ())
    others = [(NOW + 2.5, NOW + 2.5)] if case == "a fault between" else []
    assert rules.judge_losses(world, tmp_path, others, book.must) == by_servers
    assert (book.broken, book.asked) == ([], ["no write is lost"])


@pytest.mark.parametrize(("send", "other", "broken"), [(-3, None, True), (-3, -5, False), (-60, None, False)])
def test_a_second_node_that_serves_after_a_command_is_seen(book, send, other, broken):
    world = ground()
    world.two_serve = [(NOW, "redis-a and redis-b")]
    others = [] if other is None else [(NOW + other, NOW + other)]
    rules.judge_serving(world, [NOW + send], others, book.must)
    assert book.rules == ({"one node serves"} if broken else set())
    assert not world.two_serve, "it is judged once"


def test_the_table_counts_outcomes_and_reasons():
    tally = Tally(7)
    for number in (1, 2):
        tally.ended("pair", "one-shot-rebuild", "refused", f"redis-{number} is held since {time.time()}")
    tally.ended("pair", "one-shot-rebuild", "protected", "all is done")
    told = tally.text()
    assert "2  pair              one-shot-rebuild            refused" in told
    assert "2  one-shot-rebuild: redis-# is held since #" in told
    assert "all is done" not in told
