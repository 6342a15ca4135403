"""Waits for a step's proof: until it holds, until its deadline, or until the operator does not want to wait."""

from __future__ import annotations

from console.core.model import ClusterState
from console.core.runs.events import ProofsChecked, VerificationBegan
from console.engine.ports import Clock, Inspector
from console.engine.steps.recorder import RunRecorder
from console.engine.steps.step_view import proofs, skip_if_holds

POLL = 0.5
"""Seconds between two looks."""


class Proof:
    """The proof of one step: its `verify`, evaluated on one observation after the other."""

    def __init__(self, recorder: RunRecorder, inspector: Inspector, clock: Clock, index: int) -> None:
        self._recorder = recorder
        self._inspector = inspector
        self._clock = clock
        self._index = index
        self._step = recorder.run.steps[index].step

    def holds(self, within: float | None = None, *, state: ClusterState | None = None) -> bool:
        """Looks until every proof holds or the deadline passes. The screen gets each observation.

        False also where the source of a replication is not the one that was shown: the operator is asked at once.

        `within`: seconds, where the step's own deadline is too long. `state`: the newest observation, where nothing was
        sent since.
        """
        clock = self._clock
        within = self._step.within if within is None else min(within, self._step.within)
        until = clock.monotonic() + within
        self._recorder.advance(VerificationBegan(self._index, clock.now(), clock.now() + within))
        verdicts: list[str] | None = None
        while True:
            if state is None:
                state = self._inspector.observe(fresh=True)
                self._recorder.show(state)
            checks = proofs(self._step, state, self._recorder.run.roles)
            self._recorder.advance(ProofsChecked(self._index, checks))
            data = {"observed_at": state.observed_at, "proofs": checks}
            if self._recorder.source.to_be_asked:
                return False
            if all(check.holds for check in checks):
                self._recorder.record_step(self._index, "verified", data)
                return True
            if verdicts != (verdicts := [check.verdict.value for check in checks]):
                self._recorder.record_step(self._index, "observed", data)
            if self.skip_if_holds or clock.monotonic() >= until or not self._recorder.sleep(clock, POLL):
                return False
            state = None

    @property
    def skip_if_holds(self) -> bool:
        """Whether a step that sends nothing need not wait any longer: its `skip_if` holds now."""
        state = self._recorder.state
        if self._step.action is not None or state is None:
            return False
        return skip_if_holds(self._step, state, self._recorder.run.roles)
