"""Work of a command in a thread of its own."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
_SHORT_TURN = 0.0005  # seconds; by default 0.005


def in_background(work: Callable[[], T], name: str) -> Future[T]:
    """Starts the work in a thread that Ctrl-C does not wait for. The future has its result, or raises its error."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - result() raises it again
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


@contextlib.contextmanager
def short_turns() -> Iterator[None]:
    """Inside the block a thread that computes lets the others go on sooner.

    While one imports, each answer of a server would else wait for the end of its turn, ten times in a login.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SHORT_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
