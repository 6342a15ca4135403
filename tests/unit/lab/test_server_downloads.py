"""What a laboratory runs is fetched once, with progress, or the reason stands in one line."""

from __future__ import annotations

import io
import threading

import pytest
from stand_in_apt import StandInApt

from console.lab.options import LabError, LabOptions
from console.lab.scenarios import catalogue
from console.lab.servers import versions
from console.lab.servers.fetching import FETCHED, fetch_missing
from console.lab.servers.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setattr(versions, "cache_folder", lambda: folder)
    return folder


@pytest.fixture
def apt(tmp_path, monkeypatch):
    made = StandInApt(tmp_path, seconds=0.3)
    monkeypatch.setenv("PATH", made.path)
    return made


def content(folder):
    return sorted(path.name for path in folder.iterdir())


def test_it_is_fetched_once_and_each_step_is_told(cache, apt):
    told = io.StringIO()
    fetch_missing(["7.0", "consul"], Progress(told))
    assert (versions.consul_folder() / "consul").read_text() == "not really Consul\n"
    lines = told.getvalue().splitlines()
    assert [line.partition("] ")[2] for line in lines] == [
        "Consul: step 1 of 3, read the package list of Debian bullseye",
        "Consul: step 2 of 3, download the package consul",
        "Consul: step 3 of 3, unpack it",
        f"Consul: fetched into {cache}/consul",
    ]
    assert all(line.startswith("[") and " s]" in line for line in lines)

    fetch_missing(["consul"], Progress(told))
    assert told.getvalue().splitlines() == lines
    assert apt.downloads == 1
    assert content(cache) == ["consul", "consul.lock"]


def test_a_terminal_sees_how_far_it_is_in_one_line_that_is_rewritten(cache, apt):
    told = Terminal()
    fetch_missing(["consul"], Progress(told))
    (line,) = [line for line in told.getvalue().split("\n") if "step 2 of 3" in line]
    assert ", 42 %" in line
    assert line.count("\r") > 2


def test_nothing_is_told_when_nobody_wants_to_know(cache, apt):
    fetch_missing(["consul"], Progress(None))
    assert versions.is_available("consul")


def test_what_cannot_be_fetched_says_why_in_one_line_and_leaves_nothing(cache, apt):
    apt.unplug()
    with pytest.raises(LabError) as error:
        fetch_missing(["consul"], Progress(None))
    assert str(error.value) == (
        "Consul cannot be fetched: apt-get failed: E: Failed to fetch http://archive.invalid/debian/InRelease"
        "  Could not resolve 'archive.invalid'"
    )
    assert content(cache) == ["consul.lock"]


def test_a_machine_without_apt_says_so(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match=r"^Redis 8\.0 cannot be fetched: the program apt-get is missing$"):
        fetch_missing(["8.0"], Progress(None))


def test_two_at_the_same_time_fetch_it_once(cache, apt):
    told = [io.StringIO(), io.StringIO()]
    threads = [threading.Thread(target=fetch_missing, args=(["consul"], Progress(one))) for one in told]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert apt.downloads == 1
    assert versions.is_available("consul")
    assert sum("another process fetches it" in one.getvalue() for one in told) == 1


def test_what_a_killed_fetch_left_is_removed(cache, apt):
    left = cache / "fetching-consul-abc"
    (left / "made").mkdir(parents=True)
    fetch_missing(["consul"], Progress(None))
    assert content(cache) == ["consul", "consul.lock"]


def test_an_unknown_version_is_named_with_those_that_exist(cache):
    with pytest.raises(LabError, match=r"^the laboratory has no Redis 9: there are 6\.0, 6\.2, 7\.0, 8\.0$"):
        fetch_missing(["9"], Progress(None))


def test_what_has_not_been_fetched_says_how_it_is(cache):
    with pytest.raises(LabError, match=r"^Redis 6\.2 has not been fetched: `python -m console.lab.servers fetch`"):
        versions.redis_server("6.2")


@pytest.mark.parametrize("name", list(catalogue.SCENARIOS))
def test_every_scenario_runs_what_is_installed_or_can_be_fetched(name):
    system = catalogue.find_scenario(name).system
    needed = system.all_servers(LabOptions(redis_of={next(iter(system.addresses)): "8.0"}))
    assert set(needed) <= {versions.INSTALLED_VERSION, *FETCHED}
    assert ("consul" in needed) == name.startswith("consul-")
