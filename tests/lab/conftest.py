"""Tests on real servers: `pair` builds a laboratory for a test and takes it down with it.

Each process that runs tests stands in a room of its own, so that workers of pytest-xdist build pairs with the same
addresses side by side. Root moves there when the first pair is asked for; others are moved by tests/conftest.py, before
anything else starts.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lab.odd_host import OddHost

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.namespaces import (
    LABORATORY_FOLDER,
    command_in_namespaces,
    enter_namespaces,
    require_isolated_network,
)
from console.lab.options import LabError, LabOptions
from console.lab.scenarios import catalogue
from console.lab.servers.versions import redis_server
from console.lab.sessions.build import laboratory

LAB_SHARE = 0.85
"""The part of a run within which the last laboratory test begins."""
_LABS = pytest.StashKey[list[Laboratory]]()


@pytest.fixture(scope="session")
def room() -> None:
    """This process's network and mounts are its own from here on."""
    with contextlib.suppress(LabError):
        require_isolated_network()
        if LABORATORY_FOLDER.is_dir():  # inside `lab run` or a room made before
            return
    try:
        if os.geteuid() != 0:
            command_in_namespaces(["true"])  # says best why tests/conftest.py could not move this run
        enter_namespaces()
    except LabError as error:
        reason = str(error)
    else:
        return
    pytest.fail(f"the laboratory does not work here: {reason}", pytrace=False)


class _KeptHost:
    """The odd host of this process. It is built once for all cases in a row, whatever other tests stand between them.

    The laboratories of one process have the same addresses: this one ends before a test that builds its own.
    """

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._host: OddHost | None = None

    def host(self) -> OddHost:
        if self._host is None:
            self._host = OddHost(self._stack.enter_context(laboratory("fresh", LabOptions.quick())))
        return self._host

    def close(self) -> None:
        self._host = None
        self._stack.close()


_KEPT = pytest.StashKey[_KeptHost]()


def _kept(session: pytest.Session) -> _KeptHost:
    return session.stash.setdefault(_KEPT, _KeptHost())


def pytest_sessionfinish(session: pytest.Session) -> None:
    _kept(session).close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("lab") and "odd" not in getattr(item, "fixturenames", ()):
        _kept(item.session).close()


@pytest.fixture
def odd(room: None, request: pytest.FixtureRequest) -> OddHost:
    """One host for all cases in a row: each adds a user, or an sshd on a port of its own."""
    return _kept(request.session).host()


@pytest.fixture
def pair(room: None, request: pytest.FixtureRequest) -> Iterator[Callable[..., Laboratory]]:
    """`pair("failed-over", redis="6.2", …)`: a running laboratory; keywords as in LabOptions, over its quick ones."""
    with contextlib.ExitStack() as stack:
        labs = request.node.stash.setdefault(_LABS, [])

        def build(scenario: str = "failed-over", **options: Any) -> Laboratory:
            chosen = LabOptions.quick(**options)
            for host in catalogue.find_scenario(scenario).system.addresses:
                try:
                    redis_server(chosen.version_for(host))
                except LabError as error:
                    pytest.fail(str(error), pytrace=False)
            lab = stack.enter_context(laboratory(scenario, chosen))
            labs.append(lab)
            return lab

        yield build


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first: no worker is left alone with it at the end, while the others have nothing to do.

    The other laboratory tests, which mostly wait, are spread among the tests that need the processor. They end before
    those do.
    """
    long = [item for item in items if item.get_closest_marker("long")]
    short = [item for item in items if not item.get_closest_marker("long")]
    lab = [item for item in short if item.get_closest_marker("lab")]
    rest = [item for item in short if not item.get_closest_marker("lab")]
    places = {item: LAB_SHARE * place / len(lab) for place, item in enumerate(lab)}
    places |= {item: place / len(rest) for place, item in enumerate(rest)}
    long.sort(key=lambda item: item.get_closest_marker("lab") is None)
    items[:] = [*long, *sorted(short, key=places.__getitem__)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """The hosts' logs belong in the report of a failed test: they are gone after it."""
    report = yield
    if call.when == "call" and report.failed:
        for lab in item.stash.get(_LABS, []):
            report.sections.append(("hosts of the laboratory", lab.logs()))
    return report
