"""Looking at the virtual IP: silence is waited for once, and what comes late is not lost."""

from __future__ import annotations

import threading
import time

import pytest

from console.core.inventory import KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.core.model import ProblemKind, Reading, Role, VipReach, read, unread
from console.transport.vip_eye import VipEye

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
def eye(network, monkeypatch):
    monkeypatch.setattr(VipEye, "_look", lambda _: network.look())
    one = VipEye(
        "10.0.0.9",
        NodeSpec("redis-a", "10.0.0.1", SshSpec(), RedisSpec(), KeepalivedSpec()),
        None,
        time.time,
        lambda: None,
    )
    yield one
    network.go.set()
    one.close()


def observe(eye, *, fresh=True, held=True, patience=1.0):
    """Seconds that one observation waited."""
    began = time.monotonic()
    eye.ask()
    eye.collect(began + patience, fresh=fresh, held=held)
    return time.monotonic() - began


def test_what_answers_is_told(eye):
    observe(eye)
    assert eye.reading.value == AT_B


def test_an_address_that_nobody_has_is_waited_for_once(eye, network):
    network.takes = 9.0
    assert observe(eye, held=False) >= 1.0
    first = eye.reading
    assert first.problem.kind is ProblemKind.TIMEOUT
    assert observe(eye, held=False) < 0.8
    assert observe(eye, fresh=False, held=False) < 0.4
    assert network.looks == 1, "the look that waits goes on"
    assert eye.reading.problem.text == first.problem.text, "silent since the first look"
    assert eye.reading.at > first.at


def test_an_address_that_a_node_has_is_waited_for_in_a_fresh_observation(eye, network):
    network.takes = 9.0
    observe(eye, held=False)
    assert observe(eye, held=True) >= 1.0


def test_an_answer_that_comes_after_its_observation_counts_in_the_next(eye, network):
    network.takes = 9.0
    observe(eye, held=False)
    observe(eye, fresh=False)
    network.go.set()
    deadline = time.monotonic() + 5
    while network.looks < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
        observe(eye, fresh=False)
    assert eye.reading.value == AT_B


def test_a_slow_address_that_answers_again_is_seen_by_quick_polls(eye, network):
    network.answer, network.takes = unread(ProblemKind.TIMEOUT, "silent", 1.0), 0.0
    observe(eye)
    network.answer, network.takes = read(AT_B, 2.0), 0.2
    for _ in range(8):
        observe(eye, fresh=False)
        time.sleep(0.1)
    assert eye.reading.value == AT_B


def test_an_address_that_refused_is_waited_for_like_one_that_answered(eye, network):
    network.answer = unread(ProblemKind.REFUSED, "nothing listens there", 1.0)
    observe(eye)
    assert eye.reading.problem.kind is ProblemKind.REFUSED
    network.answer, network.takes = read(AT_B, 2.0), 0.3
    observe(eye, held=False)
    assert eye.reading.value == AT_B
