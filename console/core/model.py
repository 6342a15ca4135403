"""What was observed: readings, nodes, clusters. Frozen values; whoever wants to know their age brings the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


class ProblemKind(StrEnum):
    """Why a value could not be read. A problem is never a state: unreadable is not down (H28)."""

    NOT_READ = "not read yet"
    NOT_CONFIGURED = "not configured"
    CONNECTING = "connecting"
    UNREACHABLE = "unreachable"
    REFUSED = "connection refused"
    TIMEOUT = "no answer in time"
    HOST_KEY_UNKNOWN = "host key unknown"
    HOST_KEY_CHANGED = "host key changed"
    AUTH_FAILED = "authentication failed"
    NOT_PERMITTED = "not permitted"
    LOADING = "loading the dataset"
    CLOSED = "connection lost"
    BAD_ANSWER = "answer not understood"
    NOT_AVAILABLE = "not available on this node"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no value, in one line for the screen. Never holds a secret."""

    kind: ProblemKind
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A value or a problem, and when it was read. Exactly one of `value` and `problem` is set."""

    value: T | None
    problem: Problem | None
    at: float
    """Epoch seconds on the operator's clock; 0.0 where nothing was ever read."""

    @property
    def ok(self) -> bool:
        return self.problem is None

    def age(self, now: float) -> float | None:
        """Seconds since it was read; None where nothing was ever read."""
        return max(0.0, now - self.at) if self.at else None

    def map(self, change: Callable[[T], U]) -> Reading[U]:
        """The same reading with its value changed; a problem stays the problem it is."""
        if self.value is None:
            return Reading(None, self.problem, self.at)
        return Reading(change(self.value), None, self.at)


def read(value: T, at: float) -> Reading[T]:
    """A reading that succeeded."""
    return Reading(value, None, at)


def unread(kind: ProblemKind, text: str = "", at: float = 0.0) -> Reading[T]:
    """A reading that failed, or was never made."""
    return Reading(None, Problem(kind, text or kind.value), at)


NOT_READ: Reading[object] = unread(ProblemKind.NOT_READ)


# --- the host, over SSH -------------------------------------------------------------------------------------------


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
class SavedFile:
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


# --- keepalived, over SSH -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file as it stands on the node. The text is without its secrets: auth_pass is masked where it was read."""

    path: str
    text: str
    digest: str
    """SHA-256 of the bytes as they stand on the node, in hex."""
    mode: int
    owner: str
    """`user:group`, or numbers."""
    modified: float


@dataclass(frozen=True, slots=True)
class TrackScript:
    """A `vrrp_script` block and what it does to the priority."""

    name: str
    script: str
    interval: int
    weight: int
    """0 means FAULT on failure; otherwise added to the priority on success (positive) or failure (negative)."""
    fall: int = 1
    rise: int = 1
    line: int = 0
    """1-based line of its `script` keyword; 0: there is none."""


@dataclass(frozen=True, slots=True)
class VrrpInstance:
    """One `vrrp_instance` block of keepalived.conf, as far as the rules need it."""

    name: str
    state: str
    """Initial state: MASTER or BACKUP; keepalived's own default is BACKUP."""
    interface: str
    vrid: int
    priority: int
    advert_interval: float
    virtual_addresses: tuple[str, ...]
    nopreempt: bool = False
    auth_type: str = ""
    unicast_peers: tuple[str, ...] = ()
    source_address: str = ""
    scripts: tuple[TrackScript, ...] = ()
    """Tracked scripts, joined from their vrrp_script blocks."""
    notify: Mapping[str, str] = field(default_factory=dict)
    """notify_master, notify_backup, notify_fault, notify_stop, notify → command."""
    priority_line: int = 0
    """1-based line of the `priority` keyword in the file; 0 where the default applies."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Keyword → its 1-based line; `vrrp_instance` stands for the block itself."""
    auth_seal: str = field(default="", repr=False)
    """Equal on two nodes that one process has read if their auth_pass is. It says nothing else, and is never shown."""

    @property
    def weight(self) -> int:
        """The weight that moves this instance when Redis fails: the tracked one with the largest effect, 0 if none."""
        return max((script.weight for script in self.scripts), key=abs, default=0)


