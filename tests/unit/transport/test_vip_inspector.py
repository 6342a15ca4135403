"""Looking at the virtual IP: silence is waited for once, and what comes late is not lost."""

from __future__ import annotations

import threading
import time

import pytest

from console.core.inventory import KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.core.model import ProblemKind, Reading, Role, VipReach, read, unread
from console.transport.redis.vip_inspector import VipInspector

AT_B = VipReach(run_id="b" * 40, role=Role.MASTER, route="direct")


class Network:
    """What each look finds, and how long that takes; a look that waits can be let go."""

    def __init__(self):
        self.answer: Reading[VipReach] = read(AT_B, 1.0)
        self.takes = 0.0
        self.looks = 0
        self.go = threading.Event()

    def look(self) -> Reading[VipReach]:
        self.looks += 1
        self.go.wait(self.takes)
        return self.answer


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def inspector(network, monkeypatch):
    monkeypatch.setattr(VipInspector, "_look", lambda _: network.look())
    one = VipInspector(
        "10.0.0.9",
        NodeSpec("redis-a", "10.0.0.1", SshSpec(), RedisSpec(), KeepalivedSpec()),
        None,
        time.time,
        lambda: None,
    )
    yield one
    network.go.set()
    one.close()


def observe(inspector, *, fresh=True, held=True, patience=1.0):
    """Seconds that one observation waited."""
    began = time.monotonic()
    inspector.ask()
    inspector.receive(began + patience, fresh=fresh, held=held)
    return time.monotonic() - began


def test_what_answers_is_told(inspector):
    observe(inspector)
    assert inspector.reading.value == AT_B


SILENT: Reading[VipReach] = unread(ProblemKind.TIMEOUT, "no answer")


def waits_for_its_end(inspector):
    assert inspector._thread.wait(time.monotonic() + 30)


def test_an_early_look_that_was_answered_is_not_repeated(inspector, network):
    inspector.ask()
    waits_for_its_end(inspector)
    inspector.ask_if_silent(5.0)
    inspector.receive(time.monotonic() + 30, fresh=True)
    assert inspector.reading.value == AT_B
    assert network.looks == 1


def test_an_early_look_without_an_answer_is_repeated_with_more_time(inspector, network):
    network.answer = SILENT
    inspector.ask()
    waits_for_its_end(inspector)
    network.answer = read(AT_B, 2.0)
    inspector.ask_if_silent(5.0)
    assert inspector._timeout == 5.0
    inspector.receive(time.monotonic() + 30, fresh=True)
    assert inspector.reading.value == AT_B
    assert network.looks == 2


def test_an_early_look_that_ends_too_soon_is_repeated_in_the_time_left(inspector, network, monkeypatch):
    network.takes, network.answer = 30.0, SILENT
    inspector.ask()
    inspector.ask_if_silent(5.0)

    def look_again():
        network.looks += 1
        return read(AT_B, 2.0)

    monkeypatch.setattr(inspector._thread, "_look", look_again)
    network.go.set()
    inspector.receive(time.monotonic() + 30, fresh=True)
    assert inspector.reading.value == AT_B
    assert network.looks == 2


def test_nobody_at_the_address_ends_it_after_one_repetition(inspector, network):
    network.answer = SILENT
    inspector.ask()
    inspector.ask_if_silent(5.0)
    inspector.receive(time.monotonic() + 1.0, fresh=True)
    assert inspector.reading.problem.kind is ProblemKind.TIMEOUT
    assert network.looks <= 2


def test_an_address_that_nobody_has_is_waited_for_once(inspector, network):
    network.takes = 9.0
    assert observe(inspector, held=False) >= 1.0
    first = inspector.reading
    assert first.problem.kind is ProblemKind.TIMEOUT
    assert observe(inspector, held=False) < 0.8
    assert observe(inspector, fresh=False, held=False) < 0.4
    assert network.looks == 1, "the look that waits goes on"
    assert inspector.reading.problem.text == first.problem.text, "silent since the first look"
    assert inspector.reading.at > first.at


def test_an_address_that_a_node_has_is_waited_for_in_a_fresh_observation(inspector, network):
    network.takes = 9.0
    observe(inspector, held=False)
    assert observe(inspector, held=True) >= 1.0


def test_an_answer_that_comes_after_its_observation_counts_in_the_next(inspector, network):
    network.takes = 9.0
    observe(inspector, held=False)
    observe(inspector, fresh=False)
    network.go.set()
    deadline = time.monotonic() + 5
    while network.looks < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
        observe(inspector, fresh=False)
    assert inspector.reading.value == AT_B


def test_a_slow_address_that_answers_again_is_seen_by_quick_polls(inspector, network):
    network.answer, network.takes = unread(ProblemKind.TIMEOUT, "silent", 1.0), 0.0
    observe(inspector)
    network.answer, network.takes = read(AT_B, 2.0), 0.2
    for _ in range(8):
        observe(inspector, fresh=False)
        time.sleep(0.1)
    assert inspector.reading.value == AT_B


def test_an_address_that_refused_is_waited_for_like_one_that_answered(inspector, network):
    network.answer = unread(ProblemKind.REFUSED, "nothing listens there", 1.0)
    observe(inspector)
    assert inspector.reading.problem.kind is ProblemKind.REFUSED
    network.answer, network.takes = read(AT_B, 2.0), 0.3
    observe(inspector, held=False)
    assert inspector.reading.value == AT_B
