"""One Redis 7.0 of the model: its data, its history, what it saves and what it loads.

Sources, of Redis 7.0: server.c (loadDataFromDisk, prepareForShutdown, serverCron), rdb.c (rdbPopulateSaveInfo,
backgroundSaveDoneHandler), replication.c (replicationUnsetMaster, shiftReplicationId, feedReplicationBuffer). A write
is a number: data sets can be compared, and a lost write has a name.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulation.world.append_only import Aof, AppendOnly
from simulation.world.replica_link import ReplicaLink

from console.core.model import DataForm
from console.core.numbers import version_of

if TYPE_CHECKING:
    from simulation.world.host import Host

NO_HISTORY = "0" * 40
KEEPS_HISTORY = (7, 0)
WRITE_BYTES = 100
"""Bytes of the replication stream that one write makes."""
NO_WRITE = 0
"""In the stream: something that moves the offset and changes no data."""
PING_PERIOD, PING_BYTES = 10.0, 1
"""repl-ping-replica-period. The bytes are few, as the backlog is small."""
HELLO_BYTES = 10
"""Of the PUBLISH of a Sentinel, which a master sends on to its replicas."""
BACKLOG_BYTES = 40_000
BACKLOG_LIVES = 3600.0
"""repl-backlog-ttl: a master frees its backlog so long after its last replica has left."""
SAVE_POINTS = ((900.0, 1), (300.0, 10))
"""`save 900 1 300 10`, the first two of the default."""
SOONEST_SAVE = min(after for after, _ in SAVE_POINTS)
SAVE_SECONDS = 1.5


@dataclass(frozen=True)
class Dump:
    """An RDB file: the writes that are in it, and the history that it remembers (rdb.c: rdbPopulateSaveInfo).

    Also a copy of an append-only file, which remembers none.
    """

    keys: frozenset[int]
    modified: float
    replid: str = ""
    offset: int = -1
    form: DataForm = DataForm.DUMP
    aof_size: int = 0
    sequence: int = 1
    """Of the rewrites of an append-only file."""

    @property
    def size(self) -> int:
        return self.aof_size or 1000 + 100 * len(self.keys)


@dataclass
class Server:
    """What a Redis process has in memory. A start makes a new one."""

    pid: int
    run_id: str
    started: float
    replid: str
    cause: str = ""
    """Who started it."""
    looked_at: float = 0.0
    """When the console had last looked, where it was started."""
    keys: set[int] = field(default_factory=set)
    offset: int = 0
    replid2: str = NO_HISTORY
    second_offset: int = -1
    backlog_first: int = 0
    """First byte that the backlog has; 0: there is no backlog."""
    log: list[tuple[int, int, float]] = field(default_factory=list)
    """The stream since `backlog_first`: the offset after each write, the write, and when it came."""
    changes: int = 0
    last_save: float = 0.0
    save_ok: bool = True
    save_seconds: int | None = None
    saving: bool = False
    loading: bool = True
    paused_until: float = 0.0
    min_replicas: int = 0
    no_replica_since: float = 0.0
    next_ping: float = 0.0
    strings: dict[str, str] = field(default_factory=dict)
    """Keys of the console's own write proof."""