@dataclass(frozen=True, slots=True)
class KeepalivedConfig:
    """keepalived.conf, parsed. `not_understood` names what the parser passed over."""

    file: ConfigFile
    instances: tuple[VrrpInstance, ...]
    vrrp_version: int = 2
    not_understood: tuple[str, ...] = ()

    def instance(self, name: str | None) -> VrrpInstance | None:
        """The named instance; without a name the only one there is."""
        if name is None:
            return self.instances[0] if len(self.instances) == 1 else None
        return next((one for one in self.instances if one.name == name), None)


class VrrpState(StrEnum):
    """keepalived's words. STOP: the process is not there. UNKNOWN: the sources do not say."""

    MASTER = "MASTER"
    BACKUP = "BACKUP"
    FAULT = "FAULT"
    STOP = "STOP"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of VRRP state that some log on the node tells of."""

    state: VrrpState
    at: float | None
    """Epoch seconds on the node's clock; None where the line has no readable time."""
    source: str
    """Which log: `notify log`, `system log`."""
    line: str


@dataclass(frozen=True, slots=True)
class LogTail:
    """The last lines of a log and the transitions found in them, oldest first."""

    path: str
    lines: tuple[str, ...]
    transitions: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True)
class Keepalived:
    """keepalived on one node, assembled from process, address, logs and configuration; never from a signal."""

    running: bool
    state: VrrpState
    state_source: str
    """What the state rests on: `process`, `address`, `notify log`, `system log`."""
    since: float | None
    """Epoch seconds of the last transition to this state; None if no log tells."""
    instance: VrrpInstance | None
    """None: the configuration could not be read, or has no such instance."""
    effective_priority: int | None
    """Derived from priority, weight and what the check would say now."""
    version: str | None
    not_understood: tuple[str, ...] = ()


class ActionKind(StrEnum):
    """What a script that keepalived starts does by itself (H10)."""

    PROMOTES = "makes its Redis a master"
    FOLLOWS = "makes its Redis follow another"
    STARTS_REDIS = "starts or restarts Redis"
    STOPS_REDIS = "stops Redis"
    STOPS_KEEPALIVED = "stops or restarts keepalived"
    RESTARTS_NETWORK = "restarts the network"
    EMPTIES = "deletes the data"


@dataclass(frozen=True, slots=True)
class ScriptAction:
    """One line of a script that changes something. The text is without secrets."""

    kind: ActionKind
    line: int
    """1-based; 0: it stands in keepalived.conf itself."""
    text: str


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A program that keepalived.conf names, as it stands on the node. Its text stays there: only actions are kept."""

    path: str
    exists: bool
    executable: bool = False
    """Whether anybody may execute it, by its mode."""
    mode: int = 0
    owner: str = ""
    size: int = 0
    readable: bool = False
    """Whether it could be read, up to a bound."""
    understood: bool = True
    """False: another language, a program, or longer than what is read. What it does is then not known for sure."""
    actions: tuple[ScriptAction, ...] = ()


@dataclass(frozen=True, slots=True)
class RedisFile:
    """The replication lines of Redis' own configuration file. No other line is read."""

    path: str
    master: str
    """`HOST PORT` of its last replicaof or slaveof line; empty: it has none, and a restart makes a master."""
    line: int = 0
    includes: tuple[str, ...] = ()
    """Files that it includes, which are not read."""


# --- Redis --------------------------------------------------------------------------------------------------------


class Role(StrEnum):
    """Redis itself says `slave` for a replica, in every version."""

    MASTER = "master"
    REPLICA = "replica"


@dataclass(frozen=True, slots=True)
class MasterLink:
    """A replica's view of its master."""

    host: str
    port: int
    up: bool
    sync_in_progress: bool
    last_io_seconds: int | None
    """None: no contact yet, or the link is down (INFO says -1)."""
    down_seconds: int | None = None
    sync_left_bytes: int | None = None
    sync_total_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class AttachedReplica:
    """A line `slaveN:` of a master's INFO."""

    host: str
    port: int
    state: str
    offset: int | None
    """None: Redis 2.6 does not say."""
    lag_seconds: int | None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Backlog:
    """The replication backlog: what a partial resync can be served from. Offsets are bytes of the stream."""

    active: bool
    size: int
    first_byte_offset: int
    histlen: int


