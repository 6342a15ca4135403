"""What an observation reads from one host of the model, by the console's own parsers wherever there is a text.

keepalived.conf, the notify scripts and redis.conf are texts in the model and are parsed. INFO, `ip addr`, the list of
processes and the logs are not: their readings are built from the model directly, because a text would only be printed
to be parsed again. `make reality` compares both with real servers.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from simulation.world.host import DISK_BYTES, DISK_FREE, DUMP, FOLDER, KEEPALIVED_CONF, REDIS_CONF, Host
from simulation.world.notify_scripts import Script
from simulation.world.redis_server import BACKLOG_BYTES, RedisServer

from console.core.model import (
    AofFiles,
    AttachedReplica,
    Backlog,
    Backup,
    ClockReading,
    DataForm,
    DiskRoom,
    DumpFile,
    HostIdentity,
    InterfaceAddress,
    KeepalivedConfig,
    LogTail,
    MasterLink,
    Memory,
    Persistence,
    Problem,
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
DISK, DISK_FULL = DiskRoom(FOLDER, DISK_FREE, DISK_BYTES), DiskRoom(FOLDER, 0, DISK_BYTES)
REDIS_LOG = LogTail("/data/redis/redis.log", ())
AOF_NAME = "appendonly.aof"
AOF_MANIFEST = f"{AOF_NAME}.manifest"
CHECKED = {
    DataForm.DUMP: "redis-check-rdb: RDB looks OK",
    DataForm.AOF: "redis-check-aof: no errors",
    DataForm.AOF_FOLDER: "redis-check-aof: no errors",
}
NO_AOF = Problem(ProblemKind.ABSENT, "there is no append-only file")
NO_NOTIFY_LOG: Reading[Any] = unread(ProblemKind.NOT_CONFIGURED, "the inventory names no keepalived.state_log")
_SAVE = "900 1 300 10"


# --- over SSH -------------------------------------------------------------------------------------------------------


def host_readings(host: Host, now: float) -> HostReadings:
    """Everything that the console reads over SSH."""
    installed = host.keepalived.installed
    log = _keepalived_log(tuple(host.keepalived.transitions))
    return HostReadings(
        identity=read(HostIdentity(host.name, host.boot_id, now - host.booted), now),
        clock=read(ClockReading(now + host.clock_ahead, host.clock_ahead, 0.01), now),
        addresses=read(_addresses(host), now),
        processes=read(_processes(host, now), now),
        config=read(_config(host.files[KEEPALIVED_CONF]), now) if installed else _absent(KEEPALIVED_CONF, now),
        version=read("2.2.7", now) if installed else _absent("keepalived", now),
        notify_log=_notify_log(host, now),
        system_log=read(log, now),
        memory=read(MEMORY, now),
        disk=read(DISK_FULL if host.disk_full else DISK, now),
        dump=_dump(host, now),
        backups=read(_backups(host), now),
        scripts=read(_scripts(host.scripts), now),
        redis_log=read(REDIS_LOG, now),
        redis_file=read(_redis_file(host.files[REDIS_CONF]), now),
        run_lock=read(host.lock, now),
        aof=_aof(host, now),
        places=read(_places(host), now),
    )


def _absent(what: str, now: float) -> Reading[Any]:
    return Reading(None, _is_absent(what), now)


@cache
def _is_absent(what: str) -> Problem:
    return Problem(ProblemKind.ABSENT, f"{what} does not exist")


def _addresses(host: Host) -> tuple[InterfaceAddress, ...]:
    system = host.world.system
    return _held(host.address, system.outside.get(host.name, ""), system.vip if host.vip else "", system.prefix)


@cache
def _held(address: str, outside: str, vip: str, prefix: int) -> tuple[InterfaceAddress, ...]:
    own = (InterfaceAddress("lo", "127.0.0.1", 8), InterfaceAddress("eth2", address, 24))
    return (*own, *(InterfaceAddress("eth2", one, prefix) for one in (outside, vip) if one))


def _processes(host: Host, now: float) -> Processes:
    redis, keepalived, check = host.redis.process, host.keepalived, host.keepalived.check
    return Processes(
        redis=(Process(redis.pid, 1, "/usr/bin/redis-server *:6379", now - redis.started),) if redis else (),
        keepalived=(Process(keepalived.pid, 1, "/usr/sbin/keepalived -D", now - keepalived.started),)
        if keepalived.running
        else (),
        scripts=tuple(_script(one, now) for one in (*keepalived.scripts, *((check,) if check else ()))),
    )


def _script(script: Script, now: float) -> Process:
    sleeps = max(0.0, script.wakes - now) if script.sleeps else None
    return Process(script.pid, 1, script.command, now - script.began, sleeps)


@lru_cache(maxsize=256)
def _keepalived_log(logged: tuple[tuple[str, float], ...]) -> LogTail:
    found = (Transition(VrrpState(state), at, "system log", f"Entering {state} STATE") for state, at in logged)
    return LogTail("/var/log/keepalived.log", (), tuple(found))


def _notify_log(host: Host, now: float) -> Reading[LogTail]:
    """The dates in it have whole seconds."""
    path = host.world.system.state_log
    if not path:
        return NO_NOTIFY_LOG
    if not host.changes:
        return _absent(path, now)
    told = zip(host.changes[-20:], host.changed[-20:], strict=True)
    lines = tuple((state, float(int(at)), f"INSTANCE VI_222 has changed to {state}") for state, at in told)
    found = tuple(Transition(VrrpState(state), at, "notify log", line) for state, at, line in lines)
    return read(LogTail(path, tuple(line for _, _, line in lines), found), now)


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
    return _absent(DUMP, now) if dump is None else read(_dump_file(dump.size, dump.modified), now)


def _aof(host: Host, now: float) -> Reading[AofFiles]:
    kept = host.redis.append_only
    aof = kept.aof
    if aof is None:
        return Reading(None, NO_AOF, now)
    names = aof_names(aof.sequence) if kept.in_folder else ()
    return read(AofFiles(kept.path, aof.size, aof.modified, names, AOF_MANIFEST if names else ""), now)


@cache
def aof_names(sequence: int) -> tuple[str, ...]:
    return (f"{AOF_NAME}.{sequence}.base.rdb", f"{AOF_NAME}.{sequence}.incr.aof")


@lru_cache(maxsize=256)
def _dump_file(size: int, modified: float) -> DumpFile:
    return DumpFile(DUMP, size, modified)


def digest_of(keys: frozenset[int]) -> str:
    """A checksum of a dump: equal where its keys are equal."""
    return f"{hash(keys) & (1 << 64) - 1:064x}"


def _backups(host: Host) -> tuple[Backup, ...]:
    """Oldest first, with what the note says. A copy whose note is missing has none of that."""
    if not host.backups:
        return ()
    found = []
    for path, (dump, noted) in host.backups.items():
        origin, received = host.origins.get(path, ("", None))
        note = (digest_of(dump.keys), len(dump.keys), 0, CHECKED[dump.form]) if noted else ()
        folder = dump.form is DataForm.AOF_FOLDER
        names, manifest = (aof_names(dump.sequence), AOF_MANIFEST) if folder else ((), "")
        more = {"form": dump.form, "names": names, "manifest": manifest}
        found.append(Backup(path, dump.size, dump.modified, *note, origin=origin, received=received, **more))
    return tuple(sorted(found, key=lambda one: one.path))


def _places(host: Host) -> tuple[ProcessPlace, ...]:
    process = host.redis.process
    return _in_units(process.pid if process is not None else 0, host.keepalived.pid)


@lru_cache(maxsize=256)
def _in_units(redis: int, keepalived: int) -> tuple[ProcessPlace, ...]:
    """By their process ids; 0: it does not run."""
    units = ((redis, "redis-server"), (keepalived, "keepalived"))
    return tuple(ProcessPlace(pid, elsewhere=False, unit=unit) for pid, unit in units if pid)


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
            aof=server.append_only.on,
            aof_last_write_status="ok" if server.append_only.write_ok else "err",
            aof_rewriting=server.append_only.rewriting,
            rdb_last_seconds=process.save_seconds,
        ),
        loading=process.loading,
        read_only_replica=True if replica else None,
        replica_priority=server.host.replica_priority if replica else None,
        good_replicas=server.good_replicas() if process.min_replicas and not replica else None,
        failover_state="no-failover" if version_of(server.world.version) >= (6, 2) else None,
        total_system_memory=MEMORY.total,
        config=_settings(
            process.min_replicas, diskless=not server.world.syncs_by_disk, folder=server.append_only.in_folder
        ),
    )
    return read(value, now)


@cache
def _settings(min_replicas: int, *, diskless: bool, folder: bool) -> RedisConfig:
    return RedisConfig(
        dir=FOLDER,
        dbfilename=DUMP.rpartition("/")[2],
        save=_SAVE,
        maxmemory=0,
        min_replicas_to_write=min_replicas,
        stop_writes_on_bgsave_error=True,
        diskless_sync=diskless,
        diskless_load="disabled",
        logfile=REDIS_LOG.path,
        appendfilename=AOF_NAME,
        appenddirname="appendonlydir" if folder else None,
    )


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
