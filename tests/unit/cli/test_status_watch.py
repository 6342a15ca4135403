"""`status --watch`: a line for each change, as it comes, until a signal or the end of the pipe."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
import samples

from console.cli.context import Adapters
from console.cli.main import run
from console.core.model import ClusterState

NODES = "nodes: [{name: redis-a, address: 192.168.100.201}, {name: redis-b, address: 192.168.100.202}]"
INVENTORY = (
    "version: 1\nclusters:\n"
    f"  - {{name: cache, kind: keepalived, vip: 192.168.100.123, {NODES}}}\n"
    f"  - {{name: sessions, kind: keepalived, vip: 192.168.100.124, {NODES}}}\n"
    "  - {name: wrong, kind: none}\n"
)
LONG = 30.0
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (cache|sessions|wrong) [\w-]+: \S.*")


class Scripted(fakes.FakeInspector):
    """Shows one state after the other, and then the last one. A state may be an error, or an event to wait for."""

    def __init__(self, cluster: str, states: list[object]) -> None:
        self.states = list(states)
        super().__init__(self.next, cluster)

    def next(self) -> ClusterState:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, threading.Event):
            state.wait(LONG)
            return self.next()
        if isinstance(state, Exception):
            raise state
        return replace(state, name=self.cluster)


class Output:
    """The end of a pipe that a test reads line by line while the command writes into the other one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reading, writing = os.pipe()
        self.lines = os.fdopen(reading, encoding="utf-8")
        self.written = os.fdopen(writing, "w", encoding="utf-8")
        monkeypatch.setattr(sys, "stdout", self.written)

    def until(self, part: str) -> Iterator[str]:
        for line in self.lines:
            yield line.rstrip("\n")
            if part in line:
                return


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    return path


def adapters(**states: list[object]) -> Adapters:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("status has no hands and no screen")

    return Adapters(
        clock=fakes.FakeClock,
        inspector=lambda cluster, *_, **__: Scripted(cluster.name, states[cluster.name]),
        run_starter=never,
        run_app=never,
    )


def started(inventory: Path, output: Output, read: object, looks: Adapters) -> tuple[int, float]:
    """Runs `status --watch` in this thread, as signals need, while `read` reads in another. Exit code and seconds."""
    threading.Thread(target=read, daemon=True).start()
    began = time.monotonic()
    code = run(["-i", str(inventory), "status", "--watch", "--interval", "0.5"], looks)
    return code, time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_changes_come_a_line_each_until_a_signal(inventory, monkeypatch, number):
    output, lines = Output(monkeypatch), []
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]

    def read() -> None:
        lines.extend(output.until("sessions finding: closed: "))
        os.kill(os.getpid(), number)

    looks = adapters(
        cache=[samples.healthy_pair()],
        sessions=[samples.failed_over_pair(), OSError("no\nroute"), OSError("no\nroute"), samples.rebuilt_pair()],
    )
    code, took = started(inventory, output, read, looks)
    assert (code, took < LONG) == (0, True)
    assert all(LINE.fullmatch(line) for line in lines), lines
    text = "\n".join(lines)
    assert "wrong cluster: cannot be used: " in text
    assert text.count("cache health: healthy, master redis-b, VIP held by redis-b, clients reach redis-b") == 1
    assert text.count("sessions cluster: could not be observed: OSError: no route") == 1
    assert text.count("sessions cluster: observed again") == 1
    assert re.search(r"sessions health: \w+ → healthy", text)
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)] == before


def test_a_cluster_that_hangs_delays_no_other_one(inventory, monkeypatch):
    output, lines, hangs = Output(monkeypatch), [], threading.Event()

    def read() -> None:
        lines.extend(output.until("→ healthy"))
        os.kill(os.getpid(), signal.SIGTERM)

    looks = adapters(
        cache=[hangs, samples.healthy_pair()], sessions=[samples.failed_over_pair(), samples.rebuilt_pair()]
    )
    code, took = started(inventory, output, read, looks)
    hangs.set()
    assert (code, took < LONG) == (0, True)
    assert not [line for line in lines if " cache " in line]


def test_it_ends_when_nobody_reads_any_more_although_nothing_changes(inventory, monkeypatch):
    output, lines = Output(monkeypatch), []

    def read() -> None:
        lines.extend(output.until("cache health: "))
        output.lines.close()

    looks = adapters(cache=[samples.healthy_pair()], sessions=[samples.healthy_pair()])
    code, took = started(inventory, output, read, looks)
    assert (code, took < LONG) == (0, True)
    assert lines


@pytest.mark.parametrize("worst", ["cache", "sessions"])
def test_the_first_lines_have_the_worst_cluster_first(inventory, monkeypatch, worst):
    output, lines = Output(monkeypatch), []
    other = ({"cache", "sessions"} - {worst}).pop()

    def read() -> None:
        lines.extend(output.until(f"{other} health: healthy"))
        os.kill(os.getpid(), signal.SIGTERM)

    looks = adapters(**{other: [samples.healthy_pair()], worst: [samples.failed_over_pair()]})
    code, took = started(inventory, output, read, looks)
    assert (code, took < LONG) == (0, True)
    told = [line.split()[1] for line in lines if " wrong " not in line]
    assert told[0] == worst
    assert told.count(worst) == len(told) - 1


@pytest.mark.parametrize("option", [["--only", "critical"], ["--verbose"]])
@pytest.mark.parametrize("endless", [["--watch"], ["--listen", "0"]])
@pytest.mark.parametrize("names", [[], ["cache"]])
def test_the_refusal_of_a_selection_by_health_is_true_of_any_number_of_clusters(
    inventory, capsys, option, endless, names
):
    assert run(["-i", str(inventory), "status", *names, *endless, *option], adapters()) == 3
    said = capsys.readouterr().err
    assert f"{endless[0]} tells everything of the clusters it looks at" in said
    assert said.count("\n") == 1
