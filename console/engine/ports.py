"""What the engine needs from outside. The adapters are in `console.transport`, and `__main__` hands them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from console.core.access.trial import RedisTrial
from console.core.command import Identity, Planned
from console.core.drills.capture import HostFacts
from console.core.inventory import Inventory
from console.core.keys.comparing import KeyThere
from console.core.model import ClusterState, RunLock
from console.core.previews.key_comparison import KeyComparison
from console.core.previews.quiescence import TrafficSample
from console.core.runbooks.document import Runbook, UnusableRunbook
from console.core.runs.answer import Answer as Answer  # noqa: PLC0414 - part of the ports, shared with the adapters
from console.core.runs.answer import AnswerKind as AnswerKind  # noqa: PLC0414
from console.core.runs.lock import LostLock, refusal
from console.core.runs.past.kept_keys import KeptKeys
from console.core.runs.past.past_run import ArchiveError as ArchiveError  # noqa: PLC0414 - what `Archive.read` raises
from console.core.runs.past.past_run import PastRun
from console.core.runs.question import Decision, Question
from console.core.runs.records.journal import Entry
from console.core.runs.replays.file_fate import FileFate, FileName
from console.core.runs.state import RunState
from console.core.watchers.service_name_history import NameSample


class Clock(Protocol):
    """Time. It is handed in, so that tests control it."""

    def now(self) -> float:
        """Epoch seconds, UTC. It never goes back, and does not follow when the machine's clock is set."""

    def monotonic(self) -> float: ...

    def set_by(self) -> float:
        """Seconds by which the machine's clock was set since the program began; negative: it was set back."""

    def sleep(self, seconds: float) -> None: ...


class Inspector(Protocol):
    """Reads one cluster and cannot change it. `status` and the screens have nothing else."""

    @property
    def cluster(self) -> str:
        """The cluster's name."""

    def observe(self, *, fresh: bool = False) -> ClusterState:
        """One observation. `fresh`, for gates: waits for connections and reads all again, also what changes rarely."""

    @property
    def waits_for(self) -> Mapping[str, str]:
        """Node → the step that its first answer waits for; empty: it has come or failed. May be asked in any thread."""

    def compare(self, source: str, target: str) -> KeyComparison:
        """A sample of both servers' keys, and the target's clients, for gates and plans. Its cost is limited.

        Raises nothing: a reading that failed has its problem. For nodes of this cluster only.
        """

    def try_redis(self) -> Mapping[str, RedisTrial]:
        """Node → how its Redis can be reached otherwise, and which commands it lets this user send.

        It is called after an observation. Nothing that it sends changes anything. Raises nothing.
        """

    def read_keys(self, node: str) -> KeyReader:
        """A connection of its own to the node's Redis, as it was observed last. Raises OSError with one line of text.

        For commands that compare whole values. The caller closes it.
        """

    def read_files(self, node: str, paths: Sequence[str]) -> HostFacts:
        """Facts of a node's or director's host, and these text files, for a capture. It is called after an observation.

        Only what reads is sent. Paths may be patterns (`*.conf`). Raises OSError with one line of text.
        """

    @property
    def traffic_samples(self) -> tuple[TrafficSample, ...]:
        """The master's traffic by the observations of the last minutes, oldest first."""

    def reconnect(self) -> None:
        """Drops the backoff of nodes that are not reachable, and tries them now."""

    def close(self) -> None: ...


class KeyReader(Protocol):
    """Reads keys of one server, and has no method that changes any."""

    def look(self, db: int, keys: Sequence[bytes], meanwhile: Callable[[], None]) -> list[KeyThere]:
        """What the server holds under these keys, in their order. Raises OSError with one line of text.

        `meanwhile` raises nothing. It is called while the server works on what it was asked.
        """

    def close(self) -> None: ...


class NameSampler(Protocol):
    """Looks up the name that clients resolve, over connections of its own. Used by one thread. Raises nothing."""

    @property
    def asks_dns(self) -> bool:
        """Whether the name is also resolved by DNS, and not only looked up in Consul."""

    def sample(self) -> NameSample: ...

    def close(self) -> None: ...


class Actuator(Protocol):
    """The only port that changes anything. It exists only for an armed run."""

    def send(self, planned: Planned, expecting: Identity, tell: Callable[[str], None] | None = None) -> Answer:
        """Checks the identity on the connection that sends, then sends once. Retries nothing. Raises nothing.

        `tell`: is called with the progress of a FileCopy or a DiskKeyExport, a line at a time, in the caller's thread.
        """

    def read_file(self, node: str, path: str) -> bytes:
        """The bytes of a file that will be edited. Raises OSError with one line of text."""

    def close(self) -> None: ...


