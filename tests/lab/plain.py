"""An operator at a plain terminal: drives `run … --plain` through a pseudo-terminal, as a person would type."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pexpect

import console as console_package
from console.lab.assembly.laboratory import Laboratory

ASKED = r"Run this step\? \[y/N/skip/abort\] "
GATE = r'Type "([\w.-]+)" to confirm, anything else cancels: '
STUCK = r"(?:Blocked|Not done)\. \[[^\]\r\n]*\] "
SENTENCE = r'Type "(I (?:accept|know) [^"]+)" to override, anything else cancels: '
LAST = r"run ([\w-]+): (done|failed|refused|aborted|unknown)"


@dataclass
class PlainRun:
    """What was seen and answered in one run."""

    outcome: str = ""
    code: int | None = None
    text: str = ""
    gates: list[str] = field(default_factory=list)
    confirmed: int = 0
    stuck: str = ""


@dataclass(frozen=True)
class Prompt:
    """What the terminal asks now, for who answers otherwise than with a yes."""

    step: str
    kind: str
    """asked, gate or stuck."""
    text: str
    """All that was printed since the last answer."""
    terminal: Any


def console(lab: Laboratory, *words: str, state: Path | None = None) -> subprocess.CompletedProcess[str]:
    """One call of the console in the laboratory, without a terminal."""
    return subprocess.run(
        [sys.executable, *forked(), *words], env=environment(lab, state), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip


@cache
def forked() -> tuple[str, ...]:
    """How Python is called for a console that is forked from a process of this room; that one ends with this one."""
    program = str(Path(__file__).with_name("forked.py"))
    place = Path(tempfile.mkdtemp(prefix="consoles-")) / "socket"
    # The console that these tests import, which may stand in another folder than the installed one.
    tested = dict(os.environ) | {"PYTHONPATH": str(Path(console_package.__file__).parents[1])}
    server = subprocess.Popen([sys.executable, program, str(place)], stdin=subprocess.PIPE, env=tested)

    def end() -> None:
        server.communicate(timeout=10)
        shutil.rmtree(place.parent)

    atexit.register(end)
    until = time.monotonic() + 30
    while not place.exists():
        assert server.poll() is None, "the process that forks consoles has ended"
        assert time.monotonic() < until, "the process that forks consoles does not come"
        time.sleep(0.02)
    return ("-S", "-E", program, str(place))


def environment(lab: Laboratory, state: Path | None = None) -> dict[str, str]:
    own = {"TERM": "xterm-256color", "NO_COLOR": "1", "COLUMNS": "100", "XDG_STATE_HOME": str(state or lab.folder)}
    return dict(os.environ) | lab.environment | own


def status(lab: Laboratory) -> dict[str, Any]:
    """The one cluster of `status --format json`."""
    answer = console(lab, "status", "--format", "json")
    assert answer.stdout, answer.stderr
    cluster: dict[str, Any] = json.loads(answer.stdout)["clusters"][0]
    return cluster


PASSING = ("no Sentinel is in TILT mode: in TILT", "can begin a background save: a save is in progress")
"""Why a step is blocked where only time is needed."""


class _Passing(NamedTuple):
    """What passes by itself is waited for. A busy machine alone puts a Sentinel into TILT mode for 30 s."""

    deadline: float

    def lasts(self, blocked: str) -> bool:
        told = " ".join(blocked.split())
        return any(one in told for one in PASSING) and time.monotonic() < self.deadline


def failed_steps(lab: Laboratory) -> dict[tuple[str, str], str]:
    """What `inventory check --connect` says that fails: (node or watcher, step) → what to change."""
    answer = console(lab, "inventory", "check", "--connect", "--format", "json")
    assert answer.stdout, answer.stderr
    (cluster,) = json.loads(answer.stdout)["clusters"]
    steps = {(one["name"], step["step"]): step for one in cluster["subjects"] for step in one["steps"]}
    failed = {key: step["change"] for key, step in steps.items() if step["outcome"] == "fails"}
    assert answer.returncode == bool(failed)
    return failed


def run_plain(
    lab: Laboratory,
    runbook: str = "one-shot-rebuild",
    *options: str,
    state: Path | None = None,
    deadline: float = 120,
    typed: str = "",
    override: str = "",
    at: Callable[[Prompt], str] | None = None,
    own: bool = False,
) -> PlainRun:
    """Runs to the end, saying yes and typing the names that are asked for. `typed` is typed at a gate instead.

    A run that is blocked is aborted, and its reason kept in `stuck`; but where `override` is given and can be, that is
    typed first, `sentence` being the very sentence that is asked for. `at` hears of each prompt before it is answered;
    what it returns is typed instead, unless it is empty. `own`: by a Python of its own, as at a real terminal, and not
    a forked one.
    """
    seen = PlainRun()
    step = ""
    passing = _Passing(time.monotonic() + deadline)
    console = ("-m", "console") if own else forked()
    words = [*console, "run", runbook, lab.cluster, "--plain", *options]
    terminal = pexpect.spawn(
        sys.executable, words, env=environment(lab, state), encoding="utf-8", timeout=deadline, dimensions=(24, 100)
    )
    terminal.delaybeforesend = None
    try:
        while True:
            found = terminal.expect([ASKED, GATE, STUCK, LAST, pexpect.EOF, SENTENCE])
            before = str(terminal.before)
            seen.text += str(terminal.before) + str(terminal.after if found != 4 else "")
            step = (re.findall(r"== \d+/\d+ ([\w-]+): ", seen.text) or [step])[-1]
            kind = {0: "asked", 1: "gate", 2: "stuck"}.get(found, "")
            if at and kind and (answer := at(Prompt(step, kind, before, terminal))):
                seen.stuck += before if kind == "stuck" else ""
                terminal.sendline(answer)
            elif found == 0:
                seen.confirmed += 1
                terminal.sendline("y")
            elif found == 1:
                name = terminal.match.group(1)
                again = bool(seen.gates)
                seen.gates.append(name)
                terminal.sendline("abort" if typed and again else typed or name)
            elif found == 2:
                seen.stuck += before
                offered = override and "/override/" in str(terminal.after)
                terminal.sendline("override" if offered else "look" if passing.lasts(before) else "abort")
            elif found == 3:
                seen.outcome = terminal.match.group(2)
            elif found == 5:
                terminal.sendline(" ".join(terminal.match.group(1).split()) if override == "sentence" else override)
                override = ""
            else:
                break
    finally:
        terminal.close()
    seen.code = terminal.exitstatus
    return seen


def assert_healthy_and_protected(lab: Laboratory, master: str) -> None:
    """As every reader sees it: the console's own status, and the servers themselves."""
    replica = "redis-b" if master == "redis-a" else "redis-a"
    cluster = status(lab)
    assert cluster["health"] == "healthy", json.dumps(cluster["findings"], indent=1)
    assert lab.vip_holders() == [master]
    assert "role:master" in lab.host(master).redis("INFO", "replication")
    following = lab.host(replica).redis("INFO", "replication")
    assert "role:slave" in following
    assert "master_link_status:up" in following
    assert lab.host(replica).running("keepalived")
    assert lab.host(master).running("keepalived")


def assert_fails_over_again(lab: Laboratory, master: str) -> None:
    """The protection is real: the master's death moves the VIP, and the other one is promoted."""
    replica = "redis-b" if master == "redis-a" else "redis-a"
    lab.fault("kill", master, "redis")
    lab.wait(lambda: lab.vip_holders() == [replica], 20, f"{replica} holds the VIP")
    lab.wait(lambda: "role:master" in lab.host(replica).redis("INFO", "replication"), 20, f"{replica} is promoted")
