"""Leaving because of a signal: the terminal gets its own screen back, and a run stays open so that it can be resumed.

Without this a console that is terminated leaves a terminal in the alternate screen, without echo and without a cursor.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from console.core.runs.state import RunState, StepStatus

if TYPE_CHECKING:
    from console.tui.app import ConsoleApp

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
ANSWER_WITHIN = 5.0
"""Seconds that a command which is being sent gets to be answered and written down."""
GIVE_UP_AFTER = 10
"""Seconds after which the process ends whatever holds it: a terminal that is gone can make writing to it hang."""


@contextlib.contextmanager
def orderly(app: ConsoleApp) -> Iterator[None]:
    """While this lasts, a signal that ends the process gives the terminal back first. Ignored signals stay ignored."""

    def asked(number: int, _: FrameType | None) -> None:
        """Between two turns of the event loop: in the middle of one, whatever it has locked would hold the leaving."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(GIVE_UP_AFTER)
        try:
            asyncio.get_running_loop().call_soon_threadsafe(leave, number)
        except RuntimeError:
            leave(number)

    def leave(number: int) -> None:
        run = app.current_run
        let_it_be_answered(app)
        with contextlib.suppress(Exception), app.suspend():
            if run is not None:
                print(f"run {run.run_id} is not over: redis-ha-console runs resume {run.run_id}", file=sys.stderr)  # noqa: T201
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        os._exit(128 + number)

    before = {one: signal.getsignal(one) for one in SIGNALS}
    for one, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(one, asked)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def let_it_be_answered(app: ConsoleApp) -> None:
    """A command that is on its way is not left without its answer in the journal, where that comes soon."""
    until = time.monotonic() + ANSWER_WITHIN
    while (run := app.current_run) is not None and sending(run) and time.monotonic() < until:
        time.sleep(0.05)


def sending(run: RunState) -> bool:
    """Whether a command of this run is on its way."""
    return any(step.status is StepStatus.SENDING for step in run.steps)
