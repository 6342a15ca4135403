"""A console that is killed at any moment of a rebuild: the run is gone on with, and nothing is lost or done twice.

How it is killed stands in `dying_console.py`. A moment is after an entry of the journal, or between a command that was
carried out and its answer's entry; before an entry is the same as after the one before it, or as a send's end. No other
state can be left on the disk but half a line, which has a test of its own.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

import pexpect
import pytest
from lab.plain import ASKED, GATE, LAST, STUCK, assert_healthy_and_protected, console, environment
from lab.writer import Writer

from console.lab.pair import Laboratory

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
DYING = str(Path(__file__).with_name("dying_console.py"))
RESUME = ("runs", "resume", "--plain")


class Deaths:
    """A rebuild by consoles that die, one after the other, and an operator who says yes and tries again."""

    def __init__(self, lab: Laboratory, state: Path) -> None:
        self.lab, self.state = lab, state
        self.file = state / "moments"
        self.text = ""
        self.outcome = ""
        self.retried: list[str] = []

    def rebuild(self, where: str, *, deadline: float = 60) -> None:
        first = ("run", "one-shot-rebuild", self.lab.cluster, "--plain")
        words = [DYING, str(self.file), where, *first, "--", *RESUME]
        terminal = pexpect.spawn(
            sys.executable, words, env=environment(self.lab, self.state), encoding="utf-8", timeout=deadline,
            dimensions=(24, 100),
        )  # fmt: skip
        terminal.delaybeforesend = None
        try:
            while True:
                found = terminal.expect([ASKED, GATE, STUCK, LAST, pexpect.EOF])
                self.text += str(terminal.before) + (str(terminal.after) if found != 4 else "")
                if found == 0:
                    terminal.sendline("y")
                elif found == 1:
                    terminal.sendline(terminal.match.group(1))
                elif found == 2:
                    again = "retry" in str(terminal.after)
                    self.retried.append(str(terminal.before)[-1500:])
                    terminal.sendline("retry" if again else "abort")
                elif found == 3:
                    self.outcome = terminal.match.group(2)
                else:
                    break
        finally:
            terminal.close()

    @property
    def moments(self) -> list[str]:
        return self.file.read_text().splitlines()

    @property
    def sent(self) -> Counter[str]:
        return Counter(Path(f"{self.file}.sent").read_text().splitlines())

    @property
    def entries(self) -> list[dict]:
        (journal,) = self.state.glob("redis-ha-console/runs/*/journal.jsonl")
        return [json.loads(line) for line in journal.read_text("utf-8").splitlines()]


def test_a_console_that_is_killed_at_every_moment_of_a_rebuild(pair, tmp_path):
    """One rebuild by some hundred consoles. Every entry and every command has been the last one of some of them."""
    lab = pair("failed-over")
    deaths = Deaths(lab, tmp_path)
    with Writer(lab.vip) as writer:
        writer.wait_for(100, 10)
        deaths.rebuild("everywhere")
        writer.wait_for(100, 10)
    assert deaths.outcome == "done", deaths.text[-4000:]
    assert writer.lost() == 0
    assert_healthy_and_protected(lab, A)
    entries = deaths.entries
    assert_every_moment_was_died_at(entries, deaths)
    assert_nothing_was_sent_twice(lab, deaths)
    assert_what_died_is_unknown(entries, deaths)
    verified = console(lab, "runs", "verify", state=tmp_path)
    assert verified.returncode == 0, verified.stderr


def assert_every_moment_was_died_at(entries: list[dict], deaths: Deaths) -> None:
    """Enumerated from the journal itself: whatever kind of entry stands in it at whatever step, and every command."""
    died = {moment.rpartition(" #")[0] for moment in deaths.moments}
    stand = set()
    for entry in entries:
        data = entry["data"]
        what = " ".join(str(data[key]) for key in ("step", "place") if key in data)
        stand.add(f"after {entry['kind']}{' on resume' if data.get('on_resume') else ''} {what}".rstrip())
    assert stand - died == {"after opened", "after closed"}
    assert {f"sent {line}" for line in deaths.sent} <= died
    resumed = [entry for entry in entries if entry["kind"] == "resumed"]
    assert len(resumed) == len(deaths.moments), "each death was followed by a console that went on"


def assert_nothing_was_sent_twice(lab: Laboratory, deaths: Deaths) -> None:
    """But the proof by writing: only its answer proves it, and the operator said that it may be sent again."""
    twice = {line for line, times in deaths.sent.items() if times > 1}
    assert all(re.search(r"> (SET|GET) redis-ha-console:proof:", line) for line in twice), deaths.sent
    stats = lab.host(B).redis("INFO", "commandstats")
    assert "cmdstat_slaveof:calls=1," in stats or "cmdstat_replicaof:calls=1," in stats


def assert_what_died_is_unknown(entries: list[dict], deaths: Deaths) -> None:
    """Each intent that its console did not outlive is marked, once; every other one has its own answer."""
    marked = [entry for entry in entries if entry["data"].get("on_resume")]
    assert {entry["data"]["answer"]["kind"] for entry in marked} == {"unknown"}
    of_intent = [moment for moment in deaths.moments if moment.startswith(("after intent", "sent "))]
    assert len(marked) == len(of_intent)
    intents = [entry for entry in entries if entry["kind"] == "intent"]
    results = [entry for entry in entries if entry["kind"] == "result"]
    assert len(intents) == len(results)
