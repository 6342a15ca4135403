"""`status --watch` and `--listen` end at a signal although a node hangs, and so a cluster's inspector cannot close."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import sys
import threading
import time
import urllib.request
from pathlib import Path

import fakes
import pytest
import samples

from console.cli.context import Adapters, CliContext
from console.cli.main import run
from console.core.model import ClusterState

HANGS = 60.0
"""Seconds. Nothing here takes as long."""
INVENTORY = (
    "version: 1\nclusters:\n  - {name: cache, kind: keepalived, vip: 10.0.0.100, nodes: ["
    "{name: redis-a, address: 10.0.0.1}, {name: redis-b, address: 10.0.0.2}]}\n"
)


class Hanging(fakes.FakeInspector):
    """As the real one: `close` waits for the observation under way, which hangs with a node."""

    def __init__(self) -> None:
        super().__init__(self.hang)
        self.lock = threading.Lock()
        self.looks, self.answers = threading.Event(), threading.Event()

    def hang(self) -> ClusterState:
        with self.lock:
            self.looks.set()
            self.answers.wait(HANGS)
            return samples.healthy_pair()

    def close(self) -> None:
        with self.lock:
            pass


@pytest.fixture
def hanging():
    inspector = Hanging()
    yield inspector
    inspector.answers.set()


def adapters(inspector: fakes.FakeInspector, ended: list[int]) -> Adapters:
    return Adapters(
        clock=fakes.FakeClock,
        inspector=lambda *_, **__: inspector,
        run_starter=None,
        run_app=None,
        exit_at_once=ended.append,
    )


def scrape(place: str) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):  # nobody is left to answer it
        urllib.request.urlopen(place, timeout=HANGS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("endless", ["--watch", "--listen"])
def test_it_ends_while_an_observation_hangs(tmp_path: Path, monkeypatch, hanging, endless, number):
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    reading, writing = os.pipe()
    lines = os.fdopen(reading, encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", os.fdopen(writing, "w", encoding="utf-8"))

    def end() -> None:
        if endless == "--listen":
            place = re.search(r"http://\S+/metrics", lines.readline())[0]
            threading.Thread(target=scrape, args=(place,), daemon=True).start()
        hanging.looks.wait(HANGS)
        os.kill(os.getpid(), number)

    threading.Thread(target=end, daemon=True).start()
    options, ended = [endless] if endless == "--watch" else [endless, "0"], []
    began = time.monotonic()
    assert run(["-i", str(tmp_path / "inventory.yaml"), "status", *options], adapters(hanging, ended)) == 0
    assert time.monotonic() - began < HANGS / 2
    assert hanging.lock.locked(), "the observation is still under way"
    assert ended == [0], "Python's clean-up is not waited for either"
    sys.stderr.close()


def test_the_inspectors_are_closed_side_by_side_and_all_of_them(tmp_path: Path, hanging):
    closed = threading.Event()
    idle = fakes.FakeInspector(samples.healthy_pair)
    idle.close = closed.set
    context = CliContext(adapters(hanging, []))
    context._inspectors = {"cache": hanging, "sessions": idle}
    threading.Thread(target=hanging.hang, daemon=True).start()
    hanging.looks.wait(HANGS)
    context.close()
    assert closed.wait(HANGS), "one that hangs keeps no other one open"
