"""`status --watch` and `status --listen` on a pair that fails over: what they tell is what happened."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from lab.plain import environment
from prometheus_client.openmetrics.parser import text_string_to_metric_families

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
DEADLINE = 60.0


class Running:
    """A command that goes on, and the lines that it has printed so far."""

    def __init__(self, process: subprocess.Popen[str], stream: str) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, args=(getattr(process, stream),), daemon=True)
        self._reader.start()

    def _read(self, stream: Iterator[str]) -> None:
        for line in stream:
            self.lines.append(line.rstrip("\n"))

    def wait(self, pattern: str) -> re.Match[str]:
        until(lambda: any(re.search(pattern, line) for line in list(self.lines)), lambda: f"{pattern}\n{self.lines}")
        return next(found for line in self.lines if (found := re.search(pattern, line)))

    def terminated(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return code


def until(holds: Callable[[], bool], what: Callable[[], str]) -> None:
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


@contextlib.contextmanager
def running(lab, state, stream: str, *options: str) -> Iterator[Running]:
    words = [sys.executable, "-m", "console", "status", "--interval", "0.5", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE if stream == "stderr" else None}
    with subprocess.Popen(words, env=environment(lab, state), text=True, **pipes) as process:
        try:
            yield Running(process, stream)
        finally:
            process.kill()


def scraped(url: str) -> dict[tuple[str, ...], float]:
    """Name and labels, without the cluster → value."""
    with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
        text = answer.read().decode()
    return {
        (one.name, *(value for label, value in one.labels.items() if label != "cluster")): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_a_failover_is_told_and_served(pair, tmp_path):
    lab = pair("healthy")
    with (
        running(lab, tmp_path, "stdout", "--watch") as watch,
        running(lab, tmp_path, "stderr", "--listen", "127.0.0.1:0") as listen,
    ):
        url = listen.wait(r"http://127\.0\.0\.1:\d+/metrics")[0]
        watch.wait(rf" health: healthy, master {B}, VIP held by {B}, clients reach {B}")
        before = scraped(url)
        assert before["redis_ha_redis_role", B, "master"] == before["redis_ha_holds_vip", B] == 1
        assert before["redis_ha_redis_link_up", A] == before["redis_ha_survives_next_failure",] == 1

        lab.fault("kill", B, "redis")
        watch.wait(rf" VIP: held by {B} → {A}$")
        watch.wait(rf" {A}: Redis replica → master$")
        watch.wait(r" finding: open: \w+ redis-down on redis-b: ")
        watch.wait(r" health: \w+ → critical$")
        until(lambda: scraped(url).get(("redis_ha_redis_role", A, "master")) == 1, lambda: str(scraped(url)))
        after = scraped(url)
        assert (after["redis_ha_redis_up", B], after["redis_ha_read", B, "redis"]) == (0, 0)
        assert not [one for one in after if one[0].startswith("redis_ha_redis_offset") and B in one]
        assert after["redis_ha_survives_next_failure",] == 0

        assert (watch.terminated(), listen.terminated()) == (0, 0)
        assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S+ [\w-]+: ", line) for line in watch.lines)
        assert len(listen.lines) == 1
