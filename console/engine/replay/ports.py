"""What a run that brings keys back needs from outside. The adapters are in `console.transport`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from console.core.command import Identity, Planned
from console.core.inventory import ClusterSpec
from console.core.keys.counted import FileCheck
from console.core.keys.exported import ExportedKey, KeyLines
from console.core.model import Redis
from console.core.runs.records.journal import Entry
from console.core.runs.replays.batch import BatchAnswer, KeyToSend
from console.core.runs.replays.order import ReplayOrder
from console.core.runs.state import Outcome
from console.engine.ports import Answer, NodeLocks, Takeover
from console.engine.replay.look import Looked


class KeyFiles(Protocol):
    """Files of keys on this machine."""

    def check(self, path: str) -> FileCheck:
        """Whether the file is whole, and its SHA-256. Raises OSError, also where it is no regular file."""

    def lines(self, path: str) -> Iterator[tuple[Sequence[int], KeyLines]]:
        """The lines, many at a time: their places in the file, and what they say. Raises OSError, ValueError.

        A last line that is cut off is left out.
        """

    def lines_at(self, path: str, places: Sequence[int]) -> KeyLines:
        """What the lines say that begin at these places. Raises OSError, ValueError."""

    def keep(self, path: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Adds keys to a file that shows that it is whole. They are on the disk when this returns. Raises OSError."""

    def write(self, path: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Writes rows as JSON, in place of what stood there. Raises OSError."""


class KeySender(Protocol):
    """Sends keys to one server. It exists only for an armed run."""

    def send(
        self,
        batch: Sequence[KeyToSend],
        keep: Callable[[Sequence[ExportedKey]], None],
        meanwhile: Callable[[], None],
    ) -> BatchAnswer:
        """Sends the keys, all of one database, and reads each back. Raises nothing.

        `keep` gets the values that are replaced, before they are. It returns when they are on the disk. Where it raises
        OSError, these are not replaced, and nothing more is sent. `meanwhile` raises nothing. It may be called at any
        time, most often when all is sent and the server still works on it.
        """

    def close(self) -> None: ...


class KeyActuator(Protocol):
    """The port through which keys are written."""

    def send(self, planned: Planned, expecting: Identity, tell: Callable[[str], None] | None = None) -> Answer:
        """As the Actuator of other runs: for loading a backup in a throw-away server. Raises nothing."""

    def open_keys(self, node: str, expecting: Identity, server: Redis) -> KeySender:
        """A connection to the server that was shown (H07). Raises OSError with one line of text."""

    def close(self) -> None: ...


class ReplayOperator(Protocol):
    """The operator of such a run. `ask` blocks until there is an answer."""

    def show(self, looked: Looked, master: str) -> None:
        """Shows what was found, before anything is asked."""

    def ask(self, question: ReplayQuestion) -> str:
        """What was typed. Raises EOFError or KeyboardInterrupt: the operator ends the run."""

    def progress(self, what: str, done: int, of: int) -> None:
        """Called often. Must return at once."""

    def doing(self, line: str) -> None:
        """A line about what takes long. Must return at once."""

    def end_progress(self) -> None: ...

    @property
    def wants_to_stop(self) -> bool:
        """Whether the operator has asked for the end (Ctrl-C) while keys were sent."""


@dataclass(frozen=True, slots=True)
class ReplayQuestion:
    """One class of keys that can be brought."""

    number: int
    """Of the step, from 1."""
    of: int
    """How many steps there are."""
    step: str
    text: str
    """What would be done, in one or two sentences."""
    sentence: str
    """What must be typed. Empty: y is enough, as nothing is replaced."""
    otherwise: str = "leaves them as they are; abort ends the run"
    """What anything but the sentence does."""


class EndedReplay(Protocol):
    """How a run ended."""

    @property
    def outcome(self) -> Outcome: ...

    @property
    def message(self) -> str: ...


class ArmedReplay(Protocol):
    """A run that holds its journal and its lock. It is executed once."""

    @property
    def run_id(self) -> str: ...

    @property
    def folder(self) -> str:
        """Of its journal."""

    @property
    def entries(self) -> Sequence[Entry]:
        """What the journal has. The end of the run is told from it."""

    def execute(self, operator: ReplayOperator) -> EndedReplay:
        """Runs to the end in the caller's thread, and closes journal and connections. Raises only MemoryError."""


class ReplayStarter(Protocol):
    """Arms runs that bring kept keys back."""

    @property
    def files(self) -> KeyFiles: ...

    def arm(self, order: ReplayOrder, takeover: Takeover | None = None) -> ArmedReplay:
        """Opens the journal and locks the nodes. Sends nothing yet. Raises ArmingError, in one line."""

    def resume(self, run_id: str) -> ArmedReplay:
        """Goes on in the journal of a run whose console died. Raises ArmingError with one line of text."""


@dataclass(frozen=True, slots=True)
class ReplayPorts:
    """The adapters, handed in together."""

    files: KeyFiles
    make_actuator: Callable[[ClusterSpec], KeyActuator]
    make_locks: Callable[[ClusterSpec], NodeLocks]
