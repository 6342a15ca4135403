"""What an observation reads from one host of the model, by the console's own parsers wherever there is a text.

keepalived.conf, the notify scripts and redis.conf are texts in the model and are parsed. INFO, `ip addr`, the list of
processes and the logs are not: their readings are built from the model directly, because a text would only be printed
to be parsed again. `make reality` compares both with real servers.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from simulation.world.host import DISK_BYTES, DUMP, FOLDER, KEEPALIVED_CONF, REDIS_CONF, Host
from simulation.world.keepalived import Script
from simulation.world.redis_server import BACKLOG_BYTES, RedisServer

from console.core.model import (
    AttachedReplica,
    Backlog,
    Backup,
    ClockReading,
    DiskRoom,
    DumpFile,
    HostIdentity,
    InterfaceAddress,
    KeepalivedConfig,
    LogTail,
    MasterLink,
    Memory,
    Persistence,
    ProblemKind,
    Process,
    Processes,
    ProcessPlace,
    Reading,
    Redis,
    RedisConfig,
    RedisFile,
    Role,
    ScriptFile,
    Transition,
    VrrpState,
    read,
    unread,
)
from console.core.model.assembling import HostReadings
from console.core.numbers import version_of
from console.probes.host.files import FileStat
from console.probes.keepalived import configuration, scripts
from console.probes.redis import config_file

GIB = 1024**3
MEMORY = Memory(8 * GIB, 6 * GIB, 1)
_SAVE = "900 1 300 10"


# --- over SSH -------------------------------------------------------------------------------------------------------


def host_readings(host: Host, now: float) -> HostReadings:
    """Everything that the console reads over SSH."""
    installed = host.keepalived.installed
    log = LogTail("/var/log/keepalived.log", (), _transitions(tuple(host.keepalived.transitions)))
    return HostReadings(
        identity=read(HostIdentity(host.name, host.boot_id, now - host.booted), now),
        clock=read(ClockReading(now + host.clock_ahead, host.clock_ahead, 0.01), now),
        addresses=read(_addresses(host), now),
        processes=read(_processes(host, now), now),
        config=read(_config(host.files[KEEPALIVED_CONF]), now) if installed else _absent(KEEPALIVED_CONF, now),
        version=read("2.2.7", now) if installed else _absent("keepalived", now),
        notify_log=unread(ProblemKind.NOT_CONFIGURED, "the inventory names no keepalived.state_log"),
        system_log=read(log, now),
        memory=read(MEMORY, now),
        disk=read(DiskRoom(FOLDER, host.disk_free, DISK_BYTES), now),
        dump=_dump(host, now),
        backups=read(_backups(host), now),
        scripts=read(_scripts(host.scripts), now),
        redis_log=read(LogTail("/data/redis/redis.log", ()), now),
        redis_file=read(_redis_file(host.files[REDIS_CONF]), now),
        run_lock=read(host.lock, now),
        aof=unread(ProblemKind.ABSENT, "there is no append-only file", now),
        places=read(_places(host), now),
    )


def _absent(what: str, now: float) -> Reading[Any]:
    return unread(ProblemKind.ABSENT, f"{what} does not exist", now)


def _addresses(host: Host) -> tuple[InterfaceAddress, ...]:
    system = host.world.system
    own = (InterfaceAddress("lo", "127.0.0.1", 8), InterfaceAddress("eth2", host.address, 24))
    if host.name in system.outside:
        own = (*own, InterfaceAddress("eth2", system.outside[host.name], system.prefix))
    return (*own, InterfaceAddress("eth2", system.vip, system.prefix)) if host.vip else own


def _processes(host: Host, now: float) -> Processes:
    redis, keepalived = host.redis.process, host.keepalived
    return Processes(
        redis=(Process(redis.pid, 1, "/usr/bin/redis-server *:6379", now - redis.started),) if redis else (),
        keepalived=(Process(keepalived.pid, 1, "/usr/sbin/keepalived -D", now - keepalived.started),)
        if keepalived.running
        else (),
        scripts=tuple(_script(one, now) for one in keepalived.scripts),
    )


def _script(script: Script, now: float) -> Process:
    sleeps = max(0.0, script.wakes - now) if script.wakes else None
    return Process(script.pid, 1, f"/bin/bash {script.path}", now - script.began, sleeps)


@lru_cache(maxsize=256)
def _transitions(logged: tuple[tuple[str, float], ...]) -> tuple[Transition, ...]:
    return tuple(Transition(VrrpState(state), at, "system log", f"Entering {state} STATE") for state, at in logged)


@cache
def _config(text: bytes) -> KeepalivedConfig:
    stat = FileStat(KEEPALIVED_CONF, len(text), 0.0, 0o644, "root:root")
    return configuration.parse(text, KEEPALIVED_CONF, stat)


@cache
def _scripts(texts: tuple[tuple[str, bytes], ...]) -> tuple[ScriptFile, ...]:
    parts = "".join(f"\n@sep {len(text)}|755|root:root|{path}\n{text.decode()}" for path, text in texts)
    return scripts.parse(f"sep\n{parts}")


@cache
def _redis_file(text: bytes) -> RedisFile:
    """As grep prints the lines that the probe asks for."""
    wanted = re.compile(r"\s*(?:slaveof|replicaof|include|appendonly|appendfilename|appenddirname|dir|dbfilename)\s")
    lines = [f"{n}:{line}" for n, line in enumerate(text.decode().splitlines(), start=1) if wanted.match(line)]
    return config_file.parse("\n".join((REDIS_CONF, *lines, f"real {FOLDER}")))


def _dump(host: Host, now: float) -> Reading[DumpFile]:
    dump = host.redis.dump
    if dump is None:
        return _absent(DUMP, now)
    return read(DumpFile(DUMP, dump.size, dump.modified), now)


def digest_of(keys: frozenset[int]) -> str:
    """A checksum of a dump: equal where its keys are equal."""
    return f"{hash(keys) & (1 << 64) - 1:064x}"


def _backups(host: Host) -> tuple[Backup, ...]:
    """Oldest first, with what the note says. A copy whose note is missing has none of that."""
    found = []
    for path, (dump, noted) in host.backups.items():
        origin, received = host.origins.get(path, ("", None))
        note = (digest_of(dump.keys), len(dump.keys), 0, "redis-check-rdb: RDB looks OK") if noted else ()
        found.append(Backup(path, dump.size, dump.modified, *note, origin=origin, received=received))
    return tuple(sorted(found, key=lambda one: one.path))


def _places(host: Host) -> tuple[ProcessPlace, ...]:
    pids = [(host.redis.process.pid, "redis-server")] if host.redis.process else []
    pids += [(host.keepalived.pid, "keepalived")] if host.keepalived.running else []
    return tuple(ProcessPlace(pid, elsewhere=False, unit=unit) for pid, unit in pids)


# --- over the Redis protocol ----------------------------------------------------------------------------------------


def redis_reading(server: RedisServer, now: float) -> Reading[Redis]:
    """INFO and CONFIG GET. A Redis that loads answers INFO, too."""
    process, link = server.process, server.link
    if process is None:
        return unread(ProblemKind.REFUSED, f"connection refused: {server.host.address}:6379", now)
    if not server.answers:
        return unread(ProblemKind.TIMEOUT, f"no answer in time: {server.host.address}:6379", now)
    ahead = server.host.clock_ahead
    replica = bool(link.master)
    count = len(process.keys)
    value = Redis(
        version=server.world.version,
        flavour="redis",
        run_id=process.run_id,
        process_id=process.pid,
        config_file=REDIS_CONF,
        port=6379,
        uptime=int(now - process.started),
        role=Role.REPLICA if replica else Role.MASTER,
        master=_master_link(server, now) if replica else None,
        offset=process.offset,
        replid=process.replid,
        replid2=process.replid2,
        second_offset=process.second_offset,
        backlog=_backlog(server),
        replicas=_replicas(server, now),
        keys={0: count} if count else {},
        used_memory=1_000_000 + 200 * count,
        maxmemory=0,
        ops_per_second=2,
        clients=3,
        persistence=Persistence(
            float(int(process.last_save + ahead)),
            "ok" if process.save_ok else "err",
            rdb_in_progress=process.saving,
            changes_since_save=process.changes,
            aof=False,
            rdb_last_seconds=process.save_seconds,
        ),
        loading=process.loading,
        read_only_replica=True if replica else None,
        replica_priority=100 if replica else None,
        good_replicas=server.good_replicas() if process.min_replicas and not replica else None,
        failover_state="no-failover" if version_of(server.world.version) >= (6, 2) else None,
        total_system_memory=MEMORY.total,
        config=RedisConfig(
            dir=FOLDER,
            dbfilename=DUMP.rpartition("/")[2],
            save=_SAVE,
            maxmemory=0,
            min_replicas_to_write=process.min_replicas,
            stop_writes_on_bgsave_error=True,
            diskless_sync=False,
            diskless_load="disabled",
            logfile="/data/redis/redis.log",
        ),
    )
    return read(value, now)


def _master_link(server: RedisServer, now: float) -> MasterLink:
    link = server.link
    if link.up:
        return MasterLink(link.master, 6379, up=True, sync_in_progress=False, last_io_seconds=int(link.silent_for))
    down = int(now - link.down_since) if link.was_up else -1
    return MasterLink(
        link.master,
        6379,
        up=False,
        sync_in_progress=link.state in ("transfer", "load"),
        last_io_seconds=None,
        down_seconds=down,
    )


def _backlog(server: RedisServer) -> Backlog:
    process = server.process
    assert process is not None
    if not process.backlog_first:
        return Backlog(active=False, size=BACKLOG_BYTES, first_byte_offset=0, histlen=0)
    held = process.offset - process.backlog_first + 1
    return Backlog(active=True, size=BACKLOG_BYTES, first_byte_offset=process.backlog_first, histlen=held)


def _replicas(server: RedisServer, now: float) -> tuple[AttachedReplica, ...]:
    """A replica acknowledges once a second. Its line may be a second old."""
    lines = []
    for one in server.attached():
        online = one.link.up and one.process is not None
        state = "online" if online else "send_bulk"
        offset = one.process.offset if online and one.process is not None else 0
        lines.append(AttachedReplica(one.host.address, 6379, state, offset, int(now - one.link.heard)))
    return tuple(lines)
