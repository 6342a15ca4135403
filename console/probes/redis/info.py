"""INFO of Redis 2.6 to 8 and Valkey: the wanted keys only, whatever else a version adds."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.model import AttachedReplica, Backlog, MasterLink, Persistence, Redis, RedisConfig, Role
from console.core.numbers import count, epoch_seconds, whole_number
from console.probes import NotUnderstoodError

# fmt: off
_WANTED = frozenset({
    "executable", "dragonfly_version", "dfly_version",
    "redis_version", "valkey_version", "server_name", "run_id", "process_id", "config_file", "tcp_port",
    "uptime_in_seconds", "connected_clients", "used_memory", "maxmemory", "total_system_memory", "loading",
    "rdb_changes_since_last_save", "rdb_bgsave_in_progress", "rdb_last_save_time", "rdb_last_bgsave_status",
    "rdb_last_bgsave_time_sec", "aof_enabled", "aof_rewrite_in_progress", "aof_last_write_status",
    "instantaneous_ops_per_sec", "role", "master_host", "master_port",
    "master_link_status", "master_last_io_seconds_ago", "master_sync_in_progress", "master_sync_left_bytes",
    "master_sync_total_bytes", "master_link_down_since_seconds", "slave_repl_offset", "slave_priority",
    "slave_read_only", "connected_slaves", "min_slaves_good_slaves", "master_failover_state", "master_replid",
    "master_replid2", "master_repl_offset", "second_repl_offset", "repl_backlog_active", "repl_backlog_size",
    "repl_backlog_first_byte_offset", "repl_backlog_histlen", "latest_fork_usec",
})
# fmt: on
_ROLES = {"master": Role.MASTER, "slave": Role.REPLICA}


def parse(text: str, config: RedisConfig | None = None) -> Redis:
    """The whole INFO text; `config` is what CONFIG GET told, where it was asked."""
    fields, replicas, (keys, expires) = _fields(text)
    if stranger := _stranger(fields):
        raise NotUnderstoodError(stranger)
    missing = [key for key in ("redis_version", "run_id", "role") if not fields.get(key)]
    if missing:
        raise NotUnderstoodError(f"INFO has no {', '.join(missing)}: is this a Redis or Valkey server?")
    role = _ROLES.get(fields["role"])
    if role is None:
        raise NotUnderstoodError(f"INFO says role:{fields['role'][:40]}, which is neither master nor slave")
    valkey = "valkey_version" in fields
    return Redis(
        version=fields["valkey_version"] if valkey else fields["redis_version"],
        flavour="valkey" if valkey else "keydb" if _is_keydb(fields) else "redis",
        run_id=fields["run_id"],
        process_id=_number(fields, "process_id") or 0,
        config_file=fields.get("config_file", ""),
        port=_number(fields, "tcp_port") or 0,
        uptime=_number(fields, "uptime_in_seconds") or 0,
        role=role,
        master=_master(fields) if role is Role.REPLICA else None,
        offset=_offset(fields, role),
        replid=fields.get("master_replid"),
        replid2=fields.get("master_replid2"),
        second_offset=_number(fields, "second_repl_offset"),
        backlog=_backlog(fields),
        replicas=replicas,
        keys=keys,
        used_memory=_number(fields, "used_memory") or 0,
        maxmemory=_number(fields, "maxmemory"),
        ops_per_second=_number(fields, "instantaneous_ops_per_sec") or 0,
        clients=_number(fields, "connected_clients") or 0,
        persistence=_persistence(fields),
        loading=fields.get("loading", "0") != "0",
        read_only_replica=_flag(fields, "slave_read_only"),
        replica_priority=_number(fields, "slave_priority"),
        good_replicas=_number(fields, "min_slaves_good_slaves"),
        failover_state=fields.get("master_failover_state"),
        total_system_memory=_number(fields, "total_system_memory"),
        config=config or RedisConfig(),
        expires=expires,
    )


def _is_keydb(fields: Mapping[str, str]) -> bool:
    """KeyDB has no version of its own in INFO: only the path of its program tells."""
    return fields.get("executable", "").rpartition("/")[2].startswith("keydb")


def _stranger(fields: Mapping[str, str]) -> str:
    """Why a server that takes the commands of Redis cannot be watched as one; empty: it can."""
    if version := fields.get("dragonfly_version") or fields.get("dfly_version"):
        return f"this is Dragonfly {version}, which tells no run_id and no offset: only Redis, Valkey and KeyDB do"
    if fields.get("role") == "active-replica":
        return "this is KeyDB with active-replica: both servers take writes; set active-replica no for one master"
    return ""


def parse_identity(text: str) -> tuple[str, Role | None, str]:
    """run_id, role and config_file of an INFO, or of sections of it. Empty or None: it has no such line."""
    fields, _, _ = _fields(text)
    return fields.get("run_id", ""), _ROLES.get(fields.get("role", "")), fields.get("config_file", "")


def _fields(text: str) -> tuple[dict[str, str], tuple[AttachedReplica, ...], tuple[dict[int, int], dict[int, int]]]:
    fields: dict[str, str] = {}
    replicas: list[AttachedReplica] = []
    keys: dict[int, int] = {}
    expires: dict[int, int] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if not colon:
            continue
        if key in _WANTED:
            fields[key] = value.strip()
        elif key.startswith("slave") and count(key[5:]) is not None:
            replicas.append(_replica(value))
        elif key.startswith("db") and (number := count(key[2:])) is not None:
            counts = dict(part.partition("=")[::2] for part in value.split(","))
            keys[number] = _number(counts, "keys") or 0
            expires[number] = _number(counts, "expires") or 0
    return fields, tuple(replicas), (keys, expires)


def _replica(value: str) -> AttachedReplica:
    """`ip=…,port=…,state=…,offset=…,lag=…`; Redis 2.6 writes `127.0.0.1,35363,online`."""
    parts = value.strip().split(",")
    named = dict(part.partition("=")[::2] for part in parts if "=" in part)
    if not named and len(parts) >= 3:  # noqa: PLR2004 - host, port, state
        return AttachedReplica(",".join(parts[:-2]), count(parts[-2]) or 0, parts[-1], None, None)
    return AttachedReplica(
        host=named.get("ip", ""),
        port=_number(named, "port") or 0,
        state=named.get("state", ""),
        offset=_number(named, "offset"),
        lag_seconds=_number(named, "lag"),
    )


def _master(fields: Mapping[str, str]) -> MasterLink:
    last_io = _number(fields, "master_last_io_seconds_ago")
    return MasterLink(
        host=fields.get("master_host", ""),
        port=_number(fields, "master_port") or 0,
        up=fields.get("master_link_status") == "up",
        sync_in_progress=fields.get("master_sync_in_progress", "0") != "0",
        last_io_seconds=None if last_io is None or last_io < 0 else last_io,
        down_seconds=_down_seconds(fields),
        sync_left_bytes=_number(fields, "master_sync_left_bytes"),
        sync_total_bytes=_number(fields, "master_sync_total_bytes"),
    )


def _down_seconds(fields: Mapping[str, str]) -> int | None:
    """-1: the link was never up. Before 7.0 a server says then how long ago 1970 was, which is longer than it runs."""
    down, uptime = _number(fields, "master_link_down_since_seconds"), _number(fields, "uptime_in_seconds")
    if down is None or (down >= 0 and (uptime is None or down <= uptime + 1)):
        return down
    return -1


def _offset(fields: Mapping[str, str], role: Role) -> int | None:
    """A replica's own master_repl_offset stays 0 up to 3.2: slave_repl_offset is the one that every version has."""
    return _number(fields, "master_repl_offset" if role is Role.MASTER else "slave_repl_offset")


