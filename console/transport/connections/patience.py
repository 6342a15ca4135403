"""How long a server is waited for. On a busy machine every step takes longer, and that is no reason to give up."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError

T = TypeVar("T")
SHORTEST = 2.0
"""Seconds that every answer is waited for, however quick the others are."""
_TIMES_THE_SLOWEST = 4.0
GRACE = 5.0
"""Seconds after its deadline in which an attempt tells by itself why it ends."""


class Patience:
    """One attempt to connect is given up once it has got no further for so many seconds.

    The time counts from when the attempt itself begins: while it waits for its turn, none passes. Each step that it has
    passed gives it the whole time again. There are few steps, so a server that sends for ever is given up all the same.
    """

    def __init__(self, seconds: float, step: str = "") -> None:
        self.seconds = seconds
        self.step = step
        """What is waited for, in words for the operator."""
        self._deadline = time.monotonic() + seconds

    def wait_for(self, step: str, seconds: float | None = None) -> None:
        """The step before has been passed, and this one begins. `seconds`: it has a time of its own."""
        self.step = step
        self._deadline = time.monotonic() + (self.seconds if seconds is None else seconds)

    def queue(self, step: str) -> None:
        """The attempt waits for its turn. No time passes until the next step."""
        self.step = step
        self._deadline = math.inf

    def extend(self, seconds: float) -> None:
        """Gives the step that is under way so many seconds from now on, where it has fewer left."""
        self._deadline = max(self._deadline, time.monotonic() + seconds)

    @property
    def deadline(self) -> float:
        """Monotonic. It may be later when it is asked again."""
        return self._deadline

    @property
    def left(self) -> float:
        """Seconds to the deadline; 0: it has passed."""
        return max(0.0, self._deadline - time.monotonic())


class Pace:
    """How quick the hosts of one cluster are, and so how long silence of another server in it may last.

    A Redis that hangs beside a host that was quick is told after two seconds. Where the host itself took three, the
    machine is busy, and Redis is waited for as well.
    """

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self._lock = threading.Lock()
        self._under_way = 0
        self._slowest = 0.0

    def begin(self) -> None:
        """A host is being connected to."""
        with self._lock:
            if not self._under_way:
                self._slowest = 0.0
            self._under_way += 1

    def end(self, seconds: float | None) -> None:
        """That took so many seconds; None: it failed, which says nothing about the others."""
        with self._lock:
            self._under_way -= 1
            self._slowest = max(self._slowest, seconds or 0.0)

    @property
    def patience(self) -> float:
        """Seconds that an answer is worth waiting for. While hosts are still being connected to: the longest."""
        with self._lock:
            if self._under_way:
                return self.longest
        return self.seen

    @property
    def seen(self) -> float:
        """The same, by the hosts that are connected."""
        return min(max(self.longest, SHORTEST), max(SHORTEST, _TIMES_THE_SLOWEST * self._slowest))


def patiently(attempt: Callable[[float], T], timeout: float, pace: Pace) -> T:
    """Tries with `timeout` seconds, and again with twice as many, as long as the pace says that it is worth it.

    Raises RemoteError. On a busy machine one more connection costs less than a server that counts as unknown.
    """
    began = time.monotonic()
    while True:
        try:
            return attempt(timeout)
        except RemoteError as error:
            left = began + pace.patience - time.monotonic()
            if error.problem.kind is not ProblemKind.TIMEOUT or left <= 0:
                raise
            timeout = max(timeout, min(2 * timeout, left))
