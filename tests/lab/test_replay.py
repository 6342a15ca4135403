"""`runs replay` at a terminal, on a whole cluster: consoles that are killed, and what it refuses."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pexpect
import pytest
from lab.plain import console, environment, forked
from replay_stage import RUN, ask, export, kept_run

pytestmark = pytest.mark.lab

DYING = str(Path(__file__).with_name("dying_console.py"))
LEAST_DEATHS, PATIENT = 20, 5


def test_a_console_that_is_killed_at_every_moment_of_a_replay(pair, tmp_path):
    """By as many consoles as it takes: every entry, and every batch that was sent, was the last one of some of them."""
    lab = pair("healthy")
    nodes = dict(lab.system.addresses)
    master = next(name for name in nodes if "role:master" in lab.host(name).redis("INFO", "replication"))
    other = next(name for name in nodes if name != master)
    at = nodes[master]
    kept = [b"kept:%d" % number for number in range(6)] + [b"kept:\xff\x00"]
    ask(at, *(("RPUSH", key, key, b"\x00\xff") for key in kept), ("EXPIRE", "kept:1", 4000))
    file = export(tmp_path / "keys.jsonl", at, *kept)
    ask(at, ("DEL", *kept), ("RPUSH", "kept:0", "new"), ("SET", "kept:2", "s"))
    ask(at, ("RPUSH", "kept:3", "kept:3", b"\x00\xff"), ("EXPIRE", "kept:3", 77))
    named = {other: f"{nodes[other]}:6379", master: f"{at}:6379"}
    run_id = kept_run(tmp_path / "redis-ha-console" / "runs", lab.cluster, named, file)
    told, done = "", None
    for _ in range(PATIENT):  # a starved machine refuses some: a master that is not proved at that moment
        told += killed_everywhere(lab, tmp_path, run_id)
        if (done := re.search(r"run (\S+): done", told)) is not None:
            break
    assert done, told[-3000:]
    moments = (tmp_path / "moments").read_text().splitlines()
    assert len(moments) >= LEAST_DEATHS, moments
    assert ask(at, *(("LRANGE", key, 0, -1) for key in kept)) == [[key, b"\x00\xff"] for key in kept]
    assert 3000 < ask(at, ("TTL", "kept:1"))[0] <= 4000
    assert ask(at, ("TTL", "kept:3")) == [-1]
    assert console(lab, "runs", "verify", done.group(1), state=tmp_path).returncode == 0
    shown = console(lab, "runs", "show", done.group(1), state=tmp_path).stdout
    assert "7 of 7 chosen keys brought" in shown
    ask(at, ("DEL", "kept:0"))
    assert_ctrl_c_at_a_question_ends_it(lab, tmp_path)
    assert ask(at, ("EXISTS", "kept:0")) == [0]
    assert_refusals(lab, tmp_path)


def killed_everywhere(lab, state, run_id):
    words = ("runs", "replay", run_id)
    terminal = pexpect.spawn(
        sys.executable, [DYING, str(state / "moments"), "everywhere", *words, "--", *words],
        env=environment(lab, state), encoding="utf-8", timeout=120, dimensions=(24, 80),
    )  # fmt: skip
    terminal.delaybeforesend = None
    told = ""
    while terminal.expect([r"Bring them\? \[y/N/abort\] ", r'Type "([^"]+)": ', pexpect.EOF]) != 2:
        told += str(terminal.before) + str(terminal.after)
        terminal.sendline(terminal.match.group(1) if terminal.match.groups() else "y")
    told += str(terminal.before)
    terminal.close()
    return told


def assert_ctrl_c_at_a_question_ends_it(lab, state):
    terminal = pexpect.spawn(
        sys.executable, [*forked(), "runs", "replay", RUN], env=environment(lab, state), encoding="utf-8", timeout=60
    )
    terminal.expect(r"Bring them\? \[y/N/abort\] ")
    for _ in range(PATIENT):  # Python may not hear a signal that comes just before it begins to read
        terminal.sendintr()
        if terminal.expect([r"1 not reached: kept:0", pexpect.TIMEOUT], timeout=10) == 0:
            break
    terminal.expect(r"run \S+: aborted")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 1


def assert_refusals(lab, state):
    """Each is one line that says what is wrong."""
    for words, said in (
        (("no-such-run",), "there is no run no-such-run"),
        ((RUN, "--export", "other.jsonl", "--dry-run"), "has kept keys.jsonl: choose one"),
        ((RUN, "--dry-run", "--keys", "kept:[0"), ""),
    ):
        done = console(lab, "runs", "replay", *words, state=state)
        assert said in done.stderr
        assert len(done.stderr.splitlines()) <= 1
        assert done.returncode == (2 if said else 0), done.stderr
    (state / "keys.jsonl").write_text("not an export\n")
    broken = console(lab, "runs", "replay", RUN, "--dry-run", state=state)
    assert (broken.returncode, "line 1 is none of an export" in broken.stderr) == (2, True)
    (state / "keys.jsonl").unlink()
    gone = console(lab, "runs", "replay", RUN, "--dry-run", state=state)
    assert (gone.returncode, "No such file" in gone.stderr) == (2, True)
    os.mkfifo(state / "keys.jsonl")
    pipe = console(lab, "runs", "replay", RUN, "--dry-run", state=state)
    assert (pipe.returncode, "it is no regular file" in pipe.stderr) == (2, True), (
        "nobody writes to it: it is not waited for"
    )
    (state / "keys.jsonl").unlink()
    (state / "keys.jsonl").write_text("")
    lab.fault("kill", "redis-a", "redis")
    lab.fault("kill", "redis-b", "redis")
    dead = console(lab, "runs", "replay", RUN, "--dry-run", state=state)
    assert dead.returncode == 2
    assert "nothing could be brought now" in dead.stderr
    assert len(dead.stderr.splitlines()) == 1
