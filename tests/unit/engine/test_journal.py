"""The journal on disk: order, permissions, hashes, masks, and every way in which a chain can be broken."""

from __future__ import annotations

import json
import os
import stat

import pytest
from fakes import NOW, PASSWORD

from console.core.command import MASK, Planned, RedisCommand, Secret, ShellCommand
from console.core.runs.question import Choice, Decision
from console.core.runs.records.journal import canonical, check_chain, parse_entry, plain
from console.transport.journals.journal_file import open_journal


def write(folder, *entries):
    journal = open_journal(folder, "run-1", lambda: NOW)
    for kind, data in entries:
        journal.append(kind, data)
    journal.close()
    return folder / "run-1" / "journal.jsonl"


def lines(path):
    return path.read_text("utf-8").splitlines(keepends=True)


ENTRIES = [("opened", {"by": "ops"}), ("intent", {"text": "SLAVEOF 192.168.100.201 6379"}), ("closed", {})]


def test_entries_are_chained_and_only_the_operator_may_read_them(tmp_path):
    path = write(tmp_path / "runs", *ENTRIES)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    check = check_chain(lines(path))
    assert (check.entries, check.sound, check.closed) == (3, True, True)
    first = parse_entry(lines(path)[0])
    assert (first.seq, first.at, first.previous) == (1, "2026-11-21T07:40:00.000Z", "0" * 64)


def test_a_run_is_never_written_over(tmp_path):
    write(tmp_path, *ENTRIES)
    with pytest.raises(FileExistsError):
        open_journal(tmp_path, "run-1", lambda: NOW)


def changed(text):
    return text.replace("192.168.100.201", "192.168.100.202")


def resealed(text):
    """Somebody who knows the format makes the entry fit itself; the one after it still tells."""
    entry = parse_entry(changed(text))
    forged = {**json.loads(changed(text)), "hash": entry.expected_hash}
    return canonical(forged) + "\n"


@pytest.mark.parametrize(
    ("damage", "line", "words"),
    [
        (lambda found: [found[0], changed(found[1]), found[2]], 2, "changed after it was written"),
        (lambda found: [found[0], resealed(found[1]), found[2]], 3, "not the one that it was written after"),
        (lambda found: [found[0], found[2]], 2, "missing"),
        (lambda found: [found[0], found[0], *found[1:]], 2, "missing"),
        (lambda found: [*found[:2], found[2][:-20]], 3, "cut off"),
        (lambda found: [*found[:2], found[2].rstrip("\n")], 3, "cut off"),
        (lambda found: [found[0], "{}\n", *found[2:]], 2, "keys"),
        (lambda found: [found[0].replace('"seq":1', '"seq":"1"'), *found[1:]], 1, "seq"),
        (lambda _: [], 1, "empty"),
    ],
)
def test_the_first_broken_line_is_named(tmp_path, damage, line, words):
    check = check_chain(damage(lines(write(tmp_path, *ENTRIES))))
    assert check.broken_line == line
    assert words in check.reason
    assert check.entries == line - 1


def test_a_chain_without_its_end_is_sound_but_not_closed(tmp_path):
    check = check_chain(lines(write(tmp_path, *ENTRIES))[:2])
    assert check.sound
    assert not check.closed


def test_secrets_are_masked_by_their_type_wherever_they_are(tmp_path):
    secret = Secret(PASSWORD)
    planned = Planned("redis-a", RedisCommand(("CONFIG", "SET", "masterauth", secret)), "x")
    file = Planned("redis-a", ShellCommand("cat > f", stdin=f"auth_pass {PASSWORD}".encode()), "y")
    data = {"plain": secret, "deep": [{"in": (secret,)}], "planned": planned, "file": file, secret: 1}
    text = write(tmp_path, ("intent", data)).read_text("utf-8")
    assert PASSWORD not in text
    found = json.loads(text)["data"]
    assert found["plain"] == MASK
    assert found["deep"] == [{"in": [MASK]}]
    assert found["planned"]["command"]["sent"] == f"CONFIG SET masterauth {MASK}"
    assert found["file"]["command"]["stdin"]["bytes"] == len(PASSWORD) + len("auth_pass ")


def test_values_of_the_domain_are_written_as_plain_json():
    assert plain(Decision(Choice.RUN, "abc", "redis-a")) == {"choice": "run", "digest": "abc", "typed": "redis-a"}
    assert plain({1: float("nan"), "x": {2}}) == {"1": "nan", "x": [2]}


def test_a_journal_that_cannot_be_written_stays_so(tmp_path, monkeypatch):
    journal = open_journal(tmp_path, "run-1", lambda: NOW)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            journal.append("intent", {})
    with pytest.raises(OSError, match="No space left"):
        journal.append("intent", {})
    journal.close()
    with pytest.raises(OSError, match="closed"):
        journal.append("intent", {})


def test_ctrl_c_while_an_entry_is_written_leaves_a_sound_chain(tmp_path, monkeypatch):
    journal = open_journal(tmp_path, "run-1", lambda: NOW)
    journal.append("opened", {})

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupted)  # the line is written by then
        with pytest.raises(KeyboardInterrupt):
            journal.append("intent", {})
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.append("result", {})
    journal.append("closed", {})
    journal.close()
    found = lines(tmp_path / "run-1" / "journal.jsonl")
    check = check_chain(found)
    assert (check.entries, check.sound, check.closed) == (3, True, True)
