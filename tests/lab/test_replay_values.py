"""Kept keys come back to real servers of several versions: every type, any bytes, expiries, what a server refuses."""

from __future__ import annotations

import json
import time

import pytest
import samples
from lab.replay_servers import dumps, fill, server
from replay_stage import DONE, FAILED, Stage, Typist, ask, export

from console.core.keys.comparing import Fate
from console.core.keys.exported import exported_key, fields_of
from console.core.keys.rdb.payload import value_of
from console.core.runs.replays.batch import KeyToSend, Left

pytestmark = pytest.mark.lab


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
        ask(kept, ("SELECT", 3), ("SET", "key", "3"), ("SELECT", 9), ("SET", "far", "9"))
        file = export(tmp_path / "keys.jsonl", kept, "key", db=3)
        stage = Stage(tmp_path, node)
        assert stage.run(stage.order(file)).outcome is DONE
        assert ask(node, ("SELECT", 3), ("GET", "key"))[1] == b"3"
        ended = stage.run(stage.order(export(file, kept, "far", db=9)))
        assert ended.outcome is FAILED
        assert stage.left() == {"far": "refused", "key": "equal"}, "the other keys are looked at all the same"
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
