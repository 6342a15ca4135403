"""The messages that threads post to the app. A thread never touches a widget."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from console.core.model import ClusterState, RunLock
from console.core.runs.past.kept_keys import KeptKeys
from console.core.runs.past.past_run import PastRun
from console.core.runs.question import Question
from console.core.runs.replays.file_fate import Fates
from console.core.runs.state import RunState


@dataclass
class ClusterObserved(Message):
    """An observation of a cluster is complete."""

    state: ClusterState


@dataclass
class ObservationFailed(Message):
    """An observation failed as a whole: a fault of the console, not of a node."""

    cluster: str
    reason: str


@dataclass
class ViewsChanged(Message):
    """Views of clusters have changed and can be taken."""


@dataclass
class RunAdvanced(Message):
    """The state of a run changed."""

    run: RunState


@dataclass
class QuestionAsked(Message):
    """The runner waits for the operator's decision."""

    question: Question


@dataclass
class RunEnded(Message):
    """A run ended; its connections and its journal are closed."""

    run: RunState


@dataclass
class ArmingRefused(Message):
    """A run could not be armed; nothing was sent."""

    reason: str


@dataclass
class RunCrashed(Message):
    """The runner raised an exception, which is a fault of the console."""

    reason: str


@dataclass
class ArmingLocked(Message):
    """Another operator's run holds the lock of the cluster's nodes; nothing was sent."""

    holder: RunLock
    reason: str


@dataclass
class PastRunsListed(Message):
    """The recorded runs were read; oldest first."""

    runs: tuple[PastRun, ...]


@dataclass
class PastRunRead(Message):
    """One recorded run was read again."""

    past: PastRun


@dataclass
class KeptKeysListed(Message):
    """The keys that are only in files were looked for; the oldest first."""

    kept: tuple[KeptKeys, ...]
    fates: Fates
    """What replays have made of the files."""


@dataclass
class FileTaskFailed(Message):
    """A file could not be read or written."""

    name: str
    reason: str
