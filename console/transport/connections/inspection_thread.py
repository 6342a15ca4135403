"""A thread that inspects one server, so that a poll does not wait for a server that does not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from console.core.model import Problem, ProblemKind
from console.transport.connections.errors import problem_of

T = TypeVar("T")


class InspectionThread(Generic[T]):
    """Inspects when asked. Its caller waits for the answer no longer than it wants to."""

    def __init__(
        self,
        what: str,
        look: Callable[[], T],
        failed: Callable[[Problem], T],
        now: Now,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        """`failed` makes the answer of a look that raised an error. After `close`, `end` is called in the thread."""
        self.what = what
        self.answer: T | None = None
        """What the last finished look returned."""
        self.asked_at = 0.0
        """When the last look began, in epoch seconds. 0: there was none."""
        self._look = look
        self._failed = failed
        self._now = now
        self._end = end
        self._go = threading.Event()
        self._done = threading.Event()
        self._done.set()
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def idle(self) -> bool:
        """Whether no look is under way."""
        return self._done.is_set()

    def ask(self) -> None:
        """Starts a look. If one is under way it goes on: its answer will be just as new."""
        if not self.idle or self._closed:
            return
        self.asked_at = self._now()
        self._done.clear()
        self._go.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"look at {self.what}", daemon=True)
            self._thread.start()

    def wait(self, deadline: float) -> bool:
        """Waits for the look to end. False if it has not ended by `deadline` (monotonic)."""
        return self._done.wait(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        self._closed = True
        self._go.set()

    def _run(self) -> None:
        while True:
            self._go.wait()
            self._go.clear()
            if self._closed:
                self._end()
                return
            try:
                self.answer = self._look()
            except Exception as error:  # noqa: BLE001 - the next look may end well, whatever ended this one
                self.answer = self._failed(problem_of(error, self.what))
            self._done.set()


Now = Callable[[], float]


class Unanswered:
    """Since when a source has not answered: since its first question without an answer, over all connections since."""

    def __init__(self) -> None:
        self._first: float | None = None

    def in_words(self, what: str, asked_at: float, *, begun: bool = False) -> str:
        """As `silence`, after a question of this time (epoch seconds) had no answer."""
        self._first = asked_at if self._first is None else min(self._first, asked_at)
        return silence(what, self._first, begun=begun)

    def ended(self, problem: Problem | None = None) -> None:
        """The source has answered, or a connection ended with this problem. Only silence goes on."""
        if problem is None or problem.kind not in _STILL_SILENT:
            self._first = None


_STILL_SILENT = frozenset({ProblemKind.TIMEOUT, ProblemKind.CONNECTING, ProblemKind.NOT_READ})


def silence(what: str, since: float, *, begun: bool = False) -> str:
    """One line that says since when there is no answer. `begun`: a part of the answer has come."""
    how = "answered only in part" if begun else "not answered"
    return f"{what} has {how} since {time.strftime('%H:%M:%S', time.gmtime(since))} UTC"