@dataclass(frozen=True, slots=True)
class Persistence:
    """What is on disk, as INFO tells it."""

    rdb_last_save: float | None
    """Epoch seconds on the node's clock."""
    rdb_last_status: str
    """`ok` or `err`."""
    rdb_in_progress: bool
    changes_since_save: int | None
    aof: bool
    aof_last_write_status: str = "ok"
    last_fork_seconds: float | None = None
    rdb_last_seconds: int | None = None
    """How long the last background save took; None: there was none."""
    aof_rewriting: bool = False
    """A rewrite of the AOF is under way: BGSAVE is refused meanwhile."""


@dataclass(frozen=True, slots=True)
class RedisConfig:
    """What CONFIG GET told; a key that is None was not told (renamed CONFIG, older server). No secret is asked for."""

    dir: str | None = None
    dbfilename: str | None = None
    save: str | None = None
    maxmemory: int | None = None
    min_replicas_to_write: int | None = None
    stop_writes_on_bgsave_error: bool | None = None
    diskless_sync: bool | None = None
    diskless_load: str | None = None
    logfile: str | None = None
    """Empty: it logs to its standard output."""


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis or Valkey server as INFO tells it. Sizes are bytes, offsets bytes of the replication stream."""

    version: str
    flavour: str
    """`redis` or `valkey`."""
    run_id: str
    process_id: int
    config_file: str
    port: int
    uptime: int
    """Seconds."""
    role: Role
    master: MasterLink | None
    """Set on a replica only."""
    offset: int | None
    """A master's own master_repl_offset, a replica's slave_repl_offset; None: Redis 2.6 does not say."""
    replid: str | None
    """None before 4.0: there the run_id identifies the history."""
    replid2: str | None
    second_offset: int | None
    """-1: no second history."""
    backlog: Backlog | None
    replicas: tuple[AttachedReplica, ...]
    keys: Mapping[int, int]
    """Database number → number of keys; databases without keys are absent."""
    used_memory: int
    maxmemory: int | None
    ops_per_second: int
    clients: int
    persistence: Persistence
    loading: bool
    read_only_replica: bool | None = None
    replica_priority: int | None = None
    good_replicas: int | None = None
    """min_slaves_good_slaves, where the server counts them."""
    failover_state: str | None = None
    total_system_memory: int | None = None
    write_rate: float | None = None
    """Bytes of the replication stream a second, over the last minute of looking; None: not looked for long enough."""
    config: RedisConfig = field(default_factory=RedisConfig)

    @property
    def total_keys(self) -> int:
        return sum(self.keys.values())

    @property
    def history(self) -> str:
        """What identifies the replication history: replid, and before 4.0 the run_id."""
        return self.replid or self.run_id


# --- together -----------------------------------------------------------------------------------------------------


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
    saved: Reading[SavedFile]
    backups: Reading[tuple[Backup, ...]] = Reading(None, Problem(ProblemKind.NOT_READ, "not read yet"), 0.0)
    """Oldest first."""
    scripts: Reading[tuple[ScriptFile, ...]] = Reading(None, Problem(ProblemKind.NOT_READ, "not read yet"), 0.0)
    redis_log: Reading[LogTail] = Reading(None, Problem(ProblemKind.NOT_READ, "not read yet"), 0.0)
    redis_file: Reading[RedisFile] = Reading(None, Problem(ProblemKind.NOT_READ, "not read yet"), 0.0)

    def holds(self, address: str) -> bool | None:
        """Whether the kernel has this address; None where the addresses could not be read."""
        if self.addresses.value is None:
            return None
        return any(one.address == address for one in self.addresses.value)


def unknown_node(name: str, address: str, redis_port: int, problem: Problem | None = None) -> NodeState:
    """A node of which nothing was read, for the reason given."""

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
        saved=nothing(),
        backups=nothing(),
        scripts=nothing(),
        redis_log=nothing(),
        redis_file=nothing(),
    )


@dataclass(frozen=True, slots=True)
class VipReach:
    """What answers at the virtual IP on the Redis port."""

    run_id: str
    role: Role
    route: str
    """How it was reached: `direct`, or `through NODE` over that node's SSH connection."""


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One observation of a cluster: what the screen, the gate, the plan and the JSON all speak of."""

    name: str
    kind: str
    vip: str
    nodes: tuple[NodeState, ...]
    vip_reach: Reading[VipReach]
    observed_at: float
    """Epoch seconds on the operator's clock."""

    def node(self, name: str) -> NodeState:
        """The node of this name. Raises KeyError where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def vip_holders(self) -> tuple[str, ...]:
        """Nodes whose kernel has the virtual IP. Nodes that could not be read are not in it: see `vip_unread`."""
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
