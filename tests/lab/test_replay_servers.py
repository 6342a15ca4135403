"""Kept keys come back to real servers of several versions: types, any bytes, expiries, conflicts, clients, deaths."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import threading
import time
from dataclasses import replace

import pytest
import samples
from real_servers import RealNode
from replay_stage import ABORTED, DONE, FAILED, REFUSED, Stage, Typist, ask, export

from console.core.keys.comparing import Fate, same_value
from console.core.keys.exported import exported_key, fields_of
from console.core.keys.rdb.payload import value_of
from console.core.model import Role
from console.core.runs.replays.batch import KeyToSend, Left
from console.engine.replay import run
from console.engine.replay.look import BATCH
from console.transport.journals.key_files import LocalKeyFiles
from console.transport.redis.keys.reader import SENT

pytestmark = pytest.mark.lab

BINARY = bytes(range(256))
MORE = BATCH + 1_000
"""So many keys are sent in two batches."""


@contextlib.contextmanager
def server(folder, version, **settings):
    folder.mkdir()
    node = RealNode(folder, version, appendonly="no", **settings)
    node.start()
    try:
        yield node
    finally:
        node.stop(at_once=True)


def fill(node, version):
    """One key of each type and form, with any bytes in names and values."""
    commands = [
        ("SET", b"bin\xff\x00\r\n", BINARY), ("SET", "number", 12345), ("SET", "compressed", b"abc" * 500),
        ("SET", "", "a key without a name"), ("SETEX", "fleeting", 3600, "x"),
        ("HSET", "hash", b"f\xfe", BINARY, 1, -7),
        ("RPUSH", "list", *range(-3, 3), BINARY, b"y" * 9000), ("SADD", "numbers", *range(9)),
        ("SADD", "set", "a", BINARY),
        ("ZADD", "zset", "-inf", "low", 0.1, "tenth", 3, BINARY, "+inf", "high"), ("EXPIRE", "zset", 7200),
        ("SADD", "many", *(f"member:{one}" for one in range(700))),
        ("HSET", "large", *(word for one in range(700) for word in (f"f{one}", "v" * 80))),
        ("ZADD", "scores", *(word for one in range(700) for word in (one / 3, f"m{one}"))),
        ("RPUSH", "long", *(f"item {one}" for one in range(3000))),
        *(("XADD", "stream", f"{one}-1", "a", one, "b", BINARY) for one in range(1, 300)), ("XDEL", "stream", "7-1"),
        ("XADD", "stream", "900-1", "other", "fields"), ("XGROUP", "CREATE", "stream", "group", "0"),
        ("XREADGROUP", "GROUP", "group", "reader", "COUNT", 3, "STREAMS", "stream", ">"),
        ("XGROUP", "CREATECONSUMER", "stream", "group", "idle"), ("XGROUP", "CREATE", "void", "g", "$", "MKSTREAM"),
    ]  # fmt: skip
    if version == "8.0":
        commands += [("HSET", "expiring", "a", 1, "b", 2), ("HPEXPIRE", "expiring", 9_000_000, "FIELDS", 1, "a")]
    replies = ask(node, *commands)
    assert not [one for one in replies if type(one).__name__ == "RawRefusal"]
    return list(ask(node, ("KEYS", "*"))[0])


def dumps(node, keys):
    return dict(zip(keys, ask(node, *(("DUMP", key) for key in keys)), strict=True))


@pytest.mark.parametrize(("kept_on", "master_of"), [("6.2", "8.0"), ("7.0", "7.0"), ("8.0", "6.2"), ("8.0", "7.0")])
def test_every_type_comes_back_whatever_the_versions_are(tmp_path, kept_on, master_of):
    with server(tmp_path / "kept", kept_on) as kept, server(tmp_path / "master", master_of) as master:
        keys = fill(kept, kept_on)
        stage = Stage(tmp_path, master)
        file = export(tmp_path / "keys.jsonl", kept, *keys)
        impossible = {b"expiring"} if kept_on == "8.0" else set()
        ended = stage.run(stage.order(file))
        assert ended.outcome is (FAILED if impossible else DONE), ended.message
        assert set(stage.left()) == {key.decode() for key in impossible}, ended.message
        before, now = dumps(kept, keys), dumps(master, keys)
        for key in set(keys) - impossible:
            assert value_of(before[key]) == value_of(now[key]), key
        for key, seconds in ((b"fleeting", 3600), (b"zset", 7200)):
            (left,) = ask(master, ("PTTL", key))
            assert seconds * 1000 - 30_000 < left <= seconds * 1000
        again = stage.run(stage.order(file))
        assert again.outcome is (FAILED if impossible else DONE)
        assert set(stage.left().values()) - {"refused"} == {"equal"}, "what is there already is equal, in any form"


def test_each_class_of_conflict_has_its_own_sentence_and_only_that_class_is_sent(tmp_path):
    with server(tmp_path / "one", "7.0") as node:
        ask(
            node,
            *(("SET", f"key:{one}", "kept") for one in "abcdef"),
            ("RPUSH", "list", 1, 2),
            ("SETEX", "gone", 1, "x"),
        )
        names = [*(f"key:{one}" for one in "abcdef"), "list"]
        file = export(tmp_path / "keys.jsonl", node, *names)
        export(file, node, "gone", at=time.time() - 60)
        ask(
            node,
            ("SET", "key:b", "new"),
            ("DEL", "key:c"),
            ("EXPIRE", "key:d", 500),
            ("DEL", "list"),
            ("SET", "list", "s"),
        )
        stage = Stage(tmp_path, node)
        shy = Typist({"replace-values": "y", "set-expiries": "", "replace-types": "I replace 1 key on redis-b"})
        ended = stage.run(stage.order(file), shy)
        assert ended.outcome is DONE
        assert [one.step for one in shy.questions] == [
            "bring-missing",
            "set-expiries",
            "replace-values",
            "replace-types",
        ]
        expected = {"key:b": "not confirmed", "key:d": "not confirmed", "list": "not confirmed", "gone": "expired"}
        assert stage.left() == expected | dict.fromkeys(("key:a", "key:e", "key:f"), "equal")
        assert ask(node, ("GET", "key:c"), ("GET", "key:b"), ("TYPE", "list")) == [b"kept", b"new", b"string"]
        patterns = stage.order(file, "key:[bd]", "nothing:*")
        bold = Typist()
        assert stage.run(patterns, bold).outcome is DONE
        assert {one.sentence for one in bold.questions} == {
            "I set the expiry of 1 key on redis-b", "I replace 1 key on redis-b",
        }  # fmt: skip
        assert ask(node, ("GET", "key:b"), ("TTL", "key:d"), ("TYPE", "list")) == [b"kept", -1, b"string"]
        replaced = next((stage.folder / stage.run_id).glob("replaced-on-*.jsonl"))
        ask(node, ("SET", "key:b", "newest"))
        back = stage.run(stage.order(replaced, "key:b"))
        assert back.outcome is DONE
        assert ask(node, ("GET", "key:b")) == [b"new"], "what was replaced can be brought back"


@pytest.mark.parametrize("version", ["6.2", "8.0"])
def test_a_clients_write_between_the_look_and_the_sending_is_never_replaced(tmp_path, version):
    with server(tmp_path / "kept", "8.0") as kept, server(tmp_path / "one", version) as node:
        ask(kept, *(("HSET", f"key:{one}", "kept", one) for one in range(50)))
        file = export(tmp_path / "keys.jsonl", kept, *(f"key:{one}" for one in range(50)))
        ask(node, *(("SET", f"key:{one}", "there") for one in range(25, 50)))
        stage = Stage(tmp_path, node)

        def write() -> None:
            ask(
                node,
                ("SET", "key:3", "client"),
                ("APPEND", "key:30", "+"),
                ("DEL", "key:31"),
                ("EXPIRE", "key:32", 900),
            )

        stage.before_sending = write
        ended = stage.run(stage.order(file))
        assert ended.outcome is DONE, ended.message
        assert stage.left() == {"key:3": "appeared"} | dict.fromkeys(("key:30", "key:31", "key:32"), "changed")
        assert ask(node, ("GET", "key:3"), ("GET", "key:30"), ("EXISTS", "key:31"), ("GET", "key:32")) == [
            b"client", b"there++", 0, b"there",
        ]  # fmt: skip
        assert ask(node, ("HGET", "key:2", "kept"), ("HGET", "key:33", "kept")) == [b"2", b"33"]


def test_a_busy_client_never_loses_a_write_to_a_replacement(tmp_path):
    """A client counts up while its keys are replaced: each key has the kept value, or every count since."""
    with server(tmp_path / "one", "7.0") as node:
        ask(node, *(("SET", f"n:{one}", 10**9) for one in range(400)))
        file = export(tmp_path / "keys.jsonl", node, *(f"n:{one}" for one in range(400)))
        ask(node, *(("SET", f"n:{one}", 0) for one in range(400)))
        stage, ended, acknowledged = Stage(tmp_path, node), threading.Event(), [0] * 400

        def count() -> None:
            place = 0
            while not ended.is_set():
                place = (place + 7) % 400
                (acknowledged[place],) = ask(node, ("INCR", f"n:{place}"))

        client = threading.Thread(target=count)
        stage.before_sending = client.start
        try:
            run = stage.run(stage.order(file))
        finally:
            ended.set()
            client.join(30)
        assert run.outcome is DONE, run.message
        left = stage.left()
        for place, value in enumerate(ask(node, *(("GET", f"n:{one}") for one in range(400)))):
            assert int(value) == acknowledged[place] or acknowledged[place] == 0, place
            assert (int(value) >= 10**9) is (f"n:{place}" not in left), place


def test_a_change_of_roles_stops_it(tmp_path):
    with server(tmp_path / "kept", "7.0") as kept, server(tmp_path / "one", "7.0") as node:
        ask(kept, *(("SET", f"key:{one}", "kept") for one in range(MORE)))
        file = export(tmp_path / "keys.jsonl", kept, *(f"key:{one}" for one in range(MORE)))
        stage = Stage(tmp_path, node)
        stage.change = lambda state: samples.with_redis(state, state.masters[0], role=Role.REPLICA)
        refused = stage.run(stage.order(file))
        assert refused.outcome is REFUSED
        assert ask(node, ("DBSIZE",)) == [0]
        stage.change = lambda state: state
        stage.before_sending = lambda: ask(node, ("SLAVEOF", "127.0.0.1", 1)) if ask(node, ("DBSIZE",))[0] else None
        stopped = stage.run(stage.order(file))
        assert stopped.outcome is FAILED
        assert "READONLY" in stopped.message
        assert ask(node, ("DBSIZE",)) == [BATCH], "the first batch"
        assert list(stage.left().values()).count("not reached") == 0
        assert stage.entries[-1].kind == "closed"


def test_an_address_that_moves_while_keys_are_sent_stops_it(tmp_path, monkeypatch):
    """The server is a master still, and clients write to another one."""
    monkeypatch.setattr(run, "PROVED_FOR", 0.0)
    with server(tmp_path / "kept", "7.0") as kept, server(tmp_path / "one", "7.0") as node:
        ask(kept, *(("SET", f"key:{one}", "kept") for one in range(MORE)))
        file = export(tmp_path / "keys.jsonl", kept, *(f"key:{one}" for one in range(MORE)))
        stage = Stage(tmp_path, node)

        def move() -> None:
            stage.change = lambda state: replace(state, vip_reach=samples.refused())

        stage.before_sending = move
        ended = stage.run(stage.order(file))
        assert ended.outcome is FAILED
        assert f"{samples.VIP} reaches" in ended.message
        assert ask(node, ("DBSIZE",)) == [BATCH], "the batch that was under way"
        assert list(stage.left().values()) == ["not reached"] * (MORE - BATCH)


def test_wherever_it_dies_the_same_command_ends_it_right(tmp_path):
    """At every moment before and after each entry of the journal and each batch."""
    with server(tmp_path / "kept", "8.0") as kept, server(tmp_path / "one", "6.2") as node:
        kept_keys = [f"key:{one}" for one in range(8)]
        ask(kept, *(("HSET", key, "kept", key) for key in kept_keys), ("PEXPIRE", "key:1", 5_000_000))
        file = export(tmp_path / "keys.jsonl", kept, *kept_keys)
        deaths = 0
        for moment in range(200):
            ask(node, ("FLUSHALL",), *(("SET", f"key:{one}", "there") for one in range(5, 8)))
            ask(node, ("HSET", "key:4", "kept", "key:4"))
            stage = Stage(tmp_path / str(moment), node)
            ended = stage.run(stage.order(file), at=moment)
            if ended is not None:
                break
            deaths += 1
            bound = any(one.kind == "bound" for one in stage.entries)
            closed = any(one.kind == "closed" for one in stage.entries)
            again = None if closed else stage.resume() if bound else stage.run(stage.order(file))
            assert closed or again.outcome is DONE, (stage.moments.names, again.message)
            now = dumps(node, [one.encode() for one in kept_keys])
            before = dumps(kept, [one.encode() for one in kept_keys])
            assert all(same_value(before[key], now[key], time.time()) for key in now)
            assert stage.entries[-1].kind == "closed"
            assert set(stage.left().values()) <= {"equal"}
            if not closed:
                assert "8 of 8" in again.message or "7 of 8" in again.message, again.message
        assert deaths >= 20


def test_what_a_client_does_after_it_was_brought_is_left_alone_by_the_one_that_goes_on(tmp_path):
    with server(tmp_path / "kept", "7.0") as kept, server(tmp_path / "one", "7.0") as node:
        ask(kept, *(("SET", f"key:{one}", "kept") for one in range(MORE)))
        file = export(tmp_path / "keys.jsonl", kept, *(f"key:{one}" for one in range(MORE)))
        stage = Stage(tmp_path, node)
        sent = "after result 1"
        moments = Stage(tmp_path / "other", node)
        moments.run(moments.order(file))
        place = moments.moments.names.index(sent)
        ask(node, ("FLUSHALL",))
        assert stage.run(stage.order(file), at=place) is None
        ask(node, ("DEL", "key:1"), ("SET", "key:2", "client"))
        ended = stage.resume()
        assert ended.outcome is DONE
        assert ask(node, ("EXISTS", "key:1"), ("GET", "key:2"), ("DBSIZE",)) == [0, b"client", MORE - 1]
        assert stage.left() == dict.fromkeys(("key:1", "key:2"), "changed since it was brought")


def test_of_the_keys_under_way_when_it_died_none_is_taken_from_a_client(tmp_path):
    """It died with its batch sent and no answer on the disk. Then clients wrote, removed and put back."""
    with server(tmp_path / "one", "7.0") as node:
        names = [f"key:{one}" for one in range(9)]
        ask(node, *(("SET", one, "kept") for one in names))
        file = export(tmp_path / "keys.jsonl", node, *names)
        for there in (False, True):
            stage = Stage(tmp_path / str(there), node)
            ask(node, ("FLUSHALL",), *(("SET", one, "there") for one in names if there))
            watched = Stage(tmp_path / f"watched {there}", node)
            watched.run(watched.order(file))
            sent = next(at for at, one in enumerate(watched.moments.names) if one.startswith("before result"))
            ask(node, ("FLUSHALL",), *(("SET", one, "there") for one in names if there))
            assert stage.run(stage.order(file), at=sent) is None
            assert ask(node, ("GET", "key:0")) == [b"kept"], "it was sent"
            ask(node, ("SET", "key:1", "client"), ("DEL", "key:2"), ("SET", "key:3", "there"))
            typist = Typist()
            ended = stage.resume(typist)
            assert ended.outcome is DONE, ended.message
            looked = typist.looked
            assert (looked.on_their_way, looked.brought) == (9, 6)
            stays = {"key:1": "changed", "key:2": "changed"} if there else {"key:1": "appeared", "key:3": "appeared"}
            assert stage.left() == stays
            asked = {one.sentence for one in typist.questions}
            assert asked == ({"I replace 1 key on redis-b"} if there else {""}), "put back, or nothing there"
            assert looked.not_sent_or_removed == (0 if there else 1)
            now = ask(node, *(("GET", one) for one in names[1:4]))
            assert now == ([b"client", None, b"kept"] if there else [b"client", b"kept", b"there"])


def test_a_file_whose_end_is_missing_is_brought_only_after_a_sentence(tmp_path):
    with server(tmp_path / "one", "7.0") as node:
        names = [f"key:{one}" for one in range(4)]
        ask(node, *(("SET", one, "kept") for one in names))
        plain = export(tmp_path / "plain.jsonl", node, *names)
        file, stage = tmp_path / "keys.jsonl", Stage(tmp_path, node)
        LocalKeyFiles().keep(str(file), map(json.loads, plain.read_text().splitlines()))
        ask(node, ("FLUSHALL",))
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(lines[:2]))
        typist = Typist({"read-file": "y"})
        ended = stage.run(stage.order(file), typist)
        assert ended.outcome is REFUSED
        assert "its end is missing" in ended.message
        assert "2 keys can be read; nothing was sent" in ended.message
        assert [one.sentence for one in typist.questions] == ["I bring keys of a file that is not whole"]
        assert ask(node, ("DBSIZE",)) == [0]
        assert stage.run(stage.order(file)).outcome is DONE
        assert ask(node, ("DBSIZE",)) == [2]
        file.write_text("".join(lines))
        whole = Typist()
        assert stage.run(stage.order(file), whole).outcome is DONE
        assert ask(node, ("DBSIZE",)) == [4]
        assert [one.step for one in whole.questions] == ["bring-missing"]
        assert whole.looked.warning == ""
        assert stage.run(stage.order(plain), older := Typist()).outcome is DONE
        assert "of an older version, without a count" in older.looked.warning


def test_ctrl_c_ends_it_after_the_keys_that_are_under_way(tmp_path):
    with server(tmp_path / "kept", "7.0") as kept, server(tmp_path / "one", "7.0") as node:
        ask(kept, *(("SET", f"key:{one}", "kept") for one in range(MORE)))
        file = export(tmp_path / "keys.jsonl", kept, *(f"key:{one}" for one in range(MORE)))
        stage, operator = Stage(tmp_path, node), Typist()
        stage.before_sending = lambda: setattr(operator, "wants_to_stop", True)
        ended = stage.run(stage.order(file), operator)
        assert ended.outcome is ABORTED
        assert ask(node, ("DBSIZE",)) == [BATCH]
        assert list(stage.left().values()) == ["not reached"] * (MORE - BATCH)


def test_a_damaged_value_and_one_that_the_server_refuses_are_listed_with_the_reason(tmp_path):
    with server(tmp_path / "kept", "8.0") as kept, server(tmp_path / "one", "6.2") as node:
        ask(kept, ("SET", "sound", "x"), ("SET", "damaged", "value"))
        file = export(tmp_path / "keys.jsonl", kept, "sound", "damaged")
        lines = [exported_key(json.loads(line), time.time()) for line in file.read_text().splitlines()]
        spoiled = lines[1]._replace(payload=lines[1].payload[:3] + b"V" + lines[1].payload[4:])
        file.write_text("".join(f"{json.dumps(fields_of(one, time.time()))}\n" for one in (lines[0], spoiled)))
        stage = Stage(tmp_path, node)
        ended = stage.run(stage.order(file))
        assert (ended.outcome, stage.left()) == (FAILED, {"damaged": "refused"})
        assert ask(node, ("KEYS", "*")) == [[b"sound"]]


def test_a_database_that_the_master_does_not_have_gets_nothing_into_another_one(tmp_path):
    with server(tmp_path / "kept", "7.0") as kept, server(tmp_path / "one", "7.0", databases="4") as node:
        ask(kept, ("SELECT", 3), ("SET", "key", "3"), ("SELECT", 9), ("SET", "key", "9"))
        file = export(tmp_path / "keys.jsonl", kept, "key", db=3)
        stage = Stage(tmp_path, node)
        assert stage.run(stage.order(file)).outcome is DONE
        assert ask(node, ("SELECT", 3), ("GET", "key"))[1] == b"3"
        ended = stage.run(stage.order(export(file, kept, "key", db=9)))
        assert ended.outcome is FAILED
        assert "DB index is out of range" in ended.message
        sender = stage.open_keys("redis-b", None, samples.redis("redis-b"))
        lost = exported_key(json.loads(file.read_text().splitlines()[-1]), time.time())
        answer = sender.send([KeyToSend(0, lost, Fate.MISSING)], lambda _: None, lambda: None)
        sender.close()
        assert answer.left[0][0] is Left.REFUSED
        assert ask(node, ("DBSIZE",)) == [0]


def test_keys_that_expire_while_they_are_sent_are_no_failure(tmp_path):
    """Missing ones are due while they are sent. What would be replaced on the master has expired a moment before."""
    with server(tmp_path / "master", "7.0") as master:
        keys, replaced = [f"key:{one}" for one in range(900)], [f"other:{one}" for one in range(20)]
        due = time.time() + 1.5
        ask(master, *(("SET", key, key, "PXAT", round(due * 1000) + at // 10) for at, key in enumerate(keys)))
        ask(master, *(("SETEX", key, 3600, key) for key in replaced))
        file, stage = export(tmp_path / "keys.jsonl", master, *keys, *replaced), Stage(tmp_path, master)
        ask(master, ("DEL", *keys), *(("SET", key, "now", "PXAT", round(due * 1000)) for key in replaced))
        stage.before_sending = lambda: time.sleep(max(0.0, due + 0.004 - time.time()))
        ended = stage.run(stage.order(file))
        assert ended.outcome is DONE, (ended.message, stage.left())
        assert set(stage.left().values()) <= {"expired", "changed"}
        assert {key for key, why in stage.left().items() if why == "changed"} == set(replaced)
        assert (
            "it has expired on the master since it was shown"
            in (stage.folder / stage.run_id / "left.jsonl").read_text()
        )


def test_a_disk_that_fills_while_values_are_replaced_ends_it_and_each_replaced_one_is_kept(tmp_path):
    with server(tmp_path / "master", "7.0") as master:
        keys = [f"key:{one}" for one in range(250)]
        ask(master, *(("SET", key, "kept") for key in keys))
        file, stage = export(tmp_path / "keys.jsonl", master, *keys), Stage(tmp_path, master)
        ask(master, *(("SET", key, b"now " + os.urandom(1500)) for key in keys))
        room = resource.getrlimit(resource.RLIMIT_FSIZE)
        stage.before_sending = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, room[1]))
        try:
            ended = stage.run(stage.order(file))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, room)
        assert ended.outcome is FAILED
        assert "What would be replaced could not be kept in a file: File too large. 100 of 250" in ended.message
        assert list(stage.left().values()) == ["not reached"] * 150
        assert ask(master, *(("GET", key) for key in keys[:100])) == [b"kept"] * 100
        assert all(one.startswith(b"now ") for one in ask(master, *(("GET", key) for key in keys[100:])))
        lines = (stage.folder / stage.run_id / f"replaced-on-{samples.B}.jsonl").read_text().splitlines()
        assert {json.loads(line).get("key") for line in lines[:101]} >= set(keys[:100])
        stage.before_sending = lambda: None
        assert stage.run(stage.order(file)).outcome is DONE
        assert ask(master, *(("GET", key) for key in keys)) == [b"kept"] * 250


def test_the_look_only_reads(tmp_path):
    """MONITOR sees what a run sends whose operator confirms nothing."""
    with server(tmp_path / "one", "7.0") as node:
        keys = fill(node, "7.0")
        file = export(tmp_path / "keys.jsonl", node, *keys)
        ask(node, ("SET", "number", "other"), ("DEL", "hash"))
        ask(node, ("CONFIG", "RESETSTAT"))
        stage = Stage(tmp_path, node)
        ended = stage.run(stage.order(file), Typist(dict.fromkeys(("bring-missing", "replace-values"), "no")))
        assert ended.outcome is DONE
        (said,) = ask(node, ("INFO", "commandstats"))
        sent = {line.split(":")[0].removeprefix("cmdstat_").replace("|", " ").upper() for line in said.decode().split()}
        allowed = SENT | {"CONFIG RESETSTAT", "INFO", "# COMMANDSTATS", "#", "COMMANDSTATS", "CONFIG|RESETSTAT"}
        assert sent <= {*allowed, "OBJECT"}, sent


def test_of_a_key_that_was_kept_again_the_last_value_comes_back(tmp_path):
    """A run that was interrupted and gone on with may have replaced a key twice."""
    with server(tmp_path / "master", "7.0") as master:
        file, stage, typist = tmp_path / "keys.jsonl", Stage(tmp_path, master), Typist()
        for value in ("first", "second", "last"):
            ask(master, ("SET", "twice", value), ("SET", "once", value))
            export(file, master, "twice", *(["once"] if value == "second" else []))
        ask(master, ("SET", "twice", "now"), ("DEL", "once"))
        assert stage.run(stage.order(file), typist).outcome is DONE
        assert ask(master, ("GET", "twice"), ("GET", "once")) == [b"last", b"second"]
        assert typist.looked is not None
        assert (typist.looked.lines, typist.looked.chosen, typist.looked.older) == (4, 2, 2)
        assert [one.sentence for one in typist.questions] == ["", f"I replace 1 key on {samples.B}"]
        assert stage.left() == {}


def test_a_run_goes_on_with_the_file_that_it_began_with_only(tmp_path):
    with server(tmp_path / "master", "7.0") as master:
        keys = [f"key:{one}" for one in range(9)]
        ask(master, *(("SET", key, key) for key in keys))
        file, stage = export(tmp_path / "keys.jsonl", master, *keys), Stage(tmp_path, master)
        ask(master, ("FLUSHALL",))
        at = 0
        while stage.run(stage.order(file), at=at) is not None or "looked" not in {one.kind for one in stage.entries}:
            at += 1
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(lines[3:]))
        ended = stage.resume()
        assert ended.outcome is FAILED
        assert "was changed since this run began" in ended.message
        file.write_text("".join(lines))
        assert stage.run(stage.order(file)).outcome is DONE
        assert ask(master, ("DBSIZE",)) == [9]


def test_a_file_in_which_no_key_is_chosen_is_refused(tmp_path):
    with server(tmp_path / "master", "7.0") as master:
        ask(master, ("SET", "key", "value"))
        file, stage = export(tmp_path / "keys.jsonl", master, "key"), Stage(tmp_path, master)
        ended = stage.run(stage.order(file, "other*"))
        assert ended.outcome is REFUSED
        assert ended.message == f"{file}: no key of it is chosen by --keys; nothing was sent."
        file.write_text("")
        assert stage.run(stage.order(file)).message == f"{file}: there is no key in it; nothing was sent."
        file.unlink()
        os.mkfifo(file)
        assert stage.run(stage.order(file)).message == f"{file} is no regular file."