class Journal(Protocol):
    """Append-only record of a run. Each entry is on disk before `append` returns."""

    @property
    def run_id(self) -> str: ...

    @property
    def path(self) -> str: ...

    def append(self, kind: str, data: Mapping[str, object]) -> Entry:
        """The entry as it is on disk. Raises OSError if it cannot be written. Nothing may be sent then."""

    def close(self) -> None: ...


class Archive(Protocol):
    """The runs that are recorded on this machine. It reads; only `dismiss` writes, a file of its own."""

    def summaries(self) -> tuple[PastRun, ...]:
        """Every run that can be read, the oldest first. It is cheap to call again."""

    def read(self, run_id: str) -> PastRun:
        """The run as its journal tells it now. It may be under way. Raises ArchiveError, in one line."""

    def kept_keys(self) -> tuple[KeptKeys, ...]:
        """Keys that are only in a file of a run, the oldest first. It is cheap where no run has kept keys.

        Runs of a laboratory that is gone are left out.
        """

    def fates_of_files(self) -> Mapping[FileName, FileFate]:
        """What replays have made of the files in which runs have kept keys. As cheap as `kept_keys`."""

    def laboratory_is_gone(self, past: PastRun) -> bool:
        """Whether the run was in a laboratory that is gone. Its nodes are never those of an inventory now."""

    def dismiss(self, kept: KeptKeys, operator: str) -> None:
        """From now on nothing more is said about this file. The file stays. Raises OSError."""


BringKeys = Callable[[KeptKeys], None]
"""Shows kept keys and brings them back, with plain questions on this terminal. Raises nothing."""


class NodeLocks(Protocol):
    """The run's lock on every node of its cluster (H26). Live connections hold it, and it ends soon after them."""

    def hold(self, claim: RunLock, *, over: str = "") -> Mapping[str, str]:
        """Takes it on every node where it is not held, in the order of the inventory. Node → why it was not reachable.

        `over`: the run whose holders are ended first. Raises HeldElsewhereError if another run has the lock of a node,
        and NotLockableError if a node is reachable and cannot be locked. Every lock that it took is released then.
        """

    def lost(self) -> tuple[LostLock, ...]:
        """Asks every holder whether it still has its lock. Empty: every lock that was taken is held now."""

    def say(self, step: str) -> None:
        """Writes this step into the notes of the holders. Returns at once. Raises nothing."""

    def release(self) -> None:
        """Ends every holder. Raises nothing."""


class Operator(Protocol):
    """The operator, through any screen. Called from the runner's thread. `decide` blocks until the operator answers."""

    def decide(self, question: Question) -> Decision: ...

    def tell(self, run: RunState) -> None:
        """Called at every change of the run. Must return at once."""

    def show(self, state: ClusterState) -> None:
        """Called with every observation of the run. Its gates and proofs are based on the same one."""


class ArmedRun(Protocol):
    """A run that may change something. Only arming makes one, and it is shown as ARMED."""

    @property
    def state(self) -> RunState: ...

    def stop_waiting(self) -> None:
        """Ends the wait for a proof. The operator is then asked. May be called from any thread."""

    def execute(self, operator: Operator) -> RunState:
        """Runs to the end in the caller's thread, then closes journal and connections. Raises only MemoryError."""


class RunStarter(Protocol):
    """Arms runs. Read-only commands do not get one."""

    def arm(
        self, cluster: str, runbook: Runbook, roles: Mapping[str, str], takeover: Takeover | None = None
    ) -> ArmedRun:
        """Opens journal and connections, and locks the nodes. Raises ArmingError with one line of text.

        After a LockHeldError, the same call with `takeover` ends the other run.
        """

    def resume(self, run_id: str) -> ArmedRun:
        """Resumes a run whose console ended before the run did, in the same journal. Raises ArmingError.

        It looks before it sends anything. `state.assessments` then says what it assumes of each step, and why.
        """


class ArmingError(Exception):
    """A run cannot begin. The text says why, and what to do."""


class LockHeldError(ArmingError):
    """Another operator's run holds the lock of a node (H26). The text says who, since when and what."""

    def __init__(self, node: str, holder: RunLock | None) -> None:
        super().__init__(refusal(node, holder))
        self.node = node
        self.holder = holder
        """None: its note could not be read, so nobody can be named."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """The operator's typed sentence that ends another operator's run."""

    holder: RunLock
    typed: str


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """What every screen and command gets: inventory, runbooks, inspectors, clock and archive. None changes a server.

    Arming is a separate object (`RunStarter`). Only what may run runbooks gets one.
    """

    inventory: Inventory
    runbooks: tuple[Runbook, ...]
    inspector: Callable[[str], Inspector]
    """Cluster name → its inspector, made at the first call and kept."""
    clock: Clock
    archive: Archive | None = None
    """The recorded runs. None: this command does not need them."""
    unusable_runbooks: tuple[UnusableRunbook, ...] = ()
