"""Acknowledged writes that a dead master never sent: found on its disk, named, kept, and still there afterwards."""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
import time

import pytest
import redis as redis_py
from lab.plain import assert_healthy_and_protected, console, run_plain
from lab.writer import Writer

from console.engine.actions.throw_away import FOLDER

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
STEP = "keep-disk-keys"
LOST = 20
DATA = "cd /data/redis && find . \\( -name '*.rdb' -o -name '*.aof*' \\) -type f -exec md5sum {} + | sort"
AOF = ("appendonly yes", "appendfsync always")
OWN_SERVER = '#!/bin/sh\nexec env LD_LIBRARY_PATH=/opt/redis/lib /opt/redis/redis-server "$@"\n'


def lose_writes(lab, *, dump=False):
    """The master acknowledges writes that its replica never gets, and dies. The replica is promoted."""
    old, survivor = lab.host(B), lab.host(A)
    with Writer(lab.vip) as writer:
        writer.wait_for(20, 10)
        survivor.redis("CONFIG", "SET", "masterauth", "not the password")
        survivor.redis("CLIENT", "KILL", "TYPE", "master")
        lab.wait(lambda: "master_link_status:down" in survivor.redis("INFO", "replication"), 10, "the link is down")
        writer.wait_for(20, 10)
        with writer.held():
            for number in range(LOST):
                assert old.redis("SET", f"lost:{number}", f"value {number}") == "OK"
            acknowledged = int(old.redis("GET", writer.key))
            if dump:
                assert old.redis("SAVE") == "OK"
            lab.fault("kill", B, "redis")
    lab.wait(lambda: lab.vip_holders() == [A], 30, "the survivor holds the VIP")
    lab.wait(lambda: "role:master" in survivor.redis("INFO", "replication"), 30, "the survivor is promoted")
    assert survivor.redis("EXISTS", "lost:1") == "0"
    return writer.key, acknowledged


def nothing_is_left(lab):
    """No folder of a throw-away server and no server but the node's own, on the host of the dead master."""
    old = lab.host(B)

    def gone():
        found = old.run(f"ls -d /data/redis/{FOLDER}.* 2>/dev/null; pgrep -f {FOLDER} | grep -v $$").stdout
        return not found.strip()

    lab.wait(gone, 30, "nothing is left of the throw-away server")


def kept_keys(state):
    (file,) = state.glob("**/keys-of-redis-b*.jsonl")
    return file, {one["key"]: one for one in map(json.loads, file.read_text().splitlines()[:-1])}


@pytest.mark.parametrize(
    ("redis", "config"),
    [("6.2", AOF), ("7.0", AOF), ("8.0", AOF), ("7.0", ())],
    ids=["one-file", "folder", "folder-of-8", "dump"],
)
def test_what_never_left_a_dead_master_is_found_named_and_kept(pair, tmp_path, redis, config):
    lab = pair("healthy", redis=redis, redis_config=config)
    if redis != "7.0":
        lab.host(B).write("/opt/sbin/redis-server", OWN_SERVER, 0o755)
    counter, acknowledged = lose_writes(lab, dump=not config)
    planned = console(lab, "plan", "one-shot-rebuild", lab.cluster, state=tmp_path).stdout
    assert STEP in planned
    before = lab.host(B).run(DATA).stdout

    def at(prompt):
        if prompt.step == "start-returning":
            nothing_is_left(lab)
            assert lab.host(B).run(DATA).stdout == before
        return ""

    # By a dump the histories tell of the loss, and the gate wants it accepted in words.
    run = run_plain(lab, "one-shot-rebuild", state=tmp_path, at=at, override="sentence")
    assert (run.outcome, run.code) == ("done", 0), run.text
    file, kept = kept_keys(tmp_path)
    assert {f"lost:{number}" for number in range(LOST)} == {key for key, one in kept.items() if one["why"] == "missing"}
    assert counter in kept
    report = console(lab, "runs", "report", state=tmp_path).stdout
    shown = "".join(run.text.split())
    for words in (f"{LOST} keys are not on {A}", "kept in keys-of-redis-b.jsonl of this run", str(file)):
        assert words in report, report
        assert "".join(words.split()) in shown, run.text
    assert lab.host(A).redis("EXISTS", "lost:1") == "0", "nothing is put back by itself"
    with redis_py.Redis(lab.host(A).address, protocol=2) as client:
        for one in (kept[f"lost:{number}"] for number in range(LOST)):
            client.restore(one["key"], one["pttl"], base64.b64decode(one["dump_base64"]))
    assert lab.host(A).redis("GET", "lost:7") == "value 7"
    assert int(lab.host(A).redis("GET", counter)) < acknowledged
    assert_healthy_and_protected(lab, A)


def test_an_aof_whose_end_is_cut_is_compared_up_to_there_and_a_full_disk_is_told(pair, tmp_path):
    lab = pair("healthy", redis="7.0", redis_config=AOF)
    lose_writes(lab)
    old = lab.host(B)
    newest = old.run("ls /data/redis/appendonlydir/*.incr.aof | tail -n 1").stdout.strip()
    old.run(f"truncate -s -3 {newest}", check=True)
    lab.fault("fill", B)
    prompts = []

    def at(prompt):
        prompts.append(prompt.step)
        return "abort" if prompt.step == "start-returning" else ""

    run = run_plain(lab, "one-shot-rebuild", state=tmp_path / "full", at=at)
    assert run.outcome == "aborted"
    assert STEP in prompts
    assert "no room in /data/redis" in "".join(run.text.split("\n"))
    assert not list(tmp_path.glob("**/keys-of-redis-b*"))
    nothing_is_left(lab)

    lab.fault("heal", B)
    run = run_plain(lab, "one-shot-rebuild", state=tmp_path / "room", at=at)
    assert run.outcome == "aborted"
    _, kept = kept_keys(tmp_path)
    lost = {key for key, one in kept.items() if one["why"] == "missing"}
    assert lost == {f"lost:{number}" for number in range(LOST - 1)}, "the last command is cut, the others are whole"
    nothing_is_left(lab)


def test_a_console_that_is_killed_while_it_compares_leaves_nothing_on_the_node(pair, tmp_path):
    lab = pair("healthy", redis="7.0", redis_config=AOF, disk="256m")
    lab.host(B).redis("EVAL", "for i = 1, 200000 do redis.call('SET', 'many:' .. i, i) end", "0")
    lose_writes(lab)
    seen = []

    def at(prompt):
        if prompt.step != STEP:
            return ""
        threading.Thread(target=kill_when_it_is_there, args=(prompt.terminal.pid,), daemon=True).start()
        return "y"

    def kill_when_it_is_there(console_pid):
        until = time.monotonic() + 60
        while time.monotonic() < until and not seen:
            if lab.host(B).run(f"ls -d /data/redis/{FOLDER}.*/s 2>/dev/null").stdout:
                seen.append("there")
                os.kill(console_pid, signal.SIGKILL)

    run = run_plain(lab, "one-shot-rebuild", state=tmp_path, at=at, own=True)
    assert seen == ["there"]
    assert run.outcome == ""
    nothing_is_left(lab)
