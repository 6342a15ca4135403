"""Passes the questions of a run to the screen. The thread of the run waits for the answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from textual.message import Message

from console.core.model import ClusterState
from console.core.runs.question import Choice, Decision, Question
from console.core.runs.state import RunState
from console.tui.threads.messages import ClusterObserved, QuestionAsked, RunAdvanced


class ScreenOperator:
    """Implements `Operator` for a screen. `post` must be safe to call from any thread."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        self._post = post
        self._answers: queue.SimpleQueue[Decision] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._open: Question | None = None
        self._stopping = False

    def decide(self, question: Question) -> Decision:
        """Blocks the runner until the screen answers or the run is stopped."""
        with self._lock:
            if self._stopping:
                return _abort(question)
            self._open = question
        self._post(QuestionAsked(question))
        return self._answers.get()

    def tell(self, run: RunState) -> None:
        self._post(RunAdvanced(run))

    def show(self, state: ClusterState) -> None:
        self._post(ClusterObserved(state))

    def answer(self, question: Question, decision: Decision) -> bool:
        """Called by the screen. False where this question is not open any more."""
        with self._lock:
            if self._open is not question:
                return False
            self._open = None
            self._answers.put(decision)
            return True

    def stop(self) -> None:
        """Stops the run at its open or next question. A command that is being sent is not interrupted."""
        with self._lock:
            self._stopping = True
            if self._open is not None:
                self._answers.put(_abort(self._open))
                self._open = None


def _abort(question: Question) -> Decision:
    return Decision(Choice.ABORT, question.digest)
