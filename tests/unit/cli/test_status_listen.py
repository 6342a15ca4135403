"""`status --listen`: one observation for all scrapes of an interval, nothing else on the port, no client blocks."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
import samples
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from console.cli.context import Adapters
from console.cli.main import run
from console.cli.status import listening
from console.cli.status.metrics.exposition import CONTENT_TYPE
from console.cli.status.scraping import SharedObservation
from console.core.inventory import UnusableCluster
from console.core.model import ClusterState

LONG = 30.0
NODES = "nodes: [{name: redis-a, address: 192.168.100.201}, {name: redis-b, address: 192.168.100.202}]"
INVENTORY = (
    "version: 1\nclusters:\n"
    f"  - {{name: cache, kind: keepalived, vip: 192.168.100.123, tags: [prod], {NODES}}}\n"
    "  - {name: wrong, kind: none}\n"
)


def values(text: str) -> dict[str, float]:
    """The samples without their labels, by Prometheus' own parser."""
    return {one.name: one.value for family in text_string_to_metric_families(text) for one in family.samples}


# --- the observation that scrapes share ---------------------------------------------------------------------------


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def shared(
    look: Callable[[], ClusterState], clock: Time, interval: float = 15.0
) -> tuple[SharedObservation, fakes.FakeInspector]:
    inspector = fakes.FakeInspector(look)
    return SharedObservation([(replace(fakes.CLUSTER, tags=("prod",)), inspector)], (), interval, clock), inspector


def test_a_scrape_within_the_interval_gets_the_last_observation_and_its_age():
    clock = Time()

    def look() -> ClusterState:
        clock.now += 2.0
        return samples.healthy_pair()

    observation, inspector = shared(look, clock)
    first = values(observation.exposition())
    clock.now += 10.0
    second = values(observation.exposition())
    assert inspector.observations == 1
    assert (first["redis_ha_observation_age_seconds"], second["redis_ha_observation_age_seconds"]) == (0, 10)
    assert first["redis_ha_observation_duration_seconds"] == second["redis_ha_observation_duration_seconds"] == 2
    assert first["redis_ha_observed_timestamp_seconds"] == second["redis_ha_observed_timestamp_seconds"]
    clock.now += 2.9
    observation.exposition()
    assert inspector.observations == 1
    clock.now += 0.2
    assert values(observation.exposition())["redis_ha_observation_age_seconds"] == 0
    assert inspector.observations == 2


def test_scrapes_at_the_same_time_share_an_observation():
    go = threading.Event()

    def look() -> ClusterState:
        go.wait(LONG)
        return samples.healthy_pair()

    observation, inspector = shared(look, Time())
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(observation.exposition) for _ in range(8)]
        go.set()
        texts = {one.result(LONG) for one in asked}
    assert inspector.observations == 1
    assert len(texts) == 1


def test_a_cluster_whose_observation_fails_is_unknown_and_the_others_are_served():
    def broken() -> ClusterState:
        raise RuntimeError("no\nroute")

    clusters = [
        (fakes.CLUSTER, fakes.FakeInspector(samples.healthy_pair)),
        (replace(fakes.CLUSTER, name="dark"), fakes.FakeInspector(broken, "dark")),
    ]
    text = SharedObservation(clusters, (UnusableCluster("wrong", ("no",)),), 15.0, Time()).exposition()
    assert 'redis_ha_redis_up{cluster="cache",node="redis-a"} 1' in text
    for name, usable in (("cache", 1), ("dark", 0), ("wrong", 0)):
        assert f'redis_ha_cluster_usable{{cluster="{name}"}} {usable}' in text
    assert 'redis_ha_cluster_health{cluster="dark",redis_ha_cluster_health="unknown"} 1' in text


# --- the port -----------------------------------------------------------------------------------------------------


def never(*_: object, **__: object) -> None:
    raise AssertionError("status has no hands and no screen")


LOOKS = Adapters(
    clock=fakes.FakeClock,
    inspector=lambda *_, **__: fakes.FakeInspector(samples.healthy_pair),
    run_starter=never,
    run_app=never,
)


def serving(tmp_path: Path, monkeypatch, visit: Callable[[int], None], where: str = "127.0.0.1:0") -> tuple[int, str]:
    """`status --listen` in this thread, as signals need; `visit` with its port in another. Exit code and stderr."""
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    reading, writing = os.pipe()
    lines, errors = os.fdopen(reading, encoding="utf-8"), []
    monkeypatch.setattr(sys, "stderr", os.fdopen(writing, "w", encoding="utf-8"))
    said: list[str] = []

    def visitor() -> None:
        try:
            said.append(lines.readline())
            visit(int(re.search(r":(\d+)/metrics", said[0])[1]))
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=visitor, daemon=True)
    thread.start()
    began = time.monotonic()
    code = run(["-i", str(path), "status", "--listen", where], LOOKS)
    thread.join(LONG)
    assert time.monotonic() - began < LONG
    sys.stderr.close()
    if errors:
        raise errors[0]
    return code, said[0] + lines.read()


