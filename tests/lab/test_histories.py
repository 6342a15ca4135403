"""The rules of console.core.replication.history, checked against real servers on loopback ports of their own."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from dataclasses import replace

import pytest
import samples as s

from console.core.model import ClockReading, read
from console.core.model.verdict import Verdict
from console.core.replication.history import compare_histories
from console.core.replication.resync import ResyncKind, predict_resync
from console.probes.redis import info as redis_info

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed"),
]


class Pair:
    """redis-b is the master, redis-a follows it; every key of one second expires."""

    def __init__(self, folder):
        self.folder, self.ports, self.processes = folder, {s.A: free_port(), s.B: free_port()}, {}

    def start(self, name):
        place = self.folder / name
        place.mkdir(exist_ok=True)
        words = ["--port", str(self.ports[name]), "--bind", "127.0.0.1", "--dir", str(place), "--save", "900 1"]
        command = ["redis-server", *words, "--repl-diskless-sync-delay", "0"]
        self.processes[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(lambda: self.ask(name, "PING") == "PONG")

    def stop(self, name, how):
        self.processes[name].send_signal(how)
        self.processes[name].wait(20)

    def ask(self, name, *words):
        done = subprocess.run(
            ["redis-cli", "-p", str(self.ports[name]), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def state(self):
        now, nodes = time.time(), []
        for name, port in self.ports.items():
            server = redis_info.parse(self.ask(name, "INFO"))
            node = s.node(name, now, server, s.VrrpState.STOP)
            nodes.append(replace(node, address="127.0.0.1", redis_port=port, clock=read(ClockReading(now, 0, 0), now)))
        return s.cluster(now, *nodes)

    def judged(self):
        state = self.state()
        source, target = state.node(s.A), state.node(s.B)
        return compare_histories(state, source, target), predict_resync(state, source, target)[0]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


@pytest.fixture
def servers(tmp_path):
    pair = Pair(tmp_path)
    try:
        for name in (s.B, s.A):
            pair.start(name)
        pair.ask(s.A, "SLAVEOF", "127.0.0.1", str(pair.ports[s.B]))
        until(lambda: "master_link_status:up" in pair.ask(s.A, "INFO", "replication"))
        for number in range(20):
            pair.ask(s.B, "SET", f"key{number}", "value", "PX", "1000" if number < 5 else "900000")
        until(lambda: pair.ask(s.A, "GET", "key19") == "value")
        yield pair
    finally:
        for process in pair.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait(20)


@pytest.mark.parametrize("how", ["shut down", "killed after a save"])
def test_a_master_that_returns_from_its_dump(servers, how):
    if how == "killed after a save":
        servers.ask(s.B, "SAVE")
        servers.ask(s.B, "SET", "after", "the save")
        until(lambda: servers.ask(s.A, "GET", "after") == "the save")
    servers.stop(s.B, signal.SIGTERM if how == "shut down" else signal.SIGKILL)
    servers.ask(s.A, "SLAVEOF", "NO", "ONE")
    until(lambda: servers.ask(s.A, "EXISTS", "key0") == "0")
    servers.start(s.B)
    found, kind = servers.judged()
    assert (found.verdict, kind) == (Verdict.HOLDS, ResyncKind.FULL), found
    servers.ask(s.B, "SET", "its own", "write")
    assert servers.judged()[0].verdict is Verdict.FAILS


def test_two_masters_that_never_stopped(servers):
    until(lambda: servers.ask(s.A, "DBSIZE") == "15")  # what expires later is deleted by the one, not by both
    servers.ask(s.A, "SLAVEOF", "NO", "ONE")
    until(lambda: servers.state().node(s.A).redis.value.second_offset > 0)
    found, kind = servers.judged()
    assert (found.verdict, kind) == (Verdict.HOLDS, ResyncKind.PARTIAL), found
    servers.ask(s.B, "SET", "its own", "write")
    found, kind = servers.judged()
    assert (found.verdict, kind) == (Verdict.FAILS, ResyncKind.FULL), found
    assert found.beyond > 0
