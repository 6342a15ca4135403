"""The end by a signal: the terminal gets its own screen back, and a run stays open so that it can be resumed.

Without this a terminated console leaves a terminal in the alternate screen, without echo and without a cursor.
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

from console.core.runs.state import RunState, StepStatus
from console.core.typed_commands import program_command
from console.tui.apps.running_app import RunningApp

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
ANSWER_WITHIN = 5.0
"""Seconds to wait for the answer to a command that is being sent, so that the journal has it."""
FORCED_EXIT_AFTER = 10
"""Seconds after which the process ends in any case: writing to a terminal that is gone can block."""


@contextlib.contextmanager
def terminal_restored(app: RunningApp) -> Iterator[None]:
    """Within this context a signal that ends the process restores the terminal first. Ignored signals stay ignored."""

    def handle(number: int, _: FrameType | None) -> None:
        """Ends between two turns of the event loop: in the middle of a turn a lock may be held."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(FORCED_EXIT_AFTER)
        try:
            asyncio.get_running_loop().call_soon_threadsafe(end, number)
        except RuntimeError:
            end(number)

    def end(number: int) -> None:
        run = app.current_run
        wait_for_answer(app)
        with contextlib.suppress(Exception), app.suspend():
            if run is not None:
                print(f"run {run.run_id} is not over: {program_command(f'runs resume {run.run_id}')}", file=sys.stderr)  # noqa: T201
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        os._exit(128 + number)

    before = {one: signal.getsignal(one) for one in SIGNALS}
    for one, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(one, handle)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def wait_for_answer(app: RunningApp) -> None:
    """Waits a short time for the answer to a command that is being sent, so that the journal records it."""
    until = time.monotonic() + ANSWER_WITHIN
    while (run := app.current_run) is not None and is_sending(run) and time.monotonic() < until:
        time.sleep(0.05)


def is_sending(run: RunState) -> bool:
    """Whether a command of this run is being sent."""
    return any(step.status is StepStatus.SENDING for step in run.steps)