def get(
    port: int, path: str = "/metrics", method: str = "GET", host: str = "127.0.0.1"
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(host, port, timeout=LONG)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode()


def test_metrics_and_nothing_else_until_sigterm(tmp_path, monkeypatch):
    answers = {}

    def visit(port: int) -> None:
        for method, path in (
            ("GET", "/metrics"),
            ("GET", "/metrics?x=1"),
            ("GET", "/"),
            ("GET", "/metrics/"),
            ("GET", "/../etc/passwd"),
            ("POST", "/metrics"),
            ("DELETE", "/"),
            ("HEAD", "/metrics"),
            ("X" * 40, "/metrics"),
        ):
            answers[method, path] = get(port, path, method)

    code, said = serving(tmp_path, monkeypatch, visit)
    assert code == 0
    assert len(said.splitlines()) == 1
    status, headers, body = answers["GET", "/metrics"]
    assert (status, headers["Content-Type"]) == (200, CONTENT_TYPE)
    assert values(body)["redis_ha_cluster_usable"] == 0, "the last sample is that of the wrong one"
    assert 'redis_ha_cluster_tag{cluster="cache",tag="prod"} 1' in body
    assert answers["GET", "/metrics?x=1"][0] == 200
    for path in ("/", "/metrics/", "/../etc/passwd"):
        assert answers["GET", path][::2] == (404, "Not Found: there is GET /metrics and nothing else\n")
    for call in (("POST", "/metrics"), ("DELETE", "/"), ("X" * 40, "/metrics")):
        status, headers, body = answers[call]
        assert (status, headers["Allow"], len(body.splitlines())) == (405, "GET", 1)
    assert answers["HEAD", "/metrics"][::2] == (405, "")
    assert not any("Python" in one[1].get("Server", "") for one in answers.values())


def raw(port: int, data: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=LONG)
    connection.sendall(data)
    return connection


def whole_answer(connection: socket.socket) -> bytes:
    """Everything until the end of the connection; a part of a request that nobody reads resets it."""
    found = b""
    try:
        while part := connection.recv(100_000):
            found += part
    except ConnectionResetError:
        pass
    return found


def test_clients_that_hang_or_send_nonsense_block_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(listening, "CLIENT_SECONDS", 1.0)
    monkeypatch.setattr(listening._Handler, "timeout", 1.0)
    statuses, nonsense, given_up = [], [], []

    def visit(port: int) -> None:
        hanging = [raw(port, b"GET /metrics HT") for _ in range(listening.MOST_CLIENTS - 1)]
        statuses.append(get(port)[0])
        for data in (
            b"\x16\x03\x01\x02\x00",
            b"\r\n",
            b"GET\r\n\r\n",
            b"GET /metrics HTTP/9.9\r\n\r\n",
            b"\xff" * 70_000,
        ):
            with raw(port, data) as one:
                one.shutdown(socket.SHUT_WR)
                nonsense.append(whole_answer(one))
        for one in hanging:
            given_up.append(one.recv(1000))
            one.close()
        statuses.append(get(port)[0])

    code, said = serving(tmp_path, monkeypatch, visit)
    assert (code, statuses) == (0, [200, 200])
    assert given_up == [b""] * (listening.MOST_CLIENTS - 1)
    assert "Traceback" not in said
    assert all(one == b"" or b"there is GET /metrics and nothing else" in one for one in nonsense), nonsense


def test_more_clients_than_there_is_room_for_are_closed_and_the_room_comes_back(tmp_path, monkeypatch):
    closed, statuses = [], []

    def visit(port: int) -> None:
        hanging = [raw(port, b"GET /me") for _ in range(listening.MOST_CLIENTS)]
        with raw(port, b"GET /metrics HTTP/1.0\r\n\r\n") as one:
            closed.append(whole_answer(one))
        for one in hanging:
            one.close()
        end = time.monotonic() + LONG
        while not statuses and time.monotonic() < end:
            try:
                statuses.append(get(port)[0])
            except (ConnectionError, http.client.HTTPException):
                time.sleep(0.05)

    assert serving(tmp_path, monkeypatch, visit)[0] == 0
    assert (closed, statuses) == ([b""], [200])


def test_another_address_than_loopback_is_warned_of(tmp_path, monkeypatch):
    code, said = serving(tmp_path, monkeypatch, get, "0.0.0.0:0")
    assert code == 0
    assert "warning: whoever reaches 0.0.0.0 can read names" in said


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("9121", ("127.0.0.1", 9121)),
        ("127.0.0.1:9121", ("127.0.0.1", 9121)),
        ("[::1]:1", ("::1", 1)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
    ],
)
def test_where_it_listens(where, place):
    address, port = listening.listening_place(where)
    assert (str(address), port) == place


@pytest.mark.parametrize(
    "where", ["", ":9121", "localhost:9121", "127.0.0.1", "127.0.0.1:x", "1.2.3.4:65536", "::", "[::1]", "1.2.3.4:-1"]
)
def test_a_place_that_is_none_is_one_line(where, tmp_path, capsys):
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    assert run(["-i", str(tmp_path / "inventory.yaml"), "status", "--listen", where], LOOKS) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert f"--listen {where}:" in line
    assert "127.0.0.1:9121" in line


def test_a_port_that_is_taken_is_one_line(tmp_path, capsys):
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["-i", str(tmp_path / "inventory.yaml"), "status", "--listen", str(port)], LOOKS) == 3
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in capsys.readouterr().err
