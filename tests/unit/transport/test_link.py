from __future__ import annotations

import threading
import time

from console.core.model import ProblemKind
from console.transport.connecting import retry_delay as backoff
from console.transport.connecting.failure import LinkError
from console.transport.connecting.link import Link


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

    link = Link("a", opener)
    link.begin()
    assert link.settle(0.0) is False
    assert link.problem.kind is ProblemKind.CONNECTING
    gate.set()
    assert link.settle(soon()) is True
    assert link.connection is not None


def test_a_failure_is_told_and_tried_again_later_unless_forced():
    tried = []

    def opener():
        tried.append(1)
        raise LinkError(ProblemKind.REFUSED, "nothing listens")

    link = Link("a", opener)
    link.begin()
    link.settle(soon())
    assert link.problem.kind is ProblemKind.REFUSED
    link.begin()
    assert len(tried) == 1
    link.begin(force=True)
    link.settle(soon())
    assert len(tried) == 2
    link.hurry()
    link.begin()
    link.settle(soon())
    assert len(tried) == 3


def test_an_unexpected_error_is_that_links_problem_only():
    link = Link("a", lambda: 1 / 0)
    link.begin()
    link.settle(soon())
    assert "ZeroDivisionError" in link.problem.text


def test_what_arrives_after_closing_is_closed():
    gate, connection = threading.Event(), Connection()

    def opener():
        gate.wait(5)
        return connection

    link = Link("a", opener)
    link.begin()
    opening = link._opening
    link.close()
    gate.set()
    assert opening.done.wait(5)
    assert connection.closed
    assert link.ready(force=True) is False


def test_backoff_grows_to_a_limit_and_spreads():
    delays = [backoff.delay(failures, 0.5) for failures in range(1, 9)]
    assert delays == sorted(delays)
    assert delays[0] == backoff.FIRST
    assert delays[-1] == backoff.LONGEST
    assert backoff.delay(3, 0.0) < backoff.delay(3, 0.99)
