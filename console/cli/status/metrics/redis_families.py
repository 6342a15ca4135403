"""Metrics of a node's Redis: role, replication, data, and persistence."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.cli.status.as_json import ClusterStatus
from console.cli.status.metrics.family import (
    NODE,
    REPLICA,
    Family,
    Sample,
    Value,
    each_of_reading,
    flag,
    not_negative,
    of_nodes,
    of_reading,
    rounded,
)
from console.core.model import AttachedReplica, Backlog, MasterLink, Persistence, Redis, Role
from console.core.model.facts import bytes_behind

_Labelled = Iterator[tuple[tuple[str, ...], Value]]
_NO_FAILOVER = "no-failover"


def _plain(name: str, text: str, value: Callable[[Redis], Value], unit: str = "") -> Family:
    return Family(name, text, NODE, of_reading("redis", value), unit=unit)


def _link(name: str, text: str, value: Callable[[MasterLink], Value], unit: str = "") -> Family:
    """Of a replica's link to its master."""
    return _plain(f"redis_{name}", text, lambda redis: None if redis.master is None else value(redis.master), unit)


def _backlog(name: str, text: str, value: Callable[[Backlog], Value], unit: str = "") -> Family:
    return _plain(
        f"redis_backlog_{name}", text, lambda redis: None if redis.backlog is None else value(redis.backlog), unit
    )


def _persistence(name: str, text: str, value: Callable[[Persistence], Value], unit: str = "") -> Family:
    return _plain(f"redis_{name}", text, lambda redis: value(redis.persistence), unit)


def _replica(name: str, text: str, value: Callable[[AttachedReplica], Value], unit: str = "") -> Family:
    """Of each replica, as its master lists it."""

    def parts(redis: Redis) -> _Labelled:
        return (((one.address,), value(one)) for one in redis.replicas)

    return Family(f"redis_replica_{name}", text, REPLICA, each_of_reading("redis", parts), unit=unit)


def _server(redis: Redis) -> _Labelled:
    master = f"{redis.master.host}:{redis.master.port}" if redis.master is not None else ""
    yield (redis.version, redis.flavour, redis.run_id, redis.history, redis.replid2 or "", master), 1


def _lag(seen: ClusterStatus) -> Iterator[Sample]:
    for node in seen.state.nodes:
        yield (seen.state.name, node.name), bytes_behind(seen.state, node)


def _failing_over(redis: Redis) -> Value:
    return flag(None if redis.failover_state is None else redis.failover_state != _NO_FAILOVER)


