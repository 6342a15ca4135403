"""Lets the faults of a plan happen, each at its moment of its step of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.nights.faults import FAULTS
from simulation.nights.plan import Moment, PlannedFault

from console.core.runs.state import RunState

if TYPE_CHECKING:
    from simulation.nights.night import Night


class Troubles:
    """Listens to every call of a port."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self._waiting: list[PlannedFault] = []
        self._runbook = ""
        self._step = -1
        self._looks = 0
        """Observations in this step so far."""

    def begin(self, runbook: str, faults: list[PlannedFault]) -> None:
        self._runbook, self._waiting, self._step = runbook, faults, -1

    def resume(self) -> None:
        """The console begins again: the steps are met anew."""
        self._step = -1

    def end(self) -> None:
        """The run has ended: what has not come does not come any more."""
        self._waiting = []

    def touch(self, call: str) -> None:
        """A port is called."""
        night, run = self._night, self._night.operator.run
        index = run.current if run is not None and run.current is not None else -1
        if index != self._step:
            self._step, self._looks = index, 0
            if run is not None and index >= 0:
                night.result.steps[self._runbook, run.runbook.steps[index].id] += 1
        if index < 0 or run is None:
            return
        if call == "observe":
            self._looks += 1
        if call == "journaled verified" and (action := run.runbook.steps[index].action) and action.verb == "backup":
            night.invariants.judge_backup(run.steps[index].node)
        if self._waiting and (moment := self._moment(call, run, index)) is not None:
            self._fire(run, index, moment)

    def _moment(self, call: str, run: RunState, index: int) -> Moment | None:
        """A step that sends nothing has its moments at its looks."""
        looks = 0 if run.runbook.steps[index].action is not None else self._looks
        if call == "observe" and self._looks == 1:
            return Moment.BEFORE
        if call == "send" or (call == "observe" and looks == 2):
            return Moment.DURING
        if call == "sent" or (call == "observe" and looks == 3):
            return Moment.AFTER
        return None

    def _fire(self, run: RunState, index: int, moment: Moment) -> None:
        night, step = self._night, run.runbook.steps[index].id
        count = len(run.runbook.steps)
        for one in [one for one in self._waiting if one.step % count == index and one.moment is moment]:
            self._waiting.remove(one)
            night.result.fired[self._runbook, step, one.kind, moment.value] += 1
            night.world.tell(f"FAULT {one.kind} on {one.host} for {one.seconds:.0f} s, {moment.value} {step}")
            night.invariants.others_acted = night.world.now + one.seconds
            FAULTS[one.kind](night, night.world.hosts[one.host], one.seconds)
