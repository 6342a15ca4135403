"""What the engine needs of the world. Adapters live in `console.transport`; `__main__` hands them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from console.core.command import Identity, Planned
from console.core.inventory import Inventory
from console.core.model import ClusterState, RunLock
from console.core.previews.key_comparison import KeyComparison
from console.core.previews.quiescence import Pulse
from console.core.runbooks.document import Runbook
from console.core.runs.answer import Answer as Answer  # noqa: PLC0414 - part of the ports, shared with the adapters
from console.core.runs.answer import AnswerKind as AnswerKind  # noqa: PLC0414
from console.core.runs.lock import LostLock, refusal
from console.core.runs.past_run import ArchiveError as ArchiveError  # noqa: PLC0414 - what `Archive.read` raises
from console.core.runs.past_run import PastRun
from console.core.runs.question import Decision, Question
from console.core.runs.state import RunState
from console.core.watchers.name_history import NameSample


class Clock(Protocol):
    """Time, handed in so that tests own it."""

    def now(self) -> float:
        """Epoch seconds, UTC."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Inspector(Protocol):
    """Looks at one cluster and cannot change it: the only thing that `status` and the screens hold."""

    @property
    def cluster(self) -> str:
        """The cluster's name."""

    def observe(self, *, fresh: bool = False) -> ClusterState:
        """One observation. `fresh`: waits for connects and re-reads all, also what changes rarely (for gates)."""

    def compare(self, source: str, target: str) -> KeyComparison:
        """A sample of both servers' keys, and the target's clients: for gates and plans, with a bound on its cost.

        Raises nothing: what could not be read is a problem in its place. For nodes of this cluster only.
        """

    @property
    def pulses(self) -> tuple[Pulse, ...]:
        """The master's traffic as the observations of the last minutes saw it, oldest first."""

    def reconnect(self) -> None:
        """Drops the backoff of nodes that are away and tries them now."""

    def close(self) -> None: ...


class NameSampler(Protocol):
    """Looks at the name that clients resolve, over connections of its own. From one thread; raises nothing."""

    @property
    def asks_dns(self) -> bool:
        """Whether the name is resolved too, and not only looked up in Consul."""

    def sample(self) -> NameSample: ...

    def close(self) -> None: ...


class Actuator(Protocol):
    """The one door through which anything is changed. Exists only for an armed run."""

    def send(self, planned: Planned, expecting: Identity, tell: Callable[[str], None] | None = None) -> Answer:
        """Checks identity on the channel that sends, then sends once. Retries nothing. Raises nothing.

        `tell`: hears how far a FileCopy is, a line at a time, in the caller's thread.
        """

    def read_file(self, node: str, path: str) -> bytes:
        """The bytes of a file that is about to be edited. Raises OSError with one line of text."""

    def close(self) -> None: ...


class Journal(Protocol):
    """Append-only record of a run; each entry is on disk before `append` returns."""

    @property
    def run_id(self) -> str: ...

    @property
    def path(self) -> str: ...

    def append(self, kind: str, data: Mapping[str, object]) -> None:
        """Raises OSError when it cannot be written: then nothing may be sent."""

    def close(self) -> None: ...


class Archive(Protocol):
    """The runs that are recorded on this machine. Reads only."""

    def summaries(self) -> tuple[PastRun, ...]:
        """Every run, the oldest first. One that cannot be read is not among them. Cheap to ask again."""

    def read(self, run_id: str) -> PastRun:
        """The run as its journal tells it now, also one that is under way. Raises ArchiveError, in one line."""


class NodeLocks(Protocol):
    """The run's lock on every node of its cluster (H26), held over live connections: no lock outlives them for long."""

    def hold(self, claim: RunLock, *, over: str = "") -> Mapping[str, str]:
        """Takes it where it is not held, in the order of the inventory. Node → why it could not be reached, if any.

        `over`: the run whose holders are ended first. Raises HeldElsewhereError where another run has it,
        NotLockableError where a node can be reached and not locked: then nothing that this call took is kept.
        """

    def lost(self) -> tuple[LostLock, ...]:
        """Asks every holder whether it still is one. Empty: all that was taken is held at this moment."""

    def say(self, step: str) -> None:
        """What the holders' notes say from now on. Returns at once, raises nothing."""

    def release(self) -> None:
        """Ends every holder. Raises nothing."""


class Operator(Protocol):
    """The human, through whatever screen. Called from the runner's thread; may block for as long as a human takes."""

    def decide(self, question: Question) -> Decision: ...

    def tell(self, run: RunState) -> None:
        """Every change of the run, as it happens. Must return at once."""

    def show(self, state: ClusterState) -> None:
        """Every observation that the run makes: the same one that its gate and its proofs rest on."""


class ArmedRun(Protocol):
    """A run that may change something: made only by arming, and shown as ARMED."""

    @property
    def state(self) -> RunState: ...

    def stop_waiting(self) -> None:
        """Ends the wait for a proof, from any thread: the operator is then asked. Sends nothing, undoes nothing."""

    def execute(self, operator: Operator) -> RunState:
        """Runs to its end in the caller's thread and closes journal and connections. Raises nothing but MemoryError."""


class RunStarter(Protocol):
    """Arms runs. The read-only commands are not given one."""

    def arm(
        self, cluster: str, runbook: Runbook, roles: Mapping[str, str], takeover: Takeover | None = None
    ) -> ArmedRun:
        """Opens journal and connections, and locks the nodes. Raises ArmingError with one line of text.

        Where that is a LockHeldError, the same again with `takeover` ends the other run.
        """

    def resume(self, run_id: str) -> ArmedRun:
        """Goes on with a run whose console ended before it did, in the same journal. Raises ArmingError.

        Nothing is sent before it has looked: `state.assessments` then says what it believes of each step, and why.
        """


class ArmingError(Exception):
    """A run cannot begin: the journal's folder is not writable, for one. The text says what to do."""


class LockHeldError(ArmingError):
    """Another operator's run holds the lock of a node (H26). The text says who, since when and what."""

    def __init__(self, node: str, holder: RunLock | None) -> None:
        super().__init__(refusal(node, holder))
        self.node = node
        self.holder = holder
        """None: its note could not be read, so that nobody can be named to take it from."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """The operator's word that another one's run is to end."""

    holder: RunLock
    typed: str


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """What a screen or a command is given to work with: eyes for every cluster, and no hands.

    Arming is a separate object (`RunStarter`), handed only to what may run runbooks.
    """

    inventory: Inventory
    runbooks: tuple[Runbook, ...]
    inspector: Callable[[str], Inspector]
    """Cluster name → its inspector, made when first asked for and kept."""
    clock: Clock
    archive: Archive | None = None
    """The recorded runs; None: they are not looked at here."""
