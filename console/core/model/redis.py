"""A Redis server, as INFO and CONFIG GET describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from console.core.lazy_dataclass import dataclass


class Role(StrEnum):
    """The role in INFO. Every version of Redis writes `slave` for a replica."""

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
    """-1: the link was never up."""
    sync_left_bytes: int | None = None
    sync_total_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class AttachedReplica:
    """A line `slaveN:` of a master's INFO."""

    host: str
    port: int
    state: str
    offset: int | None
    """None: Redis 2.6 does not report it."""
    lag_seconds: int | None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Backlog:
    """The replication backlog, which serves partial resyncs. Offsets are bytes of the stream."""

    active: bool
    size: int
    first_byte_offset: int
    histlen: int


@dataclass(frozen=True, slots=True)
class Persistence:
    """The persistence section of INFO: saves and the AOF."""

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
    """Seconds that the last background save took; None: there was none."""
    aof_rewriting: bool = False
    """A rewrite of the AOF is in progress. BGSAVE is refused until it ends."""


@dataclass(frozen=True, slots=True)
class RedisConfig:
    """The answer of CONFIG GET. None: not answered (renamed CONFIG, older server). No secret is requested."""

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
    appendfilename: str | None = None
    appenddirname: str | None = None
    """None before 7.0, where the AOF is one file."""
    refused: str = ""
    """What the server said instead of an answer; empty: it did not refuse."""


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis or Valkey server as INFO describes it. Sizes are bytes, offsets bytes of the replication stream."""

    version: str
    flavour: str
    """`redis`, `valkey` or `keydb`."""
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
    """master_repl_offset of a master, slave_repl_offset of a replica; None: Redis 2.6 does not report it."""
    replid: str | None
    """None before 4.0, where the run_id identifies the history."""
    replid2: str | None
    second_offset: int | None
    """-1: no second history."""
    backlog: Backlog | None
    replicas: tuple[AttachedReplica, ...]
    keys: Mapping[int, int]
    """Database number → number of keys. Databases without keys are left out."""
    used_memory: int
    maxmemory: int | None
    ops_per_second: int
    clients: int
    persistence: Persistence
    loading: bool
    read_only_replica: bool | None = None
    replica_priority: int | None = None
    good_replicas: int | None = None
    """min_slaves_good_slaves; None: the server does not count them."""
    failover_state: str | None = None
    total_system_memory: int | None = None
    write_rate: float | None = None
    """Bytes of the replication stream per second, over the last minute; None: not observed for long enough."""
    config: RedisConfig = field(default_factory=RedisConfig)
    expires: Mapping[int, int] = field(default_factory=dict)
    """Database number → number of keys with an expiry."""

    @property
    def total_keys(self) -> int:
        return sum(self.keys.values())

    @property
    def history(self) -> str:
        """The id of the replication history: the replid, before 4.0 the run_id."""
        return self.replid or self.run_id
