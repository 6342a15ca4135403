"""The host of a node, as read over SSH."""

from __future__ import annotations

from enum import StrEnum

from console.core.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """The machine that answers on the SSH connection (H07)."""

    hostname: str
    boot_id: str
    """/proc/sys/kernel/random/boot_id: it changes with each boot."""
    uptime: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The difference between the node's clock and the operator's."""

    remote: float
    """Epoch seconds on the node."""
    offset: float
    """Seconds that the node is ahead (negative: behind). Half the round trip is subtracted."""
    uncertainty: float
    """Seconds: half the round trip."""


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """An address that the kernel holds on an interface (`ip -o addr`)."""

    interface: str
    address: str
    prefix: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Process:
    """A process as /proc shows it."""

    pid: int
    parent: int
    command: str
    """Its command line. The arguments are joined by spaces."""
    age: float | None = None
    """Seconds since it started."""
    sleeps: float | None = None
    """Seconds until the `sleep` that it waits for ends; None: it waits for none, or that is not known."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of Redis, of keepalived, and of the scripts that keepalived has started."""

    redis: tuple[Process, ...] = ()
    keepalived: tuple[Process, ...] = ()
    scripts: tuple[Process, ...] = ()
    """The notify and check scripts that run now (H09)."""


@dataclass(frozen=True, slots=True)
class ProcessPlace:
    """Where a process of Redis or keepalived runs."""

    pid: int
    elsewhere: bool | None
    """Whether it sees other files than the login does, as a program in a container; None: not known."""
    unit: str = ""
    """Its systemd unit, without `.service`; empty: none, or it is in a container."""


@dataclass(frozen=True, slots=True)
class Memory:
    """/proc/meminfo and the overcommit policy: they decide whether a full sync can fork (H11). Bytes."""

    total: int
    available: int
    overcommit: int
    """vm.overcommit_memory: 0 heuristic, 1 always, 2 never."""


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """The disk space where Redis saves its RDB. Bytes."""

    path: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class DumpFile:
    """The dump (RDB file) on the node's disk. It can be read while Redis does not run."""

    path: str
    size: int
    modified: float
    """Epoch seconds on the node's clock."""


class DataForm(StrEnum):
    """What data on the disk of a node is kept in."""

    DUMP = "dump"
    AOF = "append-only file"
    AOF_FOLDER = "append-only folder"
    """The append-only file from Redis 7.0 on."""


@dataclass(frozen=True, slots=True)
class AofFiles:
    """The append-only file on the node's disk: one file, or from Redis 7.0 on a folder with a manifest."""

    path: str
    """Of the file, or of the folder."""
    size: int
    """Bytes of all files that are loaded."""
    modified: float
    """Of the newest of them, in epoch seconds on the node's clock."""
    names: tuple[str, ...] = ()
    """The files that the manifest names, in the order in which they are loaded. Empty: it is one file."""
    manifest: str = ""
    """The name of the manifest inside the folder."""

    @property
    def form(self) -> DataForm:
        return DataForm.AOF_FOLDER if self.names else DataForm.AOF


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a dump or an AOF that this console made in the same folder, with what its note says."""

    path: str
    size: int
    modified: float
    """The time of the file that it was copied from; of a folder, that of its newest file."""
    sha256: str = ""
    """Empty: there is no note, or it could not be read."""
    keys: int | None = None
    """As redis-check-rdb or a trial load counted them; None: they were not counted."""
    expires: int | None = None
    """How many of the keys have an expiry. A server that loads them may hold that many fewer."""
    checked: str = ""
    """What the check programs and the trial load reported, in words."""
    origin: str = ""
    """The node whose dump was copied; empty: the node that the copy is on."""
    received: float | None = None
    """When the copy was complete, in epoch seconds on the clock of the node that it is on."""
    form: DataForm = DataForm.DUMP
    names: tuple[str, ...] = ()
    """The files of a folder, without its manifest."""
    manifest: str = ""