def _backlog(fields: Mapping[str, str]) -> Backlog | None:
    if "repl_backlog_active" not in fields:
        return None
    return Backlog(
        active=fields["repl_backlog_active"] == "1",
        size=_number(fields, "repl_backlog_size") or 0,
        first_byte_offset=_number(fields, "repl_backlog_first_byte_offset") or 0,
        histlen=_number(fields, "repl_backlog_histlen") or 0,
    )


def _persistence(fields: Mapping[str, str]) -> Persistence:
    saved, lasted = epoch_seconds(fields.get("rdb_last_save_time", "")), _number(fields, "rdb_last_bgsave_time_sec")
    fork = _number(fields, "latest_fork_usec")
    return Persistence(
        rdb_last_save=saved or None,
        rdb_last_status=fields.get("rdb_last_bgsave_status", ""),
        rdb_in_progress=fields.get("rdb_bgsave_in_progress", "0") != "0",
        changes_since_save=_number(fields, "rdb_changes_since_last_save"),
        aof=fields.get("aof_enabled", "0") != "0",
        aof_last_write_status=fields.get("aof_last_write_status", "ok"),
        rdb_last_seconds=None if lasted is None or lasted < 0 else lasted,
        last_fork_seconds=fork / 1_000_000 if fork else None,
        aof_rewriting=fields.get("aof_rewrite_in_progress", "0") != "0",
    )


def _number(fields: Mapping[str, str], key: str) -> int | None:
    return whole_number(fields.get(key, ""))


def _flag(fields: Mapping[str, str], key: str) -> bool | None:
    return fields[key] == "1" if key in fields else None
