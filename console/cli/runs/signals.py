"""Leaving a run of plain prompts because of a signal: it stays open, so that it can be resumed.

A terminal that goes away (SIGHUP) and SIGTERM end the process, as anything else that is killed. What is on its way to a
server at that moment gets its answer written down first, where that comes soon: it is one UNKNOWN less.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from console.core.runs.state import RunState, StepStatus

if TYPE_CHECKING:
    from console.engine.ports import ArmedRun

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
ANSWER_TIMEOUT = 5
"""Seconds that a command which is being sent gets to be answered."""


@contextlib.contextmanager
def stays_resumable(armed: ArmedRun) -> Iterator[Callable[[RunState], None]]:
    """While this lasts, a signal that ends the process lets an answer be written first. Yields what to call with news.

    Ignored signals stay ignored.
    """
    caught: list[int] = []

    def end_process(number: int) -> None:
        with contextlib.suppress(OSError):
            print(f"\nrun {armed.state.run_id} is not over: `runs resume` goes on with it", file=sys.stderr, flush=True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def on_signal(number: int, _: object) -> None:
        if caught or not _is_sending(armed.state):
            end_process(number)
        caught.append(number)
        signal.signal(signal.SIGALRM, lambda *_: end_process(number))
        signal.alarm(ANSWER_TIMEOUT)

    def on_change(_: RunState) -> None:  # the first of it after the signal is the answer
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
