"""Runs a runbook to its end: the steps in order, and one place for everything that can end a run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from console.core.kinds.diagnose import diagnose, left_behind
from console.core.model import ClusterState
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.ending import EndSection, run_ending
from console.core.runs.events import ConditionsChecked, RunEnded, StepBegan, StepEnded, StepsAssessed
from console.core.runs.past.past_run import PastRun
from console.core.runs.past.since_then import since_then
from console.core.runs.past.step_assessment import assessments
from console.core.runs.progress import success_in_words
from console.core.runs.records.journal import plain
from console.core.runs.state import PASSED_STATUSES, AssessmentKind, Outcome, RunState, StepStatus
from console.core.runs.state_summary import state_summary
from console.core.watchers.service_name_history import NameTally
from console.engine.ports import Operator
from console.engine.sessions.resumption import pause_begun
from console.engine.steps.attempt import past_attempt
from console.engine.steps.kept_journal import KeptJournal
from console.engine.steps.recorder import JournalLostError, RunRecorder
from console.engine.steps.run_context import RunContext, RunStoppedError
from console.engine.steps.run_guard import LockTakenError
from console.engine.steps.step_run import StepRun
from console.engine.steps.step_view import sentence, situation

_EARLY = {
    # Outcome of a run that ended early → status of its step, where nothing of the step was sent.
    Outcome.REFUSED: StepStatus.REFUSED,
    Outcome.ABORTED: StepStatus.STOPPED,
    Outcome.FAILED: StepStatus.FAILED,
    Outcome.UNKNOWN: StepStatus.UNKNOWN,
}


class Runner:
    """One run, from its first step to its end, in the thread of the caller."""

    def __init__(
        self,
        run: RunState,
        context: RunContext,
        journal: KeptJournal,
        operator: Operator,
        past: PastRun | None = None,
        others: Callable[[], Iterable[PastRun]] = tuple,
    ) -> None:
        """`past`: a run that is resumed, as its journal tells it. `others`: the recorded runs on this machine."""
        self._recorder = RunRecorder(run, journal, operator, context.name_watch)
        self._context = context
        self._past = past
        self._others = others

    @property
    def state(self) -> RunState:
        return self._recorder.run

    def stop_waiting(self) -> None:
        """Ends the wait for a proof. The operator is then asked what to do. May be called from any thread."""
        self._recorder.stop_waiting = True

    def execute(self) -> RunState:
        """Runs to the end. Raises nothing but MemoryError: any other error is in the outcome and its message."""
        try:
            self._recorder.begin()
            if self._past is not None:
                self._resume_steps(self._past)
            elif nothing_to_do := self._skip_all_as_done():
                self._end(Outcome.DONE, StepStatus.SKIPPED, f"Nothing to do: {nothing_to_do}")
                return self.state
            else:
                for index in range(len(self.state.steps)):
                    StepRun(self._recorder, self._context, index).run()
            self._end(Outcome.DONE, StepStatus.DONE, success_in_words(self.state))
        except RunStoppedError as stop:
            self._end(stop.outcome, stop.status, stop.note, stop.remedies)
        except JournalLostError as lost:
            self._end_early(Outcome.REFUSED, f"{lost}: without it nothing is sent")
        except LockTakenError as taken:
            self._end_early(Outcome.REFUSED, f"{taken}; nothing more is sent")
        except KeyboardInterrupt:
            self._end_early(Outcome.ABORTED, "Interrupted by the operator")
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 (a bug of this program is a line in the journal, never a traceback)
            self._end_early(Outcome.FAILED, f"A mistake in this program: {type(error).__name__}: {error}")
        return self.state

    def _resume_steps(self, past: PastRun) -> None:
        """Runs the steps of a resumed run. The first steps that are done are kept, and the next one is run.

        From that one on, the journal alone makes no step done. Only its own `skip_if` skips it, as in a new run.
        """
        if (held := pause_begun(past, self.state.runbook)) is not None:
            self._recorder.pause.begin(*held)
        state = self._context.inspector.observe(fresh=True)
        self._recorder.show(state)
        assessed = assessments(past, self.state.runbook, state, self.state.roles)
        since = since_then(past, self.state.runbook, state, self.state.roles, self._others())
        changed = {"over": since.over, "differences": since.differences}
        self._recorder.record(
            "believed",
            {"observed_at": state.observed_at, "steps": assessed, "figures": state_summary(state), **changed},
        )
        self._recorder.advance(StepsAssessed(assessed))
        still_done = True
        for assessment, was in zip(assessed, past.steps, strict=True):
            step = StepRun(self._recorder, self._context, assessment.index, since)
            still_done = still_done and assessment.kind not in (AssessmentKind.OPEN, AssessmentKind.UNKNOWN)
            begun = past_attempt(was) if was.status not in PASSED_STATUSES else None
            if still_done:
                step.end_as_recorded(was.status, f"{assessment.kind.value}: {assessment.why}")
            elif begun is not None:
                step.resume(begun)
            else:
                step.run()
            if self.state.steps[assessment.index].status is StepStatus.DONE and not still_done:
                since = replace(since, differences=())  # they were shown at the question of this step

    def _skip_all_as_done(self) -> str:
        """Skips every step if the runbook's `done_if` holds already. Returns why. Empty: there is something to do."""
        run = self.state
        if not run.runbook.done_if:
            return ""
        state = self._context.inspector.observe(fresh=True)
        self._recorder.show(state)
        checks = tuple(evaluate(one, state, run.roles) for one in run.runbook.done_if)
        self._recorder.record(
            "observed", {"observed_at": state.observed_at, "done_if": checks, "figures": state_summary(state)}
        )
        if not all(check.holds for check in checks):
            return ""
        evidence = "; ".join(f"{check.statement} ({check.evidence})" for check in checks)
        now = self._context.clock.now()
        for index, _ in enumerate(run.steps):
            self._recorder.advance(StepBegan(index, now))
            self._recorder.advance(ConditionsChecked(index, now, checks))
            self._recorder.advance(StepEnded(index, StepStatus.SKIPPED, "nothing to do", now))
        return evidence

    def _end_early(self, outcome: Outcome, note: str) -> None:
        """Ends the run in the middle of a step. A command whose result is not on disk makes the outcome UNKNOWN."""
        current = self.state.current
        sent = current is not None and bool(self.state.steps[current].output)
        if self._recorder.in_flight:
            outcome, note = Outcome.UNKNOWN, f"{note}; sent, and its outcome is unknown: {self._recorder.in_flight}"
        elif sent and outcome is Outcome.REFUSED:
            outcome = Outcome.UNKNOWN
        self._end(outcome, StepStatus.UNKNOWN if sent else _EARLY[outcome], note)

    def _end(self, outcome: Outcome, status: StepStatus, note: str, remedies: tuple[str, ...] = ()) -> None:
        """Closes the step under way and the run. The message says what was done, how the nodes are, what to run."""
        current = self.state.current
        if outcome is not Outcome.DONE:
            self._look_once_more()
        message = f"{sentence(note)} {self._so_far(outcome)}"
        try:
            if current is not None and outcome is not Outcome.DONE:
                ended = {"step": current + 1, "id": self.state.steps[current].step.id, "status": status, "note": note}
                self._recorder.advance(StepEnded(current, status, note, self._context.clock.now()))
                self._recorder.record("step", {**ended, "ways": remedies})
            left = {"left": self._left()}
            self._recorder.record("closed", {"outcome": outcome, "message": message, **self._last_figures(), **left})
        except Exception as lost:  # noqa: BLE001 - the screen shows the end even where it cannot be written
            message = f"{message} {sentence(str(lost))}"
        self._recorder.advance(RunEnded(outcome, message, self._ending()))

    def _look_once_more(self) -> None:
        """What remains is told as it is now: the question before the end may have waited for a long time."""
        with contextlib.suppress(Exception, KeyboardInterrupt):  # the run ends without it
            self._recorder.show(self._context.inspector.observe())

    def _ending(self) -> tuple[EndSection, ...]:
        """What the run leaves, told from its journal. The end must come even if this cannot be told."""
        with contextlib.suppress(Exception):
            return run_ending(self.state.run_id, self._recorder.entries)
        return ()

    def _last_figures(self) -> dict[str, object]:
        """The state by the last observation, and how long writes were paused: for the report."""
        state, pause = self._recorder.state, self._recorder.pause
        last = {"observed_at": state.observed_at, "figures": state_summary(state)} if state is not None else {}
        held = {"node": pause.node, "since": pause.since, "until": pause.until or None, "of_clients": pause.of_clients}
        held["resumed_by"] = pause.resuming_runbook
        name = self._name_tally()
        tally = {**plain(name), "words": name.words()} if name is not None else None
        return {**last, "writes_held_back": held if pause.since else None, "name": tally}

    def _name_tally(self) -> NameTally | None:
        """What the name that clients resolve led to. This ends the watch."""
        return self._recorder.name_watch.finish() if self._recorder.name_watch is not None else None

    def _left(self) -> list[dict[str, object]]:
        """The findings that the run leaves behind, the worst first."""
        if self._recorder.state is None:
            return []
        return [
            {
                "code": one.code,
                "severity": one.severity,
                "summary": one.summary,
                "evidence": one.evidence,
                "runbook": one.next.runbook,
                "advice": one.next.advice,
            }
            for one in left_behind(self._recorder.state, self._context.clock.now())
        ]

    def _next_runbooks(self, state: ClusterState) -> str:
        """The runbooks that the present findings name, as one sentence. Empty: they name none."""
        found = diagnose(state, self._context.clock.now())
        named = dict.fromkeys(one.next.runbook for one in found if one.next.runbook)
        return f"What leads on from here: {', or '.join(f'run {name}' for name in named)}." if named else ""

    def _so_far(self, outcome: Outcome) -> str:
        sentences = []
        if outcome is not Outcome.DONE:
            done = [one.step.id for one in self.state.steps if one.status is StepStatus.DONE]
            touched = any(one.output for one in self.state.steps)
            sentences.append(f"Done so far: {', '.join(done)}." if done else "No step was done.")
            sentences.append("" if touched else "Nothing was sent.")
        sentences.append(self._recorder.source.found)
        sentences.append(self._recorder.pause.words(self._context.clock.now()))
        name = self._name_tally()
        sentences.append(name.words() if name is not None else "")
        if self._recorder.state is not None:
            with contextlib.suppress(Exception):  # the message must come even if the summary cannot be made
                sentences.append(f"Now: {situation(self._recorder.state)}")
                if outcome is not Outcome.DONE:
                    sentences.append(self._next_runbooks(self._recorder.state))
        return " ".join(filter(None, sentences))
