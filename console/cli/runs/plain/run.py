"""An armed run with plain prompts, from its first question to its end."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from console.cli.runs.plain.operator import PlainOperator
from console.cli.runs.plain.signals import stays_resumable
from console.core.runs.state import Outcome, StepStatus

if TYPE_CHECKING:
    from console.engine.ports import ArmedRun, ConsoleContext

NOT_DONE = 1
"""The exit code of a run that is not done and proved."""


def run_to_end(armed: ArmedRun, console_context: ConsoleContext) -> int:
    """Runs an armed run to its end with plain prompts. Returns the exit code."""
    with stays_resumable(armed) as on_change, _ctrl_c_ends_a_wait(armed):
        operator = PlainOperator(console_context.clock.now, on_change)
        operator.print_start(armed.state)
        ended = armed.execute(operator)
    operator.print_end(ended)
    return 0 if ended.outcome is Outcome.DONE else NOT_DONE


@contextlib.contextmanager
def _ctrl_c_ends_a_wait(armed: ArmedRun) -> Iterator[None]:
    """Inside the block, Ctrl-C while a proof is awaited ends the waiting and leads to a question.

    A second Ctrl-C in the same step ends the run.
    """
    asked_at: list[int | None] = []

    def stop(*_: object) -> None:
        run = armed.state
        waits = run.current is not None and run.steps[run.current].status is StepStatus.VERIFYING
        if not waits or run.current in asked_at:
            raise KeyboardInterrupt
        asked_at.append(run.current)
        armed.stop_waiting()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
