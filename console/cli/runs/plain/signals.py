"""How a signal ends a run of plain prompts: the run is not closed, so that it can be resumed.

SIGTERM and SIGHUP (the terminal has gone) end the process. If a command is being sent at that moment, the process first
waits a few seconds for its answer and writes it to the journal. Otherwise the command would be UNKNOWN.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from console.cli.output import say
from console.core.runs.state import RunState, StepStatus

if TYPE_CHECKING:
    from console.engine.ports import ArmedRun

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
ANSWER_TIMEOUT = 5
"""Seconds to wait for the answer to a command that is being sent."""


@contextlib.contextmanager
def stays_resumable(armed: ArmedRun) -> Iterator[Callable[[RunState], None]]:
    """Handles the signals inside the block. Yields a function that must be called with each change of the run.

    A signal that was ignored before stays ignored.
    """
    caught: list[int] = []

    def end_process(number: int) -> None:
        with contextlib.suppress(OSError):
            say(f"\nrun {armed.state.run_id} is not over: `runs resume` goes on with it", err=True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def on_signal(number: int, _: object) -> None:
        if caught or not _is_sending(armed.state):
            end_process(number)
        caught.append(number)
        signal.signal(signal.SIGALRM, lambda *_: end_process(number))
        signal.alarm(ANSWER_TIMEOUT)

    def on_change(_: RunState) -> None:  # the first change after the signal is the answer
        if caught:
            end_process(caught[0])

    before = {one: signal.getsignal(one) for one in SIGNALS}
    for one, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(one, on_signal)
    try:
        yield on_change
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _is_sending(run: RunState) -> bool:
    return any(step.status is StepStatus.SENDING for step in run.steps)
