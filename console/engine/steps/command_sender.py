"""Sends the commands of a step, in order and each once: intent on disk, send, result on disk (H27)."""

from __future__ import annotations

from functools import partial

from console.core.command import DiskKeyExport, FileCopy, Identity, Planned
from console.core.runbooks.verbs import verb_of
from console.core.runs.events import AnswerReceived, IntentWritten, ProgressReported
from console.core.watchers.service_name import serving_node
from console.engine.actions.write_pause import PAUSES
from console.engine.ports import Answer, AnswerKind
from console.engine.steps.attempt import Attempt
from console.engine.steps.recorder import RunRecorder
from console.engine.steps.run_context import RunContext
from console.engine.steps.source_watch import FAILS_OVER, FOLLOWS
from console.engine.steps.step_view import StepView


class CommandSender:
    """The only place of the engine that calls `Actuator.send`."""

    def __init__(self, recorder: RunRecorder, context: RunContext, index: int) -> None:
        self._recorder = recorder
        self._record = partial(recorder.record_step, index)
        self._context = context
        self._index = index
        self._action = recorder.run.steps[index].step.action
        self._verb = verb_of(self._action)

    def send_all(self, view: StepView) -> Attempt:
        """Sends the commands of the view. Stops at the first one that is not done, or when the lock is lost (H26)."""
        for position, planned in enumerate(view.planned):
            if lost := self._context.guard.problem(self._record):
                return Attempt(view.planned, position, Answer(AnswerKind.NOT_SENT, lost))
            answer = self._send(planned, view, position)
            if answer.kind is not AnswerKind.DONE:
                return Attempt(view.planned, position, answer)
        return Attempt(view.planned, len(view.planned) - 1, None)

    def _send(self, planned: Planned, view: StepView, position: int) -> Answer:
        expecting = view.identities[planned.node]
        line = f"{planned.node}> {planned.render()}"
        about = {"verb": self._verb.name, "digest": view.digest, "place": position + 1}

        self._record("intent", {"planned": planned, "expecting": expecting, **about})  # on disk before it is sent
        sent_at = self._context.clock.now()
        self._recorder.advance(IntentWritten(self._index, sent_at, line))
        self._recorder.in_flight = line
        answer = _as_expected(planned, self._deliver(planned, expecting))
        if self._verb.name == PAUSES and answer.kind is not AnswerKind.NOT_SENT:
            serving = serving_node(self._recorder.state) if self._recorder.state is not None else None
            self._recorder.pause.begin(planned.node, sent_at, serving)
        if self._action is not None and self._verb.name == FOLLOWS and answer.kind is not AnswerKind.NOT_SENT:
            source = self._recorder.run.roles[str(self._action.arguments["source"])]
            self._recorder.source.begin(source, planned.node, view.identities[source].run_id)
        if self._verb.name == FAILS_OVER and answer.kind is not AnswerKind.NOT_SENT:
            run_ids = {name: who.run_id for name, who in view.identities.items()}
            self._recorder.source.begin_failover(self._recorder.run.steps[self._index].node, run_ids)
        self._record("result", {"node": planned.node, "answer": answer})  # on disk before anything else is done
        self._recorder.in_flight = ""

        self._recorder.advance(AnswerReceived(self._index, ": ".join(filter(None, (answer.kind.value, answer.text)))))
        return answer

    def _deliver(self, planned: Planned, expecting: Identity) -> Answer:
        """Sends once, whatever the result. A long command reports its progress."""
        if not isinstance(planned.command, FileCopy | DiskKeyExport):
            return self._context.actuator.send(planned, expecting)
        return self._context.actuator.send(
            planned, expecting, lambda line: self._recorder.advance(ProgressReported(self._index, line))
        )


def _as_expected(planned: Planned, answer: Answer) -> Answer:
    """The answer, but FAILED where it is not the one that the command must have."""
    if answer.kind is AnswerKind.DONE and planned.expect and answer.text.strip() != planned.expect:
        return Answer(AnswerKind.FAILED, f"the answer is {answer.text!r}, not {planned.expect!r}")
    return answer
