"""The state of a node and of a cluster, as one observation found it."""

from __future__ import annotations

from typing import TypeVar

from console.core.lazy_dataclass import dataclass
from console.core.model.consul import ConsulState
from console.core.model.host import (
    AofFiles,
    Backup,
    ClockReading,
    DiskRoom,
    DumpFile,
    HostIdentity,
    InterfaceAddress,
    Memory,
    Processes,
    ProcessPlace,
)
from console.core.model.keepalived import Keepalived, KeepalivedConfig, LogTail, RedisFile, ScriptFile
from console.core.model.lvs import ArpSettings, DirectorState
from console.core.model.reading import NOT_READ, Problem, ProblemKind, Reading
from console.core.model.redis import Redis, Role
from console.core.model.run_lock import RunLock
from console.core.model.sentinel import SentinelState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NodeState:
    """One node as it was last seen. Each reading has its own age and its own problem."""

    name: str
    address: str
    redis_port: int
    ssh: Reading[HostIdentity]
    redis: Reading[Redis]
    keepalived: Reading[Keepalived]
    clock: Reading[ClockReading]
    addresses: Reading[tuple[InterfaceAddress, ...]]
    processes: Reading[Processes]
    keepalived_config: Reading[KeepalivedConfig]
    notify_log: Reading[LogTail]
    system_log: Reading[LogTail]
    memory: Reading[Memory]
    disk: Reading[DiskRoom]
    dump: Reading[DumpFile]
    backups: Reading[tuple[Backup, ...]] = NOT_READ
    """Oldest first."""
    scripts: Reading[tuple[ScriptFile, ...]] = NOT_READ
    redis_log: Reading[LogTail] = NOT_READ
    redis_file: Reading[RedisFile] = NOT_READ
    run_lock: Reading[RunLock | None] = NOT_READ
    """The run that is armed on the node. None without a problem: no run is armed."""
    arp: Reading[ArpSettings] = NOT_READ
    """Read only if the cluster has a read VIP."""
    aof: Reading[AofFiles] = NOT_READ
    """The append-only file on the disk, whether Redis would load it or not."""
    places: Reading[tuple[ProcessPlace, ...]] = NOT_READ

    def holds(self, address: str) -> bool | None:
        """Whether the kernel has this address; None where the addresses could not be read."""
        if self.addresses.value is None:
            return None
        return self.held(address) is not None

    def held(self, address: str) -> InterfaceAddress | None:
        """Where the kernel has this address; None: it has not, or its addresses could not be read."""
        return next((one for one in self.addresses.value or () if one.address == address), None)


def unknown_node(name: str, address: str, redis_port: int, problem: Problem | None = None) -> NodeState:
    """The state of a node of which nothing could be read, with the reason."""

    def nothing() -> Reading[T]:
        return Reading(None, problem or Problem(ProblemKind.NOT_READ, ProblemKind.NOT_READ.value), 0.0)

    return NodeState(
        name=name,
        address=address,
        redis_port=redis_port,
        ssh=nothing(),
        redis=nothing(),
        keepalived=nothing(),
        clock=nothing(),
        addresses=nothing(),
        processes=nothing(),
        keepalived_config=nothing(),
        notify_log=nothing(),
        system_log=nothing(),
        memory=nothing(),
        disk=nothing(),
        dump=nothing(),
        backups=nothing(),
        scripts=nothing(),
        redis_log=nothing(),
        redis_file=nothing(),
        run_lock=nothing(),
        aof=nothing(),
        places=nothing(),
    )


@dataclass(frozen=True, slots=True)
class VipReach:
    """The server that answers at the virtual IP on the Redis port."""

    run_id: str
    role: Role
    route: str
    """How it was reached: `direct`, or `through NODE` over that node's SSH connection."""


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One observation of a cluster. The screen, the gates, the plan and the JSON output all use it."""

    name: str
    kind: str
    vip: str
    """The address that writers use; empty: this kind has none."""
    nodes: tuple[NodeState, ...]
    vip_reach: Reading[VipReach]
    observed_at: float
    """Epoch seconds on the operator's clock."""
    master_name: str = ""
    """The name of this master in the Sentinels; empty: there are no Sentinels."""
    sentinels: tuple[SentinelState, ...] = ()
    read_vip: str = ""
    """The address that readers use; empty: there is none."""
    directors: tuple[DirectorState, ...] = ()
    consul: ConsulState | None = None
    """None: no Consul points clients at the master."""

    def node(self, name: str) -> NodeState:
        """The node of this name. Raises KeyError where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def nothing_read(self) -> bool:
        """Whether no node could be read, neither over SSH nor over Redis."""
        return not any(node.ssh.ok or node.redis.ok for node in self.nodes)

    @property
    def vip_holders(self) -> tuple[str, ...]:
        """Nodes whose kernel has the virtual IP. Nodes that could not be read are in `vip_unread` instead."""
        return tuple(node.name for node in self.nodes if node.holds(self.vip))

    @property
    def vip_unread(self) -> tuple[str, ...]:
        """Nodes of which it is not known whether they hold the virtual IP."""
        return tuple(node.name for node in self.nodes if node.holds(self.vip) is None)

    @property
    def vip_reaches(self) -> str | None:
        """The node whose run_id answers at the virtual IP; None: nothing answers, or none of the nodes."""
        reach = self.vip_reach.value
        if reach is None:
            return None
        for node in self.nodes:
            if node.redis.value is not None and node.redis.value.run_id == reach.run_id:
                return node.name
        return None

    @property
    def masters(self) -> tuple[str, ...]:
        """Nodes whose Redis says that it is a master."""
        return tuple(node.name for node in self.nodes if node.redis.value and node.redis.value.role is Role.MASTER)
