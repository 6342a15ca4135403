from __future__ import annotations

import base64
import json

import pytest

from console.core.command import DiskKeyExport
from console.transport.redis import disk_keys, key_export
from console.transport.redis.connection import Refusal
from console.transport.redis.disk_keys import keep_disk_keys
from console.transport.redis.key_export import RefusedError, export_found, export_keys

READS = {"TYPE", "GET", "LRANGE", "HGETALL", "SMEMBERS", "ZRANGE"}


class FakeConnection:
    """A server of one database: key → (DUMP, PTTL). Answers as a connection that keeps bytes exact does."""

    server = "Redis on 192.0.2.1:6379"

    def __init__(self, held, refuse="", values=None):
        self.held = held
        self.values = values or {}
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
        if command == "EXISTS":
            return str(int(rest[0] in self.held))
        if command == "DUMP":
            return self.held.get(rest[0], ("", -2))[0]
        if command in READS and rest[0] in self.values:
            return self.values[rest[0]][1] if command != "TYPE" else self.values[rest[0]][0]
        if command == "PTTL":
            return str(self.held.get(rest[0], ("", -2))[1])
        return "OK"


OURS = {"same": ("v", -1), "gone": ("\udcff\x00", 9_000), "other": ("v", -1), "ends": ("v", 60_000), "soon": ("v", 900)}
THEIRS = {"same": ("v", -1), "other": ("w", -1), "ends": ("v", -1), "soon": ("v", 1_400), "more": ("v", -1)}


def test_what_differs_is_written_and_what_does_not_is_left_out(tmp_path):
    path = tmp_path / "keys.jsonl"
    told = export_keys(("redis-a", FakeConnection(OURS)), ("redis-b", FakeConnection(THEIRS)), str(path))
    assert (
        "all 5 keys of redis-a: 1 key is not on redis-b, 1 key has another value on redis-b, 1 key has another time to"
        in told
    )
    lines = {one["key"]: one for one in map(json.loads, path.read_text().splitlines()[:-1])}
    assert {key: one["why"] for key, one in lines.items()} == {"gone": "missing", "other": "value", "ends": "ttl"}
    assert base64.b64decode(lines["gone"]["dump_base64"]) == b"\xff\x00"
    assert (lines["gone"]["pttl"], lines["gone"]["there"]) == (9_000, {})
    assert base64.b64decode(lines["other"]["there"]["dump_base64"]) == b"w"
    assert (lines["other"]["pttl"], lines["ends"]["there"]["pttl"]) == (0, 0)


def test_an_empty_server_has_nothing_to_tell(tmp_path):
    path = tmp_path / "keys.jsonl"
    assert "all 0 keys" in export_keys(("redis-a", FakeConnection({})), ("redis-b", FakeConnection(THEIRS)), str(path))
    assert json.loads(path.read_text())["count"] == 0


def test_it_only_reads(tmp_path):
    ours, theirs = FakeConnection(OURS), FakeConnection(THEIRS)
    export_keys(("redis-a", ours), ("redis-b", theirs), str(tmp_path / "keys.jsonl"))
    assert {*ours.sent, *theirs.sent} == {"INFO", "SELECT", "SCAN", "DUMP", "PTTL", "TYPE", "OBJECT"}


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
    assert f"; written to {path}, SHA-256 " in first
    assert f"; written to {tmp_path / 'keys-2.jsonl'}, SHA-256 " in again
    assert f"; written to {tmp_path / 'keys-3.jsonl'}, SHA-256 " in once_more
    assert sorted(one.name for one in tmp_path.iterdir()) == ["keys-2.jsonl", "keys-3.jsonl", "keys.jsonl"]


@pytest.mark.parametrize(
    ("kind", "mine", "its", "same"),
    [
        ("string", "v", "v", True),
        ("string", "v", "w", False),
        ("hash", ("a", "1", "b", "2"), ("b", "2", "a", "1"), True),
        ("hash", ("a", "1", "b", "2"), ("a", "2", "b", "1"), False),
        ("set", ("x", "y"), ("y", "x"), True),
        ("list", ("x", "y"), ("y", "x"), False),
        ("zset", ("x", "1"), ("x", "1"), True),
        ("stream", "1-1", "1-1", False),
    ],
)
def test_values_that_only_their_dump_tells_apart_are_the_same(tmp_path, kind, mine, its, same):
    """The DUMP of a large hash has the order of its server, and each DUMP has the version of its server."""
    ours, theirs = (
        FakeConnection({"key": (dump, -1)}, values={"key": (kind, value)}) for dump, value in (("1", mine), ("2", its))
    )
    tally, path = export_found(("disk", ours), ("redis-a", theirs), str(tmp_path / "k.jsonl"), keep_empty=False)
    assert (tally.value, bool(path)) == (0 if same else 1, not same)
    assert [one.name for one in tmp_path.iterdir()] == ([] if same else ["k.jsonl"])


def test_the_same_value_with_another_expiry_differs_by_that(tmp_path):
    ours = FakeConnection({"key": ("1", -1)}, values={"key": ("string", "v")})
    theirs = FakeConnection({"key": ("2", 900_000)}, values={"key": ("string", "v")})
    tally, _ = export_found(("disk", ours), ("redis-a", theirs), str(tmp_path / "k.jsonl"), keep_empty=False)
    assert (tally.value, tally.ttl, tally.named) == (0, 1, ["key"])


def test_of_more_keys_than_are_compared_a_sample_is_told_and_no_file_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(key_export, "MAX_KEYS", 3)
    command = DiskKeyExport("", path=str(tmp_path / "keys.jsonl"))
    disk, other = (FakeConnection(one) for one in (OURS, THEIRS))
    told = keep_disk_keys(("the disk of redis-b", disk), ("redis-a", other), command, lambda _: None)
    assert told.startswith("no file was written, there are more keys than are compared one by one")
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_is_too_large_is_not_asked_for_on_the_server_that_serves(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_keys, "LARGEST", 3)
    disk = FakeConnection({"both": ("12345", -1), "gone": ("12345", -1), "small": ("1", -1)})
    other = FakeConnection({"both": ("54321", -1), "small": ("1", -1)})
    command = DiskKeyExport("", path=str(tmp_path / "keys.jsonl"))
    told = keep_disk_keys(("the disk", disk), ("redis-a", other), command, lambda _: None)
    assert "1 key is not on redis-a; 1 of both" in told
    assert "1 of both were not compared, each has more than 3 bytes; for example gone" in told
    assert other.sent.count("DUMP") == 1
    line, _ = map(json.loads, (tmp_path / "keys.jsonl").read_text().splitlines())
    assert (line["key"], line["why"], line["there"]) == ("gone", "missing", {})


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({}, "nothing to keep: the disk of app01 has no keys. That says nothing about writes that were in memory only"),
        ({"a": ("1", -1)}, "nothing to keep: the one key of the disk of app01 is on app02 with the same value"),
    ],
    ids=["an empty dump", "all of it is there"],
)
def test_a_disk_without_keys_is_no_all_clear(tmp_path, held, said):
    command = DiskKeyExport("", path=str(tmp_path / "keys.jsonl"))
    disk, other = FakeConnection(held), FakeConnection({"a": ("1", -1), "b": ("2", -1)})
    assert keep_disk_keys(("the disk of app01", disk), ("app02", other), command, lambda _: None) == said
    assert list(tmp_path.iterdir()) == []
