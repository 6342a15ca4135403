"""The host of a node, over SSH."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """Which machine answers on the SSH channel (H07)."""

    hostname: str
    boot_id: str
    """/proc/sys/kernel/random/boot_id: changes with each boot."""
    uptime: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The node's clock against the operator's."""

    remote: float
    """Epoch seconds on the node."""
    offset: float
    """Seconds the node is ahead (negative: behind), the round trip halved."""
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
    """Its command line, arguments joined by spaces."""
    age: float | None = None
    """Seconds since it started."""
    sleeps: float | None = None
    """Seconds until the sleep that it waits for ends; None: it waits for none, or nobody can tell."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes that matter: Redis, keepalived, and the scripts that keepalived has started."""

    redis: tuple[Process, ...] = ()
    keepalived: tuple[Process, ...] = ()
    scripts: tuple[Process, ...] = ()
    """Notify and check scripts running now, and what they run (H09)."""


@dataclass(frozen=True, slots=True)
class Memory:
    """/proc/meminfo and the overcommit policy: what a fork for a full sync has to live with (H11). Bytes."""

    total: int
    available: int
    overcommit: int
    """vm.overcommit_memory: 0 heuristic, 1 always, 2 never."""


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """Room where Redis saves its RDB. Bytes."""

    path: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class DumpFile:
    """A dump on the node's disk: what can be known of a Redis that is not running."""

    path: str
    size: int
    modified: float
    """Epoch seconds on the node's clock."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a dump that this console has laid beside it, and what its note says."""

    path: str
    size: int
    modified: float
    """That of the dump it was copied from."""
    sha256: str = ""
    """Empty: there is no note, or it cannot be read."""
    keys: int | None = None
    """As redis-check-rdb counted them; None: it did not."""
    expires: int | None = None
    """How many of the keys expire: a server that loads them may hold that many fewer."""
    checked: str = ""
    """What redis-check-rdb said, in words."""
    origin: str = ""
    """The node whose dump it is a copy of; empty: the one that it lies on."""
    received: float | None = None
    """When it had come from there, epoch seconds on the clock of the node that it lies on."""
