"""Work of a command in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


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