FAMILIES = (
    Family("redis_up", "1 if the node's Redis answers.", NODE, of_nodes(lambda node: int(node.redis.ok))),
    Family(
        "redis_role",
        "Role of the node's Redis.",
        NODE,
        of_reading("redis", lambda redis: redis.role.value),
        states=tuple(Role),
    ),
    Family(
        "redis_server",
        "The server, its replication history, and the master that it follows.",
        (*NODE, "version", "flavour", "run_id", "replid", "replid2", "master"),
        each_of_reading("redis", _server),
        is_info=True,
    ),
    _plain("redis_uptime_seconds", "How long it has been running.", lambda redis: redis.uptime, "seconds"),
    _plain("redis_loading", "1 while it loads its data set.", lambda redis: flag(redis.loading)),
    _plain("redis_failover_in_progress", "1 while a FAILOVER command is under way.", _failing_over),
    _link("link_up", "1 if the replica's link is up.", lambda link: flag(link.up)),
    _link(
        "link_down_seconds", "How long the link has been down.", lambda link: not_negative(link.down_seconds), "seconds"
    ),
    _link("link_last_io_seconds", "Since the master was heard.", lambda link: link.last_io_seconds, "seconds"),
    _link("link_sync_in_progress", "1 while it receives a full sync.", lambda link: flag(link.sync_in_progress)),
    _link(
        "link_sync_left_bytes", "What is left of the sync.", lambda link: not_negative(link.sync_left_bytes), "bytes"
    ),
    _link("link_sync_total_bytes", "All of the sync.", lambda link: not_negative(link.sync_total_bytes), "bytes"),
    _plain("redis_offset_bytes", "Replication offset.", lambda redis: redis.offset, "bytes"),
    _plain(
        "redis_second_offset_bytes",
        "Up to this offset its earlier history can be continued.",
        lambda redis: not_negative(redis.second_offset),
        "bytes",
    ),
    Family("redis_lag_bytes", "How far a replica is behind.", NODE, _lag, unit="bytes"),
    _plain("redis_replicas", "Replicas attached to it.", lambda redis: len(redis.replicas)),
    _replica("online", "1 if the master counts the replica as online.", lambda one: flag(one.state == "online")),
    _replica("offset_bytes", "What the replica has acknowledged.", lambda one: one.offset, "bytes"),
    _replica("lag_seconds", "Since its last acknowledgement.", lambda one: not_negative(one.lag_seconds), "seconds"),
    _plain("redis_good_replicas", "Replicas that count for min-replicas-to-write.", lambda redis: redis.good_replicas),
    _plain(
        "redis_min_replicas_to_write",
        "Good replicas without which it refuses writes.",
        lambda redis: redis.config.min_replicas_to_write,
    ),
    _plain(
        "redis_replica_read_only",
        "1 if it refuses writes as a replica.",
        lambda redis: flag(redis.read_only_replica),
    ),
    _plain(
        "redis_replica_priority", "Its priority for Sentinels; 0: never promoted.", lambda redis: redis.replica_priority
    ),
    _backlog("active", "1 if there is a replication backlog.", lambda one: flag(one.active)),
    _backlog("size_bytes", "Its size.", lambda one: one.size, "bytes"),
    _backlog("first_offset_bytes", "The first offset that it holds.", lambda one: one.first_byte_offset, "bytes"),
    _backlog("held_bytes", "How much it holds.", lambda one: one.histlen, "bytes"),
    Family(
        "redis_keys",
        "Keys in a database. A database without keys has no sample.",
        (*NODE, "db"),
        each_of_reading("redis", lambda redis: (((str(db),), count) for db, count in sorted(redis.keys.items()))),
    ),
    Family(
        "redis_expiring_keys",
        "Keys with an expiry in a database.",
        (*NODE, "db"),
        each_of_reading("redis", lambda redis: (((str(db),), count) for db, count in sorted(redis.expires.items()))),
    ),
    _plain("redis_used_memory_bytes", "Memory that it uses.", lambda redis: redis.used_memory, "bytes"),
    _plain("redis_maxmemory_bytes", "Its limit; 0: none.", lambda redis: redis.maxmemory, "bytes"),
    _plain("redis_ops_per_second", "Commands a second.", lambda redis: redis.ops_per_second),
    _plain(
        "redis_write_rate",
        "Bytes that it writes to the replication stream a second, over the last minute.",
        lambda redis: rounded(redis.write_rate),
    ),
    _plain("redis_clients", "Connected clients.", lambda redis: redis.clients),
    _persistence(
        "rdb_last_save_timestamp_seconds",
        "When it was saved last, on the node's clock.",
        lambda one: rounded(one.rdb_last_save),
        "seconds",
    ),
    _persistence("rdb_last_save_ok", "1 if the last save succeeded.", lambda one: flag(one.rdb_last_status == "ok")),
    _persistence("rdb_save_in_progress", "1 while it saves.", lambda one: flag(one.rdb_in_progress)),
    _persistence(
        "rdb_last_save_duration_seconds",
        "The last save took.",
        lambda one: not_negative(one.rdb_last_seconds),
        "seconds",
    ),
    _persistence("changes_since_save", "Changes since the last save.", lambda one: one.changes_since_save),
    _persistence("last_fork_seconds", "The last fork took.", lambda one: rounded(one.last_fork_seconds), "seconds"),
    _persistence("aof_enabled", "1 if it writes an append-only file.", lambda one: flag(one.aof)),
    _persistence(
        "aof_last_write_ok", "1 if the last write of it succeeded.", lambda one: flag(one.aof_last_write_status == "ok")
    ),
    _persistence("aof_rewrite_in_progress", "1 while it is rewritten.", lambda one: flag(one.aof_rewriting)),
)
