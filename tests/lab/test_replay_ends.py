"""What ends a replay before its last key: another master, a death, the operator, a full disk."""

from __future__ import annotations

import json
import os
import resource
import time
from dataclasses import replace

import pytest
import samples
from lab.replay_servers import MORE, dumps, server
from replay_stage import ABORTED, DONE, FAILED, REFUSED, Stage, Typist, ask, export

from console.core.keys.comparing import same_value
from console.core.model import Role
from console.engine.replay import run
from console.engine.replay.look import BATCH

pytestmark = pytest.mark.lab


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


@pytest.mark.parametrize("later", [False, True])
def test_keys_that_clients_remove_while_others_are_sent_are_told(tmp_path, later):
    """FLUSHALL in the middle: the first batch was brought and verified, and is not there at the end."""
    with server(tmp_path / "kept", "7.0") as kept, server(tmp_path / "one", "7.0") as node:
        ask(kept, *(("SET", f"key:{one}", "kept") for one in range(MORE)))
        file = export(tmp_path / "keys.jsonl", kept, *(f"key:{one}" for one in range(MORE)))
        stage = Stage(tmp_path, node)
        if later:
            operator = Typist()
            operator.end_progress = lambda: ask(node, ("FLUSHALL",))
        else:
            operator, stage.before_sending = Typist(), lambda: ask(node, ("FLUSHALL",))
        ended = stage.run(stage.order(file), operator)
        assert ended.outcome is (FAILED if later else DONE)
        gone = "40 of 40 brought keys" if later else "20 of 40 brought keys"
        assert f"Gone again from redis-b: {gone} looked at again at the end" in ended.message


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


def test_keys_that_the_master_evicts_are_never_called_brought_unseen(tmp_path):
    """Without room it drops keys of its clients, and those that have just come: the run says so, and stops."""
    limits = {"maxmemory": "4mb", "maxmemory-policy": "allkeys-random"}
    with server(tmp_path / "kept", "7.0") as kept, server(tmp_path / "one", "7.0", **limits) as node:
        names = [f"kept:{one}" for one in range(8_000)]
        ask(kept, *(("SET", name, "x" * 200) for name in names))
        ask(node, *(("SET", f"client:{one}", "x" * 200) for one in range(5_000)))
        stage = Stage(tmp_path, node)
        ended = stage.run(stage.order(export(tmp_path / "keys.jsonl", kept, *names)))
        assert ended.outcome is FAILED
        assert "has no room: it has evicted" in ended.message
        ask(node, ("CONFIG", "SET", "maxmemory", "0"))
        assert stage.run(stage.order(tmp_path / "keys.jsonl")).outcome is DONE, "what was evicted before is no reason"
        assert ask(node, ("EXISTS", *names)) == [len(names)]


def test_what_a_master_lost_with_its_restart_is_brought_again_by_the_one_that_goes_on(tmp_path):
    with server(tmp_path / "kept", "7.0") as kept, server(tmp_path / "one", "7.0") as node:
        ask(kept, *((("SET", name, "kept")) for name in ("a", "b", "v")))
        file = export(tmp_path / "keys.jsonl", kept, "a", "b", "v")
        stage = Stage(tmp_path, node)
        for moment in range(40):
            ask(node, ("DEL", "a", "b"), ("SET", "v", "there"), ("SAVE",))
            died = stage.run(stage.order(file), at=moment) is None
            if died and any(one.kind == "result" for one in stage.entries):
                break
        else:
            raise AssertionError("it never died after a result")
        node.stop(at_once=True)
        node.start()
        assert ask(node, ("EXISTS", "a", "b")) == [0], "its last save is older"
        stage = restarted(stage, tmp_path, node)
        assert stage.resume().outcome is DONE
        assert ask(node, ("MGET", "a", "b", "v")) == [[b"kept"] * 3]


def restarted(stage, folder, node):
    """The same folder of journals, and the server with its new run_id."""
    new = Stage(folder, node)
    new._opened = stage._opened
    return new


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
