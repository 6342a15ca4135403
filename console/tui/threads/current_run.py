"""The armed run of this console: its thread, its questions, its end. There is at most one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from console.core.runs.question import Decision, Question
from console.engine.ports import ArmedRun, ArmingError, LockHeldError
from console.tui.threads.messages import ArmingLocked, ArmingRefused, RunAdvanced, RunCrashed, RunEnded
from console.tui.threads.screen_operator import ScreenOperator


@dataclass(frozen=True, slots=True)
class ArmedView:
    """The armed run as the screens show it. It exists from arming to the end of the run."""

    cluster: str
    runbook: str
    """Its name."""
    question: Question | None = None
    """The question that the runner waits for; None: it does not wait."""


class CurrentRun:
    """Connects the screens with the thread of a run."""

    def __init__(self, post: Callable[[Message], None]) -> None:
        self._post = post
        self._operator: ScreenOperator | None = None
        self._armed: ArmedRun | None = None

    def work(self, arm: Callable[[], ArmedRun]) -> Callable[[], None]:
        """The work of the run's thread: arm, run to the end, post how it ended."""
        self._operator = operator = ScreenOperator(self._post)

        def work() -> None:
            try:
                self._armed = armed = arm()
                self._post(RunAdvanced(armed.state))
                self._post(RunEnded(armed.execute(operator)))
            except LockHeldError as held:
                self._post(ArmingLocked(held.holder, str(held)) if held.holder else ArmingRefused(str(held)))
            except ArmingError as error:
                self._post(ArmingRefused(str(error)))
            except Exception as error:  # noqa: BLE001  the screen must go on and show it
                self._post(RunCrashed(f"{type(error).__name__}: {error}"))

        return work

    @property
    def armed(self) -> ArmedRun | None:
        """The run, once it is armed; None before and after."""
        return self._armed

    def answer(self, question: Question, decision: Decision) -> bool:
        """Hands the decision to the runner; False where this question is not open."""
        return self._operator is not None and self._operator.answer(question, decision)

    def stop_waiting(self) -> None:
        """Ends the wait for a proof; the run then asks what to do. A command that was sent stays sent."""
        if self._armed is not None:
            self._armed.stop_waiting()

    def stop(self) -> None:
        """Ends the run at its next question, so that no runner waits for a screen that is gone."""
        if self._operator is not None:
            self._operator.stop()

    def clear(self) -> None:
        """Forgets the run after its end."""
        self._operator = None
        self._armed = None