class RedisServer:
    """The Redis of one host: a process or none, and what lies on the disk."""

    def __init__(self, host: Host, dump: Dump | None) -> None:
        self.host = host
        self.world = host.world
        self.dump = dump
        self.append_only = AppendOnly(self, Aof(set(dump.keys), dump.size, dump.modified) if dump else None)
        if not self.world.system.aof:
            self.append_only.aof = None
        self.process: Server | None = None
        self.link = ReplicaLink(self)
        self.hangs_until = 0.0
        """A process that stands still (SIGSTOP, swap) keeps its port open and answers nothing."""

    # --- process ----------------------------------------------------------------------------------------------------

    @property
    def answers(self) -> bool:
        return self.process is not None and self.hangs_until <= self.world.now

    @property
    def role(self) -> str:
        return "replica" if self.link.master else "master"

    def start(self, cause: str) -> None:
        """server.c: main, loadDataFromDisk. The role is the one of the configuration file."""
        if self.process is not None:
            return
        world = self.world
        self.process = Server(world.new_pid(), world.new_id(), world.now, world.new_id(), cause, last_save=world.now)
        self.process.looked_at = world.looked_at
        self.append_only.start()
        self.link.forget()
        self.process.min_replicas = self.host.configured_min_replicas()
        master = self.host.configured_master()
        if master:
            self.link.follow(master, cause)
        world.tell(f"{self.host.name}: Redis starts as a {self.role} ({cause})")
        world.after(world.load_seconds, self._loader(self.process))

    def _loader(self, process: Server):
        def load() -> None:
            if self.process is not process:
                return
            process.loading = False
            aof = self.append_only.aof
            if self.append_only.configured and aof is not None:
                before, process.keys, process.changes = set(process.keys), set(aof.keys), aof.appended
                self.world.watch_data(self, before, "loads its append-only file")
            elif self.dump is not None:
                before = set(process.keys)
                process.keys = set(self.dump.keys)
                self.world.watch_data(self, before, "loads its dump")
                self._restore_history(process, self.dump)
            self.world.roles_changed(process.cause)

        return load

    def _restore_history(self, process: Server, dump: Dump) -> None:
        """server.c, loadDataFromDisk: a replica goes on with the history, a master keeps it as its second one.

        Before 7.0 a master begins a history of its own, and nobody knows the old one.
        """
        if not dump.replid or not (self.link.master or version_of(self.world.version) >= KEEPS_HISTORY):
            return
        process.offset = dump.offset
        if self.link.master:
            process.replid = dump.replid
            self.link.has_history = True
        else:
            process.replid2, process.second_offset = dump.replid, dump.offset + 1
            process.backlog_first = dump.offset + 1
            process.no_replica_since = self.world.now

    def kill(self, why: str) -> None:
        """SIGKILL, a crash or a lost host: nothing is saved, and whoever was connected notices at once."""
        if self.process is None:
            return
        self.world.tell(f"{self.host.name}: Redis dies ({why})")
        self.append_only.end()
        self.process, self.hangs_until = None, 0.0
        self.link.forget()

    def stop(self) -> bool:
        """SIGTERM (server.c: prepareForShutdown). False: it does not end, for it cannot save."""
        process = self.process
        if process is None:
            return True
        if not process.loading:
            if self.host.disk_full:  # rdbSave in the foreground leaves rdb_last_bgsave_status as it is
                return False
            for replica in self.attached():  # shutdown-timeout: writes stop until the replicas have all of it
                replica.link.receive(whole=True)
            self.append_only.beat()
            self._save_now(process)
        self.world.tell(f"{self.host.name}: Redis saves and ends")
        self.append_only.end()
        self.process, self.hangs_until = None, 0.0
        self.link.forget()
        return True

    @property
    def saved_at(self) -> float:
        """The time of what a start loads. 0: there is nothing."""
        kept = self.append_only.aof or self.dump
        return kept.modified if kept is not None else 0.0

    # --- saving -----------------------------------------------------------------------------------------------------

    def begin_save(self) -> str:
        """BGSAVE. The answer says only that it has begun."""
        process = self.process
        assert process is not None
        if process.loading:
            return "-LOADING Redis is loading the dataset in memory"
        if process.saving:
            return "-ERR Background save already in progress"
        process.saving = True
        made, changes, began = self._dump_of(process), process.changes, self.world.now

        def done() -> None:
            if self.process is not process:
                return
            process.saving = False
            process.save_ok = not self.host.disk_full
            if process.save_ok:
                process.changes -= changes
                process.last_save = self.world.now
                process.save_seconds = int(self.world.now - began)
                self.put_dump(Dump(made.keys, self.world.now + self.host.clock_ahead, made.replid, made.offset))

        self.world.after(SAVE_SECONDS, done)
        return "Background saving started"

    def _save_now(self, process: Server) -> None:
        made = self._dump_of(process)
        self.put_dump(Dump(made.keys, self.world.now + self.host.clock_ahead, made.replid, made.offset))

    def put_dump(self, dump: Dump) -> None:
        """Redis writes a new file and renames it."""
        self.dump = Dump(dump.keys, float(int(dump.modified)), dump.replid, dump.offset)

    def _dump_of(self, process: Server) -> Dump:
        """rdb.c, rdbPopulateSaveInfo: only a master with a backlog, or a replica with a master, saves its history."""
        known = process.backlog_first > 0 if not self.link.master else self.link.has_history
        return Dump(frozenset(process.keys), self.world.now, process.replid if known else "", process.offset)

    # --- roles ------------------------------------------------------------------------------------------------------

    def replicaof(self, master: str, cause: str) -> str:
        """replication.c: replicaofCommand. The same master again does nothing."""
        process = self.process
        assert process is not None
        if process.loading:
            return "-LOADING Redis is loading the dataset in memory"
        if not master:
            if self.link.master:
                self.disconnect_replicas()
                self.link.forget()
                process.replid2, process.second_offset = process.replid, process.offset + 1
                process.replid = self.world.new_id()
                process.no_replica_since = self.world.now
                self.world.tell(f"{self.host.name}: promoted ({cause})")
                self.world.roles_changed(cause)
            return "OK"
        if self.link.master == master:
            return "OK Already connected to specified master"
        has_history = (
            True  # a master that becomes a replica asks with its own history (replicationCacheMasterUsingMyself)
        )
        if self.link.master:
            has_history = self.link.has_history
        self.link.forget()  # its own replicas stay: they may continue, if this server can
        self.link.follow(master, cause, has_history=has_history)
        self.world.tell(f"{self.host.name}: told to follow {master} ({cause})")
        self.world.roles_changed(cause)
        return "OK"

    def disconnect_replicas(self) -> None:
        """disconnectSlaves: whoever follows this server must ask again what it can continue with."""
        for one in self.attached():
            one.link.lose()

    def attached(self) -> list[RedisServer]:
        """The replicas with an open connection, those that copy included."""
        return [one for one in self.world.servers if one.link.source is self and one.link.state != "connect"]

    def good_replicas(self) -> int:
        return sum(1 for one in self.attached() if one.link.up and one.link.silent_for <= 10.0)

    # --- clients ----------------------------------------------------------------------------------------------------

    def refusal(self) -> str:
        """Why a write of a client is not acknowledged. Empty: it is."""
        process = self.process
        if process is None:
            return "connection refused"
        if not self.answers:
            return "no answer"
        if process.loading:
            return "LOADING"
        if self.link.master:
            return "READONLY"
        if process.paused_until > self.world.now:
            return "paused"
        if self.disk_error:
            return "MISCONF"
        if process.min_replicas and self.good_replicas() < process.min_replicas:
            return "NOREPLICAS"
        return ""

    @property
    def disk_error(self) -> bool:
        """server.c: writeCommandsDeniedByDiskError."""
        return self.process is not None and not (self.process.save_ok and self.append_only.write_ok)

    @property
    def misconf(self) -> bool:
        """server.c, processCommand: PING gets MISCONF, too. From 7.0 on also that of a replica."""
        return self.disk_error and (not self.link.master or version_of(self.world.version) >= KEEPS_HISTORY)

    @property
    def pong(self) -> bool:
        """Whether PING gets PONG."""
        return self.answers and self.process is not None and not self.process.loading and not self.misconf

    def write(self, number: int) -> None:
        process = self.process
        assert process is not None
        process.keys.add(number)
        self.append_only.append(number)
        process.changes += 1
        if process.backlog_first:
            process.offset += WRITE_BYTES
            self.append(number)

    def feed(self, size: int) -> None:
        """Something that no client wrote goes to the replicas: their offsets move, too."""
        process = self.process
        assert process is not None
        if process.backlog_first and not self.link.master and process.paused_until <= self.world.now:
            process.offset += size
            self.append(NO_WRITE)

    def append(self, number: int) -> None:
        """feedReplicationBuffer: the stream and its backlog, which drops its oldest bytes."""
        process = self.process
        assert process is not None
        process.log.append((process.offset, number, self.world.now))
        first = process.offset - BACKLOG_BYTES + 1
        if first > process.backlog_first:
            process.backlog_first = first
            del process.log[: bisect_right(process.log, (first - 1, 0, 0.0))]

    # --- time -------------------------------------------------------------------------------------------------------

    def beat(self) -> None:
        """serverCron and replicationCron, as far as they matter here."""
        process = self.process
        if process is None or not self.answers:
            return
        self.append_only.beat()
        if self.link.master:
            self.link.beat()
        elif not process.loading:
            self._keep_backlog(process)
        since = self.world.now - process.last_save
        if since <= SOONEST_SAVE or process.saving or process.loading:
            return
        if any(since > after and process.changes >= least for after, least in SAVE_POINTS):
            self.begin_save()

    def _keep_backlog(self, process: Server) -> None:
        """replicationCron: it is freed some time after the last replica has left."""
        if not process.backlog_first or self.attached():
            process.no_replica_since = self.world.now
            if process.next_ping <= self.world.now:
                process.next_ping = self.world.now + PING_PERIOD
                self.feed(PING_BYTES)
        elif self.world.now - process.no_replica_since > BACKLOG_LIVES:
            process.backlog_first, process.log = 0, []
            process.replid, process.replid2, process.second_offset = self.world.new_id(), NO_HISTORY, -1
