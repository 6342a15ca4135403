from __future__ import annotations

import base64
import json

import pytest

from console.transport.redis import key_export
from console.transport.redis.connection import Refusal
from console.transport.redis.key_export import RefusedError, export_keys


class FakeConnection:
    """A server of one database: key → (DUMP, PTTL). Answers as a connection that keeps bytes exact does."""

    def __init__(self, held, refuse=""):
        self.held = held
        self.refuse = refuse
        self.sent = []

    def send_words(self, commands):
        self.replies = [self.answer(*words) for words in commands]
        self.sent += [words[0] for words in commands]

    def receive(self, _):
        return self.replies

    def answer(self, command, *rest):
        if command == self.refuse:
            return Refusal(f"NOPERM no permission for {command}")
        if command == "INFO":
            return "# Keyspace\r\ndb0:keys=9,expires=1,avg_ttl=0\r\n" if self.held else "# Keyspace\r\n"
        if command == "SCAN":
            return ("0", *self.held)
        if command == "DUMP":
            return self.held.get(rest[0], ("", -2))[0]
        if command == "PTTL":
            return str(self.held.get(rest[0], ("", -2))[1])
        return "OK"


OURS = {"same": ("v", -1), "gone": ("\udcff\x00", 9_000), "other": ("v", -1), "ends": ("v", 60_000), "soon": ("v", 900)}
THEIRS = {"same": ("v", -1), "other": ("w", -1), "ends": ("v", -1), "soon": ("v", 1_400), "more": ("v", -1)}


def test_what_differs_is_written_and_what_does_not_is_left_out(tmp_path):
    path = tmp_path / "keys.jsonl"
    told = export_keys(("redis-a", FakeConnection(OURS)), ("redis-b", FakeConnection(THEIRS)), str(path))
    assert "all 5 keys of redis-a: 1 are not on redis-b, 1 have another value there, 1 another time to live" in told
    lines = {one["key"]: one for one in map(json.loads, path.read_text().splitlines())}
    assert {key: one["why"] for key, one in lines.items()} == {"gone": "missing", "other": "value", "ends": "ttl"}
    assert base64.b64decode(lines["gone"]["dump_base64"]) == b"\xff\x00"
    assert (lines["gone"]["pttl"], lines["gone"]["there"]) == (9_000, {})
    assert base64.b64decode(lines["other"]["there"]["dump_base64"]) == b"w"
    assert (lines["other"]["pttl"], lines["ends"]["there"]["pttl"]) == (0, 0)


def test_an_empty_server_has_nothing_to_tell(tmp_path):
    path = tmp_path / "keys.jsonl"
    assert "all 0 keys" in export_keys(("redis-a", FakeConnection({})), ("redis-b", FakeConnection(THEIRS)), str(path))
    assert path.read_text() == ""


def test_it_only_reads(tmp_path):
    ours, theirs = FakeConnection(OURS), FakeConnection(THEIRS)
    export_keys(("redis-a", ours), ("redis-b", theirs), str(tmp_path / "keys.jsonl"))
    assert {*ours.sent, *theirs.sent} == {"INFO", "SELECT", "SCAN", "DUMP", "PTTL"}


@pytest.mark.parametrize("command", ["SCAN", "DUMP"])
def test_a_refusal_is_told_and_leaves_no_half_a_file(tmp_path, command):
    with pytest.raises(RefusedError, match=f"redis-a: NOPERM no permission for {command}"):
        export_keys(
            ("redis-a", FakeConnection(OURS, command)),
            ("redis-b", FakeConnection(THEIRS)),
            str(tmp_path / "keys.jsonl"),
        )
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_bound_is_refused_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(key_export, "MAX_KEYS", 3)
    with pytest.raises(RefusedError, match="nothing was exported"):
        export_keys(
            ("redis-a", FakeConnection(OURS)),
            ("redis-b", FakeConnection(THEIRS)),
            str(tmp_path / "keys.jsonl"),
        )
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_is_there_is_never_replaced(tmp_path):
    """It may be the only copy: since it was made, its server can have become a replica without those keys."""
    path = tmp_path / "keys.jsonl"
    first = export_keys(("redis-a", FakeConnection(OURS)), ("redis-b", FakeConnection(THEIRS)), str(path))
    kept = path.read_bytes()
    again = export_keys(("redis-a", FakeConnection({})), ("redis-b", FakeConnection(THEIRS)), str(path))
    once_more = export_keys(("redis-a", FakeConnection({})), ("redis-b", FakeConnection(THEIRS)), str(path))
    assert path.read_bytes() == kept != b""
    assert first.endswith(f"written to {path}")
    assert again.endswith(f"written to {tmp_path / 'keys-2.jsonl'}")
    assert once_more.endswith(f"written to {tmp_path / 'keys-3.jsonl'}")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["keys-2.jsonl", "keys-3.jsonl", "keys.jsonl"]
