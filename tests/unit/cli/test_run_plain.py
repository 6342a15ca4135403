"""Ctrl-C in a run of plain prompts: where a proof is awaited it leads to a question, anywhere else it ends the run."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import pytest

from console.cli.runs.plain.run import _ctrl_c_ends_a_wait
from console.core.runs.state import StepStatus


class Armed:
    def __init__(self, *statuses: StepStatus) -> None:
        steps = [SimpleNamespace(status=status) for status in statuses]
        self.state = SimpleNamespace(steps=steps, current=0 if steps else None)
        self.stopped = 0

    def stop_waiting(self) -> None:
        self.stopped += 1


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_it_ends_a_wait_once_a_step_and_the_second_one_ends_the_run():
    armed = Armed(StepStatus.VERIFYING, StepStatus.VERIFYING)
    before = signal.getsignal(signal.SIGINT)
    with _ctrl_c_ends_a_wait(armed):
        ctrl_c()
        assert armed.stopped == 1
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
        armed.state.current = 1
        ctrl_c()
        assert armed.stopped == 2
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("armed", [Armed(), Armed(StepStatus.ASKING), Armed(StepStatus.SENDING)])
def test_anywhere_else_it_interrupts(armed):
    with _ctrl_c_ends_a_wait(armed), pytest.raises(KeyboardInterrupt):
        ctrl_c()
    assert armed.stopped == 0
