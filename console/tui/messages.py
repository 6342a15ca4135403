"""What happened, in the past tense. Threads post these; they never touch a widget."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from console.core.model import ClusterState, RunLock
from console.core.runs.past_run import PastRun
from console.core.runs.question import Question
from console.core.runs.state import RunState


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


@dataclass
class ArmingLocked(Message):
    """Another operator's run holds the lock of the cluster's nodes; nothing was sent."""

    holder: RunLock
    reason: str


@dataclass
class RunsListed(Message):
    """The recorded runs were read; oldest first."""

    runs: tuple[PastRun, ...]


@dataclass
class PastRunRead(Message):
    """One recorded run was read again."""

    past: PastRun


@dataclass
class FileTaskFailed(Message):
    """Something that was to be read or written could not be."""

    name: str
    reason: str
