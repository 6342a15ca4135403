"""Operators of several tempers. Each implements the engine's Operator, and waits in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulation.world.world import World

from console.core.model import ClusterState
from console.core.runs.question import Choice, Decision, Question, QuestionKind
from console.core.runs.state import RunState


@dataclass(frozen=True)
class Temper:
    """How somebody answers."""

    thinks: tuple[float, float]
    """Seconds before an answer."""
    away: float = 0.0
    """Share of the questions at which nobody is there for some minutes."""
    quits: float = 0.0
    """Share of the questions that are answered with the end of the run."""
    overrides: bool = False
    """Types the sentence that accepts a loss."""
    skips: bool = False
    looks: int = 4
    """Times that a question is looked at again before the run is given up."""
    patience: float = 30.0
    """Seconds for which a proof is waited for."""


TEMPERS = {
    "careful": Temper((2.0, 20.0)),
    "hasty": Temper((0.1, 0.5), overrides=True, skips=True, looks=2, patience=15.0),
    "absent": Temper((2.0, 10.0), away=0.15),
    "quitter": Temper((1.0, 5.0), quits=0.1, looks=1, patience=20.0),
}
CALM = Temper((1.0, 2.0), overrides=True, looks=5, patience=40.0)
"""Who brings the pair home after the night."""


class ModelOperator:
    """Implements the engine's Operator."""

    def __init__(self, world: World, temper: Temper, touch: Callable[[str], None]) -> None:
        self._world = world
        self._temper = temper
        self._touch = touch
        self._waits_since: float | None = None
        self._looked: dict[int, int] = {}
        self.stop_waiting: Callable[[], None] = lambda: None
        self.run: RunState | None = None
        self.digests: set[str] = set()
        """Of the questions that were answered with a yes."""
        self.overrode: list[Question] = []
        self.said_yes: list[Question] = []
        self.asked: list[tuple[float, Question]] = []
        """When each question was put. The story has it when it was answered."""

    def decide(self, question: Question) -> Decision:
        temper, chance = self._temper, self._world.chance
        self._touch("decide")
        self.asked.append((self._world.now, question))
        self._world.advance(chance.uniform(*temper.thinks))
        if chance.random() < temper.away:
            self._world.advance(chance.uniform(60.0, 240.0))
        if chance.random() < temper.quits:
            return Decision(Choice.ABORT, question.digest)
        choice = self._choice(question)
        about = f"{question.step.id} ({question.node}) asks {question.kind.value}: {question.reason or 'as planned'}"
        self._world.tell(f"{about}{''.join(f'; {one}' for one in question.differences)} → {choice.value}")
        typed = question.sentence if choice is Choice.OVERRIDE else question.node
        if choice in (Choice.RUN, Choice.OVERRIDE):
            self.digests.add(question.digest)
            (self.overrode if choice is Choice.OVERRIDE else self.said_yes).append(question)
        return Decision(choice, question.digest, typed)

    def _choice(self, question: Question) -> Choice:
        if question.kind in (QuestionKind.CONFIRM, QuestionKind.TYPE_NAME):
            return Choice.RUN
        looks = self._looked[question.index] = self._looked.get(question.index, 0) + 1
        if question.kind is QuestionKind.BLOCKED:
            if Choice.OVERRIDE in question.choices and self._temper.overrides:
                return Choice.OVERRIDE
            if Choice.SKIP in question.choices and self._temper.skips:
                return Choice.SKIP
        elif Choice.RUN in question.choices and looks > 1:
            return Choice.RUN if looks <= self._temper.looks else Choice.ABORT
        if looks > self._temper.looks:
            return Choice.SKIP if Choice.SKIP in question.choices else Choice.ABORT
        self._world.advance(5.0)
        return Choice.LOOK_AGAIN

    def tell(self, run: RunState) -> None:
        self.run = run
        if run.waiting_until is None:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = self._world.now

    def show(self, state: ClusterState) -> None:
        if self._waits_since is not None and self._world.now - self._waits_since > self._temper.patience:
            self.stop_waiting()
