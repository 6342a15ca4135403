"""Runs a runbook to its end: the steps in order, and one way out for everything that can end a run."""

from __future__ import annotations

import contextlib

from console.core.belief import beliefs
from console.core.diagnose import diagnose
from console.core.figures import figures
from console.core.journal import plain
from console.core.model import ClusterState
from console.core.name_watch import NameTally
from console.core.replay import PastRun
from console.core.run import (
    PASSED_STATUSES,
    BeliefKind,
    BeliefsFormed,
    ConditionsChecked,
    Outcome,
    RunEnded,
    RunState,
    StepEnded,
    StepReached,
    StepStatus,
)
from console.core.vocabulary import evaluate
from console.engine.look import sentence, situation
from console.engine.ports import Journal, Operator
from console.engine.resumption import attempt_of, pause_begun
from console.engine.run_lock import LockTakenError
from console.engine.step import Hands, StepRun, StoppedError
from console.engine.story import JournalLostError, Story


class Runner:
    """One run, from its first step to its end, in the thread of the caller."""

    def __init__(
        self, run: RunState, hands: Hands, journal: Journal, operator: Operator, past: PastRun | None = None
    ) -> None:
        """`past`: what the journal tells of a run that is resumed."""
        self._story = Story(run, journal, operator, hands.watch)
        self._hands = hands
        self._past = past

    @property
    def state(self) -> RunState:
        return self._story.run

    def stop_waiting(self) -> None:
        """Ends the wait for a proof; the operator is asked what to do then. From any thread; nothing else changes."""
        self._story.stop_waiting = True

    def execute(self) -> RunState:
        """Runs to the end. Raises nothing but MemoryError: what went wrong is the outcome and its message."""
        try:
            self._story.begin()
            if self._past is not None:
                self._go_on(self._past)
            elif nothing_to_do := self._done_before():
                self._end(Outcome.DONE, StepStatus.SKIPPED, f"nothing to do: {nothing_to_do}")
                return self.state
            else:
                for index in range(len(self.state.steps)):
                    StepRun(self._story, self._hands, index).go()
            self._end(Outcome.DONE, StepStatus.DONE, "every step is done and proved")
        except StoppedError as stop:
            self._end(stop.outcome, stop.status, stop.note, stop.ways)
        except JournalLostError as lost:
            self._end_early(Outcome.REFUSED, f"{lost}: without it nothing is sent")
        except LockTakenError as taken:
            self._end_early(Outcome.REFUSED, f"{taken}; nothing more is sent")
        except KeyboardInterrupt:
            self._end_early(Outcome.ABORTED, "interrupted by the operator")
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 (a mistake in here is a line in the journal, never a traceback)
            self._end_early(Outcome.FAILED, f"a mistake in this program: {type(error).__name__}: {error}")
        return self.state

    def _go_on(self, past: PastRun) -> None:
        """The steps of a run that is resumed: those that stand are passed over, from the first other one on it is run.

        After that one nothing is taken for done: what is so is skipped by the step's own conditions, as in a new run.
        """
        if (held := pause_begun(past, self.state.runbook)) is not None:
            self._story.pause.begin(*held)
        state = self._hands.inspector.observe(fresh=True)
        self._story.show(state)
        believed = beliefs(past, self.state.runbook, state, self.state.roles)
        self._story.record("believed", {"observed_at": state.observed_at, "steps": believed, "figures": figures(state)})
        self._story.advance(BeliefsFormed(believed))
        stand = True
        for belief, was in zip(believed, past.steps, strict=True):
            step = StepRun(self._story, self._hands, belief.index)
            stand = stand and belief.kind not in (BeliefKind.OPEN, BeliefKind.UNKNOWN)
            begun = attempt_of(was) if was.status not in PASSED_STATUSES else None
            if stand:
                step.pass_over(was.status, f"{belief.kind.value}: {belief.why}")
            elif begun is not None:
                step.take_up(begun)
            else:
                step.go()

    def _done_before(self) -> str:
        """Skips every step where what the runbook is for is true already. Why; empty: there is something to do."""
        run = self.state
        if not run.runbook.done_if:
            return ""
        state = self._hands.inspector.observe(fresh=True)
        self._story.show(state)
        checks = tuple(evaluate(one, state, run.roles) for one in run.runbook.done_if)
        self._story.record("observed", {"observed_at": state.observed_at, "done_if": checks, "figures": figures(state)})
        if not all(check.holds for check in checks):
            return ""
        evidence = "; ".join(f"{check.statement} ({check.evidence})" for check in checks)
        for index, _ in enumerate(run.steps):
            self._story.advance(StepReached(index, self._hands.clock.now()))
            self._story.advance(ConditionsChecked(index, checks))
            self._story.advance(StepEnded(index, StepStatus.SKIPPED, "nothing to do", self._hands.clock.now()))
        return evidence

    def _end_early(self, outcome: Outcome, note: str) -> None:
        """An end that no step chose. A command whose answer is not on disk makes it unknown, whatever the cause."""
        current = self.state.current
        sent = current is not None and bool(self.state.steps[current].output)
        if self._story.in_flight:
            outcome, note = Outcome.UNKNOWN, f"{note}; sent, and its outcome is unknown: {self._story.in_flight}"
        elif sent and outcome is Outcome.REFUSED:
            outcome = Outcome.UNKNOWN
        self._end(outcome, StepStatus.UNKNOWN if sent else StepStatus.REFUSED, note)

    def _end(self, outcome: Outcome, status: StepStatus, note: str, ways: tuple[str, ...] = ()) -> None:
        """Closes the step under way and the run, and says what was done, where the pair stands and what leads on."""
        current = self.state.current
        message = f"{sentence(note)} {self._so_far(outcome)}"
        try:
            if current is not None and outcome is not Outcome.DONE:
                ended = {"step": current + 1, "id": self.state.steps[current].step.id, "status": status, "note": note}
                self._story.advance(StepEnded(current, status, note, self._hands.clock.now()))
                self._story.record("step", {**ended, "ways": ways})
            self._story.record("closed", {"outcome": outcome, "message": message, **self._last_figures()})
        except Exception as lost:  # noqa: BLE001 - the end is told on the screen even where it cannot be written
            message = f"{message} {sentence(str(lost))}"
        self._story.advance(RunEnded(outcome, message))

    def _last_figures(self) -> dict[str, object]:
        """Where the last observation found the pair, and how long writes were held back, for the report."""
        state, pause = self._story.state, self._story.pause
        last = {"observed_at": state.observed_at, "figures": figures(state)} if state is not None else {}
        held = {"node": pause.node, "since": pause.since, "until": pause.until or None}
        name = self._watched()
        seen = {**plain(name), "words": name.words()} if name is not None else None
        return {**last, "writes_held_back": held if pause.since else None, "name": seen}

    def _watched(self) -> NameTally | None:
        """What the name that clients resolve led to; from here on it is not watched any more."""
        return self._story.watch.finish() if self._story.watch is not None else None

    def _way_on(self, state: ClusterState) -> str:
        """The runbooks that lead on from where the pair stands, by what is found wrong with it."""
        found = diagnose(state, self._hands.clock.now())
        named = dict.fromkeys(one.next.runbook for one in found if one.next.runbook)
        return f"What leads on from here: {', or '.join(f'run {name}' for name in named)}." if named else ""

    def _so_far(self, outcome: Outcome) -> str:
        sentences = []
        if outcome is not Outcome.DONE:
            done = [one.step.id for one in self.state.steps if one.status is StepStatus.DONE]
            touched = any(one.output for one in self.state.steps)
            sentences.append(f"Done so far: {', '.join(done)}." if done else "No step was done.")
            sentences.append("" if touched else "Nothing was sent.")
        sentences.append(self._story.pause.words(self._hands.clock.now()))
        name = self._watched()
        sentences.append(name.words() if name is not None else "")
        if self._story.state is not None:
            with contextlib.suppress(Exception):  # the last words must be said even if the summary cannot be made
                sentences.append(f"Now: {situation(self._story.state)}")
                if outcome is not Outcome.DONE:
                    sentences.append(self._way_on(self._story.state))
        return " ".join(filter(None, sentences))
