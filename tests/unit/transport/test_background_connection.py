from __future__ import annotations

import threading
import time

from console.core.model import ProblemKind
from console.transport.connections import retry_delay
from console.transport.connections.background import BackgroundConnection
from console.transport.connections.errors import RemoteError


class Connection:
    closed = False

    def close(self):
        self.closed = True


def soon():
    return time.monotonic() + 5


def test_polling_does_not_wait_for_a_connection_that_is_being_made():
    gate = threading.Event()

    def opener():
        gate.wait(5)
        return Connection()

    link = BackgroundConnection("a", opener)
    link.start_connecting()
    assert link.finish_connecting(0.0) is False
    assert link.problem.kind is ProblemKind.CONNECTING
    gate.set()
    assert link.finish_connecting(soon()) is True
    assert link.connection is not None


def test_a_failure_is_told_and_tried_again_later_unless_forced():
    tried = []

    def opener():
        tried.append(1)
        raise RemoteError(ProblemKind.REFUSED, "nothing listens")

    link = BackgroundConnection("a", opener)
    link.start_connecting()
    link.finish_connecting(soon())
    assert link.problem.kind is ProblemKind.REFUSED
    link.start_connecting()
    assert len(tried) == 1
    link.start_connecting(force=True)
    link.finish_connecting(soon())
    assert len(tried) == 2
    link.reset_backoff()
    link.start_connecting()
    link.finish_connecting(soon())
    assert len(tried) == 3


def test_an_unexpected_error_is_that_links_problem_only():
    link = BackgroundConnection("a", lambda: 1 / 0)
    link.start_connecting()
    link.finish_connecting(soon())
    assert "ZeroDivisionError" in link.problem.text


def test_what_arrives_after_closing_is_closed():
    gate, connection = threading.Event(), Connection()

    def opener():
        gate.wait(5)
        return connection

    link = BackgroundConnection("a", opener)
    link.start_connecting()
    opening = link._opening
    link.close()
    gate.set()
    assert opening.done.wait(5)
    assert connection.closed
    assert link.may_connect(force=True) is False


def test_backoff_grows_to_a_limit_and_spreads():
    delays = [retry_delay.delay(failures, 0.5) for failures in range(1, 9)]
    assert delays == sorted(delays)
    assert delays[0] == retry_delay.FIRST
    assert delays[-1] == retry_delay.LONGEST
    assert retry_delay.delay(3, 0.0) < retry_delay.delay(3, 0.99)


def test_a_port_that_refuses_is_tried_again_soon():
    delays = [retry_delay.delay(failures, chance, refused=True) for failures in range(1, 20) for chance in (0.0, 0.99)]
    assert max(delays) < 3


def test_the_age_of_a_failed_attempt_is_known():
    def refuse():
        raise RemoteError(ProblemKind.REFUSED, "nothing listens there")

    link = BackgroundConnection("a", refuse)
    assert link.problem_age == 0.0
    link.start_connecting()
    link.finish_connecting(soon())
    first = link.problem_age
    assert 0.0 <= first <= link.problem_age
