"""What happened, in the past tense. Threads post these; they never touch a widget."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from console.core.model import ClusterState
from console.core.run import Question, RunState


@dataclass
class ClusterObserved(Message):
    """An observation of a cluster came back."""

    state: ClusterState


@dataclass
class ObservationFailed(Message):
    """An observation as a whole failed: a fault of the console, not of a node."""

    cluster: str
    reason: str


@dataclass
class RunAdvanced(Message):
    """A run changed."""

    run: RunState


@dataclass
class QuestionAsked(Message):
    """The runner waits for the operator."""

    question: Question


@dataclass
class RunEnded(Message):
    """A run came to its end; its connections and its journal are closed."""

    run: RunState


@dataclass
class ArmingRefused(Message):
    """A run could not begin; nothing was sent."""

    reason: str


@dataclass
class RunBroke(Message):
    """The runner itself failed, which it promises not to."""

    reason: str
