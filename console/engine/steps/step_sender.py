"""Sends the commands of one step: the intent on disk, then the command once, then the result on disk."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.command import FileCopy, Identity, Planned
from console.core.runbooks.verbs import VerbSpec
from console.core.runs.events import AnswerReceived, IntentWritten, ProgressReported
from console.engine.actions.write_pause import PAUSES
from console.engine.ports import Answer, AnswerKind
from console.engine.steps.recorder import RunRecorder
from console.engine.steps.step_gate import RunContext
from console.engine.steps.step_view import StepView


class StepSender:
    """The only place of the engine that gives commands to the actuator."""

    def __init__(self, recorder: RunRecorder, context: RunContext, index: int, verb: VerbSpec) -> None:
        self._recorder = recorder
        self._context = context
        self._index = index
        self._verb = verb

    def send_all(self, seen: StepView) -> tuple[Answer | None, int]:
        """Sends the commands in order, each once, and stops at the first one that is not done.

        Returns the answer of that command, and its place from 0. The answer is None where every command is done.
        """
        for place, planned in enumerate(seen.planned):
            if lost := self._context.guard.problem(self._record):
                return Answer(AnswerKind.NOT_SENT, lost), place
            answer = self._send(planned, seen, place)
            if answer.kind is not AnswerKind.DONE:
                return answer, place
        return None, len(seen.planned)

    def _send(self, planned: Planned, seen: StepView, place: int) -> Answer:
        expecting = seen.identities[planned.node]
        line = f"{planned.node}> {planned.render()}"
        about = {"verb": self._verb.name, "digest": seen.digest, "place": place + 1}
        self._record("intent", {"planned": planned, "expecting": expecting, **about})
        self._recorder.advance(IntentWritten(self._index, line))
        self._recorder.in_flight = line
        sent_at = self._context.clock.now()
        answer = self._deliver(planned, expecting)
        if self._verb.name == PAUSES and answer.kind is not AnswerKind.NOT_SENT:
            self._recorder.pause.begin(planned.node, sent_at)
        if answer.kind is AnswerKind.DONE and planned.expect and answer.text.strip() != planned.expect:
            answer = Answer(AnswerKind.FAILED, f"the answer is {answer.text!r}, not {planned.expect!r}")
        self._record("result", {"node": planned.node, "answer": answer})
        self._recorder.in_flight = ""
        self._recorder.advance(AnswerReceived(self._index, ": ".join(filter(None, (answer.kind.value, answer.text)))))
        return answer

    def _deliver(self, planned: Planned, expecting: Identity) -> Answer:
        """Once, whatever comes of it. A copy of a file reports its progress."""
        if not isinstance(planned.command, FileCopy):
            return self._context.actuator.send(planned, expecting)
        return self._context.actuator.send(
            planned, expecting, lambda line: self._recorder.advance(ProgressReported(self._index, line))
        )

    def _record(self, kind: str, data: Mapping[str, object]) -> None:
        self._recorder.record_of_step(self._index, kind, data)
