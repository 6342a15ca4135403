"""A Redis server as it tells of itself, and what its host tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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
    expires: Mapping[int, int] = field(default_factory=dict)
    """Database number → how many of its keys expire."""

    @property
    def total_keys(self) -> int:
        return sum(self.keys.values())

    @property
    def history(self) -> str:
        """What identifies the replication history: replid, and before 4.0 the run_id."""
        return self.replid or self.run_id
