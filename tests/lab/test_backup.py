"""What a rebuild throws away is backed up first, and comes back when it is asked for, on real servers."""

from __future__ import annotations

import re

import pytest
from lab.plain import assert_healthy_and_protected, console, run_plain

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
DUMP = "/data/redis/dump6379.rdb"
COUNTER = "laboratory:counter"


def copies(lab):
    """The finished backups beside redis-b's dump."""
    names = lab.host(B).run(f"ls {DUMP}.redis-ha-console.* 2>/dev/null").stdout.split()
    return [name for name in names if name.endswith("Z")]


def contents(lab, file):
    """Number of keys and the counter of a dump, as a server of its own on loopback loads it."""
    host = lab.host(B)
    folder, name = file.rsplit("/", 1)
    words = f"--port 7777 --bind 127.0.0.1 --dir {folder} --dbfilename {name} --save '' --daemonize yes"
    host.run(f"/usr/bin/redis-server {words}", check=True)
    lab.wait(lambda: host.redis("-p", "7777", "PING") == "PONG", 60)
    try:
        return host.redis("-p", "7777", "DBSIZE"), host.redis("-p", "7777", "GET", COUNTER)
    finally:
        host.redis("-p", "7777", "SHUTDOWN", "NOSAVE")


def test_what_the_rebuild_wipes_is_backed_up_and_can_be_brought_back(pair, tmp_path):
    lab = pair("stale-master-back")
    host = lab.host(B)
    before = host.redis("DBSIZE"), host.redis("GET", COUNTER)
    assert before[1] != lab.host(A).redis("GET", COUNTER), "redis-b is stale"

    host.run("dd if=/dev/zero of=/data/fill bs=64k")
    refused = run_plain(lab, state=tmp_path)
    assert (refused.outcome, refused.gates) == ("aborted", []), refused.text
    assert re.search(r"bytes free in /data/redis, [\d.]+ [kM]B\s+needed", refused.stuck), refused.stuck
    assert "role:master" in host.redis("INFO", "replication")
    host.run(["rm", "/data/fill"], check=True)

    planned = console(lab, "plan", "one-shot-rebuild", lab.cluster, state=tmp_path)
    assert planned.returncode == 0, planned.stdout
    assert "run restore-backup cache --bind target=redis-b" in planned.stdout
    run = run_plain(lab, state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert_healthy_and_protected(lab, A)
    (copy,) = copies(lab)
    assert contents(lab, copy) == before
    owned = host.run(f"stat -c '%a %u:%g' {copy} {DUMP}").stdout.split("\n")
    assert owned[0] == owned[1]
    told = console(lab, "runs", "report", state=tmp_path).stdout
    digest = host.run(["sha256sum", copy]).stdout.split()[0]
    for words in (f"{B}:{copy}", digest, f"cp -p {copy} {DUMP}", "restore-backup cache --bind target=redis-b"):
        assert words in told, told

    back = run_plain(lab, "restore-backup", "--bind", f"target={B}", state=tmp_path)
    assert (back.outcome, back.gates) == ("done", [B]), back.text
    assert (host.redis("DBSIZE"), host.redis("GET", COUNTER)) == before
    assert lab.vip_holders() == [A]
    aside = host.run(f"ls {DUMP}.redis-ha-console.*.set-aside").stdout.split()
    assert len(aside) == 1
    assert contents(lab, aside[0])[1] == lab.host(A).redis("GET", COUNTER)
    again = console(lab, "plan", "restore-backup", lab.cluster, "--bind", f"target={B}", state=tmp_path).stdout
    assert "plan: nothing to do, and nothing would be sent" in again, again


def test_what_was_written_is_saved_first_and_never_put_at_risk_on_a_serving_node(pair, tmp_path):
    lab = pair("stale-master-back", redis_config=("appendonly yes",))
    host = lab.host(B)
    before = host.redis("DBSIZE"), host.redis("GET", COUNTER)
    serving = run_plain(lab, "restore-backup", "--bind", f"target={A}", state=tmp_path)
    assert serving.outcome == "aborted", serving.text
    assert "do not reach redis-a" in serving.stuck
    run = run_plain(lab, state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert "BGSAVE" in run.text, "an AOF was loaded: its dump says nothing"
    (copy,) = copies(lab)
    assert contents(lab, copy) == before
    back = run_plain(lab, "restore-backup", "--bind", f"target={B}", state=tmp_path)
    assert (back.outcome, back.gates) == ("done", [B]), back.text
    assert (host.redis("DBSIZE"), host.redis("GET", COUNTER)) == before, "the dump is the base of its AOF now"
    assert "aof_enabled:1" in host.redis("INFO", "persistence")
    assert lab.vip_holders() == [A]
