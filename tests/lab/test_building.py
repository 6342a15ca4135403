"""A scenario that cannot be built says why and leaves nothing behind. A fresh clone fetches what a scenario needs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from stand_in_apt import StandInApt

from console.lab.assembly import laboratory as laboratories
from console.lab.hosts.namespaces import LABORATORY_FOLDER, command_in_namespaces
from console.lab.hosts.network import BRIDGE
from console.lab.options import LabError, LabOptions
from console.lab.scenarios import catalogue
from console.lab.scenarios.replication import start_redis
from console.lab.scenarios.scenario import Scenario
from console.lab.servers import versions
from console.lab.sessions.build import laboratory
from console.lab.sessions.inside import REQUEST_VARIABLE
from console.lab.systems.keepalived_pair import SYSTEM

pytestmark = pytest.mark.lab

A = "redis-a"
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def building(room, monkeypatch):
    """`building(build)`: the error of a laboratory whose scenario is built by this function."""

    def fail(build, **options):
        seen = []

        def watched(lab, report):
            seen.extend(host.pid for host in lab.hosts.values())
            build(lab, report)

        monkeypatch.setitem(catalogue.SCENARIOS, "broken", Scenario("cannot be built", watched, SYSTEM))
        with pytest.raises(LabError) as raised, laboratory("broken", LabOptions.quick(**options)):
            raise AssertionError("it was built")
        assert seen
        assert not any(Path(f"/proc/{pid}").exists() for pid in seen)
        assert_nothing_is_left()
        return raised.value

    return fail


def assert_nothing_is_left():
    assert not list(LABORATORY_FOLDER.iterdir())
    assert f"{LABORATORY_FOLDER}/" not in Path("/proc/self/mounts").read_text()
    assert not Path(f"/sys/class/net/{BRIDGE}").exists()


def test_a_server_that_ends_during_the_build_is_named_with_its_log(building):
    def build(lab, report):
        host = lab.host(A)
        host.service("redis-server", "start")
        host.redis("SHUTDOWN", "NOSAVE")
        lab.wait_for(lambda: False, "it is in sync", host, "redis-server")

    error = building(build)
    assert str(error) == "redis-server on redis-a ended before this was true: it is in sync"
    name, *lines = error.log.splitlines()
    assert name == "--- redis-a:/data/redis/redis6379.log"
    assert "is now ready to exit, bye bye" in lines[-1]
    assert len(lines) <= 20


def test_a_redis_that_ends_at_its_start_is_named_with_its_log(building):
    error = building(lambda lab, report: start_redis(lab, lab.host(A)), redis_config=("loadmodule /no/such.so",))
    assert "\n" not in str(error)
    assert "redis-server" in str(error)
    assert "redis-a" in str(error)
    assert "/no/such.so" in error.log


def test_a_server_that_does_not_start_says_why_in_one_line(building):
    error = building(lambda lab, report: lab.host(A).service("redis-server", "start"), redis_config=("port none",))
    assert "\n" not in str(error)
    assert str(error).startswith("service redis-server start on redis-a failed: ")
    assert "port none" in str(error)


def test_a_server_that_ends_at_once_is_not_waited_for(building):
    def build(lab, report):
        (lab.host(A).root / "etc/keepalived/keepalived.conf").unlink()
        lab.host(A).service("keepalived", "start")

    error = building(build)
    assert str(error) == (
        "service keepalived start on redis-a failed: keepalived ended at once: see /var/log/keepalived.log"
    )
    assert error.log.startswith("--- redis-a:/var/log/keepalived.log\n")


def test_a_step_that_never_comes_true_gives_up(building, monkeypatch):
    monkeypatch.setattr(laboratories, "PATIENCE", 0.3)

    def build(lab, report):
        lab.host(A).service("redis-server", "start")
        lab.wait_for(lambda: False, "it is in sync", lab.host(A), "redis-server")

    assert str(building(build)) == "not within 0.3 s: it is in sync"


def test_an_answer_that_does_not_come_is_no_traceback(building):
    def build(lab, report):
        raise ConnectionRefusedError(111, "Connection refused")

    assert str(building(build)).startswith("the scenario cannot be built: [Errno 111]")


@pytest.fixture
def clone(tmp_path):
    """`clone(apt, *words)` runs the console in a fresh copy of the project, with an apt of the test's own."""
    copy = tmp_path / "clone"
    shutil.copytree(PROJECT / "console", copy / "console", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", copy)

    def run(apt, *words):
        done = subprocess.run(
            [sys.executable, "-m", "console", "lab", "run", *words],
            cwd=copy, env=os.environ | {"PATH": apt.path, "PYTHONPATH": str(copy)},
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done, copy / ".cache/servers"

    return run


@pytest.fixture
def apt(tmp_path):
    try:
        consul = versions.consul_folder() / "consul"
    except LabError as error:
        pytest.fail(str(error), pytrace=False)
    return StandInApt(tmp_path / "apt", consul=consul)


def test_from_a_fresh_clone_consul_is_fetched_and_the_scenario_built(clone, apt):
    command = ["consul-second-master", "--fast", "--", "sh", "-c", "echo inside; exit 5"]
    done, cache = clone(apt, *command)
    assert (done.returncode, done.stdout) == (5, "inside\n"), done.stderr
    first, second, third, fetched, *_ = [line.partition("] ")[2] for line in done.stderr.splitlines()]
    assert first == "Consul: step 1 of 3, read the package list of Debian bullseye"
    assert second == "Consul: step 2 of 3, download the package consul"
    assert third == "Consul: step 3 of 3, unpack it"
    assert fetched == f"Consul: fetched into {cache}/consul"

    done, _ = clone(apt, "consul-healthy", "--fast", "--quiet", "--", "true")
    assert (done.returncode, done.stderr) == (0, "")
    assert apt.downloads == 1


def test_what_cannot_be_fetched_is_one_line_and_nothing_is_left(clone, apt):
    apt.unplug()
    for server, words in (("Consul", ["consul-healthy"]), ("Redis 8.0", ["healthy", "--redis", "8.0"])):
        done, cache = clone(apt, *words, "--quiet", "--", "true")
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == (
            f"{server} cannot be fetched: apt-get failed: E: Failed to fetch http://archive.invalid/debian/InRelease"
            "  Could not resolve 'archive.invalid'\n"
        )
        assert not [path for path in cache.iterdir() if path.suffix != ".lock"]


def test_an_unknown_version_is_refused_in_one_line(clone, apt):
    done, _ = clone(apt, "healthy", "--redis", "9", "--", "true")
    assert (done.returncode, done.stderr) == (3, "the laboratory has no Redis 9: there are 6.0, 6.2, 7.0, 8.0\n")


def test_from_outside_the_reason_comes_first_and_the_log_below_it(tmp_path):
    script = (
        "from console.lab.scenarios import catalogue; from console.lab.scenarios.scenario import Scenario\n"
        "from console.lab.systems.keepalived_pair import SYSTEM; from console.lab.sessions import inside\n"
        "def build(lab, report):\n"
        "    host = lab.host('redis-a'); host.service('redis-server', 'start'); host.redis('SHUTDOWN', 'NOSAVE')\n"
        "    lab.wait_for(lambda: False, 'it is in sync', host, 'redis-server')\n"
        "catalogue.SCENARIOS['broken'] = Scenario('', build, SYSTEM); raise SystemExit(inside.main())\n"
    )
    request = '{"scenario": "broken", "options": {}, "command": ["true"], "quiet": true}'
    done = subprocess.run(
        command_in_namespaces([sys.executable, "-c", script]),
        env=os.environ | {REQUEST_VARIABLE: request}, cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    reason, name, *lines = done.stderr.splitlines()
    assert done.returncode == 3
    assert reason == "redis-server on redis-a ended before this was true: it is in sync"
    assert name == "--- redis-a:/data/redis/redis6379.log"
    assert lines


def test_a_build_that_is_interrupted_leaves_nothing(room, request):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # workers of pytest-xdist ignore it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    def interrupted(report):
        if "sshd" in report:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), laboratory("healthy", LabOptions.quick(), interrupted):
        raise AssertionError("it was built")
    assert_nothing_is_left()
