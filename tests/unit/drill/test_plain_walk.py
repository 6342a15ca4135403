"""What a walk answers to the plain interface, and what it makes of its end."""

from __future__ import annotations

import os
import sys

import pytest

from console.core.drills.walks import RunbookWalk
from console.drill import plain_walk
from console.drill.plain_walk import PlainWalk

HEAD = """
import sys
def ask(prompt, *wanted):
    answer = input(prompt)
    assert not wanted or answer in wanted, (prompt, answer)
    return answer
assert sys.argv[1:] == ["run", "one-shot-rebuild", "cache", "--plain"], sys.argv
"""
DONE = """
ask("Which node has the role returning? [redis-b/redis-c] ", "redis-b")
print("\\n== 1/2 stop-keepalived: Stop it")
ask("Run this step? [y/N/skip/abort] ", "y")
print("\\n== 2/2 replicate: Follow")
ask('Type "redis-b" to confirm, anything else cancels: ', "redis-b")
print("run 20260101T000000Z-cache-x: done")
"""
BLOCKED = """
print("\\n== 1/2 replicate: Follow")
print("  ok  redis-a is a master")
print("  NO  redis-b's keepalived is stopped: it runs (hazard H16)")
print("      stop it first")
looked = 0
while ask("Blocked. [LOOK/abort] ", "look", "abort") == "look":
    looked += 1
assert looked
print("run 20260101T000000Z-cache-x: aborted")
"""
SAVED = """
for step in ("export", "backup", "replicate"):
    print(f"\\n== 1/3 {step}: Do it")
    if step != "replicate":
        ask("Run this step? [y/N/skip/abort] ", "y")
while ask("Blocked. [LOOK/override/abort] ", "look", "override") != "override":
    pass
ask('Type "I accept the loss of redis-a" to override, anything else cancels: ', "I accept the loss of redis-a")
ask('Type "redis-a" to confirm, anything else cancels: ', "redis-a")
print("run 20260101T000000Z-cache-x: done")
"""
UNSAVED = """
print("\\n== 1/3 backup: Do it")
ask("Run this step? [y/N/skip/abort] ", "y")
print("\\n== 2/3 replicate: Do it")
print("  NO  redis-b has all data of redis-a")
while ask("Blocked. [LOOK/override/abort] ", "look", "abort") != "abort":
    pass
print("run 20260101T000000Z-cache-x: aborted")
"""
KEPT = """
assert sys.argv[1:] == ["runs", "replay", "20260101T000000Z-cache-x"], sys.argv
print("\\n== 1/2 missing")
ask("Bring them? [y/N/abort] ", "y")
print("\\n== 2/2 another value")
assert ask('Type "replace 3 values": ') == ""
print("run 20260102T000000Z-cache-replay: done")
"""
WAITS = """
import signal, time
class Stopped(Exception): pass
def stop(*_): raise Stopped
signal.signal(signal.SIGINT, stop)
print("\\n== 1/1 mend: Wait until it is in sync")
try:
    time.sleep(60)
except Stopped:
    print("  NO  Redis on redis-b answers: it does not run")
ask("Not done. [LOOK/abort] ", "abort")
print("run 20260101T000000Z-cache-x: failed")
"""
TAKEN = """
print("another run holds the lock of redis-a")
assert ask('Type "I take over" to take over, anything else cancels: ') == ""
print("redis-ha-console: cancelled: nothing was armed")
"""


def walked(script, tmp_path, monkeypatch, **options):
    monkeypatch.setattr(plain_walk, "_LOOK_FOR", 0.5)
    monkeypatch.setattr(plain_walk, "_LOOK_EVERY", 0.1)
    monkeypatch.setattr(plain_walk, "_WAITS_FOR", 3.0)
    program = tmp_path / "console.py"
    program.write_text(script)
    walk = PlainWalk("one-shot-rebuild", "cache", os.environ, (sys.executable, str(program)), **options)
    ended = walk.walk()
    assert "Traceback" not in walk.text
    return walk, ended


def test_kept_keys_are_brought_back_where_they_are_missing(tmp_path, monkeypatch):
    script = HEAD.rpartition("assert")[0] + KEPT
    walk, ended = walked(script, tmp_path, monkeypatch, replayed="20260101T000000Z-cache-x")
    assert ended == RunbookWalk("runs replay", "done", "", "")
    assert walk.run_id == "20260102T000000Z-cache-replay"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (DONE, RunbookWalk("one-shot-rebuild", "done", "", "")),
        (
            BLOCKED,
            RunbookWalk("one-shot-rebuild", "aborted", "replicate",
                        "NO redis-b's keepalived is stopped: it runs (hazard H16) stop it first"),
        ),
        (SAVED, RunbookWalk("one-shot-rebuild", "done", "", "", "I accept the loss of redis-a")),
        (UNSAVED, RunbookWalk("one-shot-rebuild", "aborted", "replicate", "NO redis-b has all data of redis-a")),
        (WAITS, RunbookWalk("one-shot-rebuild", "failed", "mend", "NO Redis on redis-b answers: it does not run")),
        (TAKEN, RunbookWalk("one-shot-rebuild", "", "", "")),
    ],
)  # fmt: skip
def test_a_walk_answers_as_a_careful_operator(script, expected, tmp_path, monkeypatch):
    _, ended = walked(HEAD + script, tmp_path, monkeypatch)
    if expected.ended:
        assert ended == expected
    else:
        assert (ended.ended, ended.step) == ("", "")
        assert "nothing was armed" in ended.reason
