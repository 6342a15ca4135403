"""A connection that a background thread opens, and opens again after it was lost. A poll does not wait for it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from console.core.model import Problem, ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.connections.patience import GRACE, Patience
from console.transport.connections.retry_delay import delay


class Closable(Protocol):
    """A connection of any kind."""

    def close(self) -> None: ...


_LOOK_AGAIN = 0.5  # seconds
C = TypeVar("C", bound=Closable)


class BackgroundConnection(Generic[C]):
    """Belongs to the thread that polls. Only the attempts to open it run in threads of their own."""

    def __init__(self, name: str, opener: Callable[[], C]) -> None:
        self._name = name
        self._opener = opener
        self._failures = 0
        self._not_before = 0.0
        self._failed_at: float | None = None
        self._opening: _Attempt[C] | None = None
        self._closed = False
        self.connection: C | None = None
        self.problem = Problem(ProblemKind.CONNECTING, ProblemKind.CONNECTING.value)

    @property
    def problem_age(self) -> float:
        """Seconds since the attempt that ended with the problem; 0: none has ended yet."""
        return 0.0 if self._failed_at is None else time.monotonic() - self._failed_at

    @property
    def under_way(self) -> bool:
        """Whether an attempt goes on. From any thread."""
        opening = self._opening
        return opening is not None and not opening.done.is_set()

    def may_connect(self, *, force: bool = False) -> bool:
        """Whether `start_connecting` would begin an attempt now."""
        if self._closed or self.connection is not None or self._opening is not None:
            return False
        return force or time.monotonic() >= self._not_before

    def start_connecting(self, *, force: bool = False) -> None:
        """Begins an attempt if there is no connection, no attempt is under way, and the backoff is over or `force`."""
        if self.may_connect(force=force):
            self._opening = _Attempt(self._name, self._opener)

    def finish_connecting(self, deadline: float, patience: Patience | None = None) -> bool:
        """Waits for the attempt until `deadline` (monotonic) and takes its result. True: the connection is new.

        `patience`: that of the attempt. Once it is over nobody waits, even if the deadline is later.
        """
        opening = self._opening
        if opening is None or not opening.ended_by(deadline, patience):
            return False
        self._opening = None
        if opening.connection is None:
            assert opening.problem is not None
            self.fail(opening.problem)
            return False
        if self._closed:
            opening.connection.close()
            return False
        self.connection = opening.connection
        self._failures = 0
        return True

    def fail(self, problem: Problem) -> None:
        """Closes the connection and starts the backoff: it was lost, or could not be made."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        self.problem = problem
        self._failures += 1
        self._failed_at = time.monotonic()
        self._not_before = self._failed_at + delay(self._failures, refused=problem.kind is ProblemKind.REFUSED)

    def reset_backoff(self) -> None:
        """Lets the next attempt begin at once."""
        self._not_before = 0.0
        self._failures = 0

    def close(self) -> None:
        self._closed = True
        if self._opening is not None:
            self._opening.abandon()
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class _Attempt(Generic[C]):
    """One attempt to open the connection, in its own thread."""

    def __init__(self, name: str, opener: Callable[[], C]) -> None:
        self.done = threading.Event()
        self.connection: C | None = None
        self.problem: Problem | None = None
        self._name = name
        self._opener = opener
        self._abandoned = False
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name=f"open {name}", daemon=True).start()

    def ended_by(self, deadline: float, patience: Patience | None) -> bool:
        """Waits for its end. The patience may grow meanwhile, so it is asked again and again."""
        while True:
            limit = deadline if patience is None else min(deadline, patience.deadline + GRACE)
            left = limit - time.monotonic()
            if self.done.wait(min(max(0.0, left), _LOOK_AGAIN)):
                return True
            if left <= 0:
                return False

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if self.connection is not None:
                self.connection.close()

    def _run(self) -> None:
        try:
            connection = self._opener()
        except RemoteError as error:
            self.problem = error.problem
        except Exception as error:  # noqa: BLE001 - one node's trouble must not end the others'
            text = f"{self._name}: {type(error).__name__}: {error}"
            self.problem = Problem(ProblemKind.UNREACHABLE, " ".join(text.split())[:300])
        else:
            with self._lock:
                self.connection = connection
                if self._abandoned:
                    with contextlib.suppress(Exception):
                        connection.close()
        self.done.set()
