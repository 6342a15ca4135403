"""Paths that were right the last time are asked for at once. A wrong guess counts as nothing read."""

from __future__ import annotations

import json
import stat
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from console.core.inventory import ClusterSpec, KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.core.model import ProblemKind
from console.probes import framing, program
from console.probes.framing import Section
from console.transport.ssh.host_inspector import HostInspector
from console.transport.ssh.shells.remembered import RememberedPaths
from console.transport.ssh.shells.request import Paths, RedisFiles

FILES = RedisFiles("/data", "dump.rdb", "/log", "/etc/redis.conf", "appendonly.aof", "appendonlydir")
RIGHT = Paths(FILES, ("/etc/keepalived/check.sh",))
OTHER = replace(RIGHT, redis_files=replace(FILES, directory="/elsewhere"))
NODES = tuple(NodeSpec(name, f"10.0.0.{name}", SshSpec(), RedisSpec(), KeepalivedSpec()) for name in "ab")
CLUSTER = ClusterSpec("pair", "keepalived", "10.0.0.9", NODES)
CONF = b"""vrrp_script check { script "/etc/keepalived/check.sh" }
vrrp_instance VI_1 { virtual_router_id 5 virtual_ipaddress { 10.0.0.9 } track_script { check } }
"""


def test_what_was_kept_is_there_the_next_time(tmp_path):
    RememberedPaths(tmp_path / "paths", CLUSTER).keep({"a": RIGHT})
    again = RememberedPaths(tmp_path / "paths", CLUSTER)
    assert again.of("a") == RIGHT
    assert again.of("b") is None
    again.keep({"b": OTHER})
    third = RememberedPaths(tmp_path / "paths", CLUSTER)
    assert (third.of("a"), third.of("b")) == (RIGHT, OTHER)


def test_another_cluster_of_the_same_name_has_its_own(tmp_path):
    RememberedPaths(tmp_path, CLUSTER).keep({"a": RIGHT})
    assert RememberedPaths(tmp_path, replace(CLUSTER, nodes=CLUSTER.nodes[::-1])).of("a") is None


def test_only_its_owner_can_read_it(tmp_path):
    RememberedPaths(tmp_path / "paths", CLUSTER).keep({"a": RIGHT})
    (file,) = (tmp_path / "paths").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{",
        b'{"a": 1}',
        b'{"a": {"redis_files": {}, "scripts": []}}',
        b'{"a": {"redis_files": {"directory": 1, "name": "x"}, "scripts": []}}',
        b'{"a": {"redis_files": {"directory": "/d", "name": "x"}, "scripts": [1]}}',
        b'{"a": {"redis_files": {"directory": "/d", "name": "x", "more": ""}, "scripts": []}}',
    ],
)
def test_a_file_that_is_no_memory_is_passed_over(tmp_path, content):
    RememberedPaths(tmp_path, CLUSTER).keep({"a": RIGHT})
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert RememberedPaths(tmp_path, CLUSTER).of("a") is None
    RememberedPaths(tmp_path, CLUSTER).keep({"a": RIGHT})
    assert json.loads(file.read_bytes())["a"]["scripts"] == list(RIGHT.scripts)


def test_a_folder_that_cannot_be_written_is_passed_over(tmp_path):
    (tmp_path / "file").write_text("")
    RememberedPaths(tmp_path / "file", CLUSTER).keep({"a": RIGHT})
    assert RememberedPaths(tmp_path / "file", CLUSTER).of("a") is None


class Shell:
    """Keeps the requests. It answers none."""

    begun = False

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, request: str) -> None:
        self.asked.append(request)

    def receive(self, _seq: int, _deadline: float) -> None:
        return None


def connected(guess: Paths | None) -> HostInspector:
    """A host that has answered its first request, made with this guess. Its configuration names one script."""
    one = HostInspector(CLUSTER.nodes[0], CLUSTER.vip, time.time, threading.Semaphore(), lambda: FILES, guess=guess)
    asked = one._new_request(guess)
    batch = {name: Section("ok", b"1\n") for name in framing.BY_PATH}
    batch["config"] = Section("ok", CONF)
    batch["redis-log"] = Section("ok", b"/log\n1:M 01 Jan 2026 00:00:00.000 * Ready\n")
    session = SimpleNamespace(asked=asked, batch=batch, received=time.time(), shell=Shell(), close=lambda: None)
    one._connection = SimpleNamespace(
        connection=session, finish_connecting=lambda *_: True, under_way=False, problem=None, fail=lambda _problem: None
    )
    assert one.finish_connecting(time.monotonic())
    return one


def test_after_a_right_guess_nothing_is_outdated():
    assert not connected(RIGHT).outdated
    assert connected(None).outdated


def test_a_wrong_guess_counts_as_not_read_and_all_of_it_is_asked_for_again():
    one = connected(OTHER)
    assert one.outdated
    assert one.readings.redis_log.ok
    assert one.drop_guess()
    assert one.readings.redis_log.problem.kind is ProblemKind.NOT_READ
    assert one.readings.scripts.problem.kind is ProblemKind.NOT_READ
    assert one.readings.config.ok
    one.ask(full=True)
    (request,) = one._connection.connection.shell.asked
    assert request.split("\t")[1:3] == [framing.FULL, "/data"]
    assert request.endswith("/etc/keepalived/check.sh")
    one.receive(0.0, keep=True)
    assert one.readings.redis_log.problem.kind is ProblemKind.NOT_READ
    assert one.readings.config.ok


def test_without_a_guess_nothing_is_dropped():
    one = connected(None)
    assert not one.drop_guess()
    assert one.readings.redis_log.ok


def test_the_parts_that_depend_on_paths_are_those_whose_script_names_one():
    names = {"$dir", "$dump", "$aof", "$rlog", "$rconf", "$scripts"}
    by_path = {probe.NAME for probe in program._PROBES if any(name in probe.SCRIPT for name in names)}
    # These two look for more than what the paths name, and what they say of a path is looked up by that path.
    assert by_path - {"files", "processes"} == framing.BY_PATH
