"""What a run tells while it runs: changes to the screen, facts to the journal, questions to the operator."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from console.core.model import ClusterState
from console.core.runs.advance import advance
from console.core.runs.events import Event
from console.core.runs.question import Decision, Question
from console.core.runs.state import RunState
from console.engine.actions.write_pause import PauseWatch
from console.engine.ports import Journal, Operator
from console.engine.steps.name_watch import NameWatch


class JournalLostError(Exception):
    """The journal cannot be written: from here on nothing may be sent."""


class RunRecorder:
    """The run so far. Only the runner's thread changes it; others may read `run` at any time."""

    def __init__(self, run: RunState, journal: Journal, operator: Operator, watch: NameWatch | None = None) -> None:
        self.run = run
        self.watch = watch
        """What the name that clients resolve led to meanwhile; None: they come by an address."""
        self.state: ClusterState | None = None
        """The newest observation."""
        self.in_flight = ""
        """The command that may have left and whose answer is not on disk: a death here means UNKNOWN (H27)."""
        self.pause = PauseWatch()
        """How long clients could not write, where the run held writes back."""
        self.stop_waiting = False
        """Set from another thread: the operator does not want to wait for a proof. Holds until the next answer."""
        self._journal = journal
        self._operator = operator

    def begin(self) -> None:
        """The run begins: the name is watched from here on."""
        if self.watch is not None:
            self.watch.start()

    def record(self, kind: str, data: Mapping[str, object]) -> None:
        """On disk when it returns. Raises JournalLostError."""
        try:
            self._journal.append(kind, data)
        except OSError as error:
            raise JournalLostError(str(error)) from error

    def record_of_step(self, index: int, kind: str, data: Mapping[str, object]) -> None:
        """An entry about one step; the journal counts steps from 1. Raises JournalLostError."""
        self.record(kind, {"step": index + 1, **data})

    def advance(self, event: Event) -> None:
        """The run moves on, and the screen hears of it. A screen that fails does not stop a command half-way."""
        self.run = advance(self.run, event)
        with contextlib.suppress(Exception):
            self._operator.tell(self.run)

    def show(self, state: ClusterState) -> None:
        """An observation that gates and proofs rest on."""
        self.state = state
        self.pause.look(state)
        if self.watch is not None:
            self.watch.look(state)
        with contextlib.suppress(Exception):
            self._operator.show(state)

    def ask(self, question: Question) -> Decision:
        """Waits for the operator; the decision is on disk when it returns."""
        decision = self._operator.decide(question)
        self.stop_waiting = False
        asked = {"step": question.index + 1, "asked": question.kind, "reason": question.reason}
        shown = {"digest": question.digest, "differences": question.differences, "observed_at": question.observed_at}
        self.record("decided", {**asked, **shown, "decision": decision})
        return decision
