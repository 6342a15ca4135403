"""Waiting for a step's proof: it is looked for until it is there, or until nobody wants to wait any longer."""

from __future__ import annotations

from console.core.model import ClusterState
from console.core.runs.events import ProofsChecked, VerificationBegan
from console.engine.ports import Clock, Inspector
from console.engine.steps.recorder import RunRecorder
from console.engine.steps.step_view import passed_over, proofs

POLL = 0.5
"""Seconds between two looks."""


class Proof:
    """Of one step: its `verify`, on observation after observation."""

    def __init__(self, recorder: RunRecorder, inspector: Inspector, clock: Clock, index: int) -> None:
        self._recorder = recorder
        self._inspector = inspector
        self._clock = clock
        self._index = index
        self._step = recorder.run.steps[index].step

    def holds(self, within: float | None = None, *, state: ClusterState | None = None) -> bool:
        """Looks until every proof holds or the deadline passes; the screen sees each observation.

        `within`: seconds, where the step's own deadline would be too long. `state`: what was observed just now, where
        nothing was sent since.
        """
        clock = self._clock
        within = self._step.within if within is None else min(within, self._step.within)
        until = clock.monotonic() + within
        self._recorder.advance(VerificationBegan(self._index, clock.now() + within))
        verdicts: list[str] | None = None
        while True:
            if state is None:
                state = self._inspector.observe(fresh=True)
                self._recorder.show(state)
            seen = proofs(self._step, state, self._recorder.run.roles)
            self._recorder.advance(ProofsChecked(self._index, seen))
            what = {"step": self._index + 1, "observed_at": state.observed_at, "proofs": seen}
            if all(check.holds for check in seen):
                self._recorder.record("verified", what)
                return True
            if verdicts != (verdicts := [check.verdict.value for check in seen]):
                self._recorder.record("observed", what)
            if self.overtaken or clock.monotonic() >= until or not self._sleep():
                return False
            state = None

    @property
    def overtaken(self) -> bool:
        """Whether a step that sends nothing waits in vain: meanwhile its own `skip_if` passes over it."""
        state = self._recorder.state
        return (
            self._step.action is None and state is not None and passed_over(self._step, state, self._recorder.run.roles)
        )

    def _sleep(self) -> bool:
        """Until the next look. False: the operator does not want to wait any longer (Ctrl-C, or `stop_waiting`)."""
        try:
            self._clock.sleep(POLL)
        except KeyboardInterrupt:
            return False
        return not self._recorder.stop_waiting
