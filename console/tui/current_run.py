"""The run that this console holds armed: its thread, its questions, its end. There is one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from console.core.runs.question import Decision, Question
from console.engine.ports import ArmedRun, ArmingError, LockHeldError
from console.tui.messages import ArmingLocked, ArmingRefused, RunAdvanced, RunBroke, RunEnded
from console.tui.operator import ScreenOperator


@dataclass(frozen=True, slots=True)
class ArmedView:
    """The armed run as the screens show it. It exists from arming to the end of the run, and only then."""

    cluster: str
    runbook: str
    """Its name."""
    question: Question | None = None
    """What the runner waits for."""


class CurrentRun:
    """Between the screens and the thread of a run. What was sent cannot be called back by a screen."""

    def __init__(self, post: Callable[[Message], None]) -> None:
        self._post = post
        self._operator: ScreenOperator | None = None
        self._armed: ArmedRun | None = None

    def work(self, arm: Callable[[], ArmedRun]) -> Callable[[], None]:
        """What the run's thread does: arms, runs to the end, tells how it ended."""
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
            except Exception as error:  # noqa: BLE001  the screen must live to say it
                self._post(RunBroke(f"{type(error).__name__}: {error}"))

        return work

    @property
    def armed(self) -> ArmedRun | None:
        """The run, once it is armed; None before and after."""
        return self._armed

    def answer(self, question: Question, decision: Decision) -> bool:
        """Hands the decision to the runner; False where this question is not open."""
        return self._operator is not None and self._operator.answer(question, decision)

    def stop_waiting(self) -> None:
        """Ends the wait for a proof: the run asks what to do then. Nothing that was sent is called back."""
        if self._armed is not None:
            self._armed.stop_waiting()

    def stop(self) -> None:
        """The run is to end at its next question; whatever ends the screen, a runner is not left waiting."""
        if self._operator is not None:
            self._operator.stop()

    def lay_down(self) -> None:
        """The run is over."""
        self._operator = None
        self._armed = None
