"""Records a run while it runs: changes go to the screen, facts to the journal, questions to the operator."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from console.core.model import ClusterState
from console.core.model.silence import silent_sources
from console.core.runs.advance import advance
from console.core.runs.events import Event
from console.core.runs.question import Decision, Question
from console.core.runs.records.journal import Entry
from console.core.runs.state import RunState
from console.engine.actions.write_pause import PauseWatch
from console.engine.ports import Clock, Operator
from console.engine.steps.kept_journal import KeptJournal
from console.engine.steps.name_watch import NameWatch
from console.engine.steps.source_watch import SourceWatch

STILL_NEW = 1.0
"""Seconds for which an observation serves the next step too, where nothing was sent since."""


class JournalLostError(Exception):
    """The journal cannot be written. From here on nothing may be sent."""


class RunRecorder:
    """The run so far. Only the runner's thread changes it. Other threads may read `run` at any time."""

    def __init__(
        self, run: RunState, journal: KeptJournal, operator: Operator, name_watch: NameWatch | None = None
    ) -> None:
        self.run = run
        self.name_watch = name_watch
        """What the name that clients resolve led to meanwhile. None: clients use an address."""
        self.state: ClusterState | None = None
        """The newest observation."""
        self.in_flight = ""
        """The command that may have been sent, with no result on disk. A run that ends now is UNKNOWN (H27)."""
        self.pause = PauseWatch()
        """How long clients could not write, where the run paused writes."""
        self.source = SourceWatch()
        """Whether the source of a replication is still the one that was shown."""
        self.stop_waiting = False
        """Set from another thread: the operator does not want to wait for a proof. Reset by the next answer."""
        self._sent_since = False
        """Whether a command was sent, or may have been, since the newest observation."""
        self._journal = journal
        self._operator = operator

    @property
    def entries(self) -> Sequence[Entry]:
        """What the journal has. The end of the run is told from it."""
        return self._journal.entries

    def begin(self) -> None:
        """Begins to watch the name."""
        if self.name_watch is not None:
            self.name_watch.start()

    def record(self, kind: str, data: Mapping[str, object]) -> None:
        """Writes an entry. It is on disk when this returns. Raises JournalLostError."""
        self._sent_since = self._sent_since or kind == "intent"
        try:
            self._journal.append(kind, data)
        except OSError as error:
            raise JournalLostError(str(error)) from error

    def record_step(self, index: int, kind: str, data: Mapping[str, object]) -> None:
        """The same, for the step with this index."""
        self.record(kind, {"step": index + 1, **data})

    def advance(self, event: Event) -> None:
        """Applies the event, and tells the screen. A screen that fails does not stop a command half-way."""
        self.run = advance(self.run, event)
        with contextlib.suppress(Exception):
            self._operator.tell(self.run)

    def show(self, state: ClusterState) -> None:
        """Keeps and shows an observation that gates and proofs are based on."""
        self.state = state
        self._sent_since = False
        self.pause.look(state)
        self.source.look(state)
        if self.name_watch is not None:
            self.name_watch.look(state)
        with contextlib.suppress(Exception):
            self._operator.show(state)

    def still_new(self, clock: Clock) -> ClusterState | None:
        """The newest observation, where another look would tell nothing new: all answered, a moment ago."""
        state = self.state
        if state is None or self._sent_since or not 0 <= clock.now() - state.observed_at <= STILL_NEW:
            return None
        return None if silent_sources(state) else state

    def sleep(self, clock: Clock, seconds: float) -> bool:
        """Waits for the next look. False: the operator does not want to wait (Ctrl-C, or `stop_waiting`)."""
        try:
            clock.sleep(seconds)
        except KeyboardInterrupt:
            return False
        return not self.stop_waiting

    def ask(self, question: Question) -> Decision:
        """Waits for the operator. The decision is on disk when this returns."""
        decision = self._operator.decide(question)
        self.stop_waiting = False
        asked = {"step": question.index + 1, "asked": question.kind, "reason": question.reason}
        shown = {"digest": question.digest, "differences": question.differences, "observed_at": question.observed_at}
        self.record("decided", {**asked, **shown, "decision": decision})
        return decision
