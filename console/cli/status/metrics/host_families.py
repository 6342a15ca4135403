"""Metrics of a node's host: clock, memory, disk, and the data on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.cli.status.as_json import ClusterStatus
from console.cli.status.metrics.family import (
    NODE,
    Family,
    Samples,
    Value,
    each_of_reading,
    flag,
    of_nodes,
    of_reading,
    rounded,
)
from console.core.model import Backup, HostIdentity, Processes, RedisFile


def _identity(host: HostIdentity) -> Iterator[tuple[tuple[str, ...], Value]]:
    yield (host.hostname, host.boot_id), 1


def _processes(found: Processes) -> Iterator[tuple[tuple[str, ...], Value]]:
    for program in ("redis", "keepalived", "scripts"):
        yield (program,), len(getattr(found, program))


def _newest(value: Callable[[Backup], Value]) -> Callable[[ClusterStatus], Samples]:
    """Of the newest copy that the console made on the node."""

    def of(found: tuple[Backup, ...]) -> Value:
        return value(found[-1]) if found else None

    return of_reading("backups", of)


def _follows_after_restart(file: RedisFile) -> Value:
    return flag(bool(file.master))


FAMILIES = (
    Family("ssh_up", "1 if the node answers over SSH.", NODE, of_nodes(lambda node: int(node.ssh.ok))),
    Family(
        "host",
        "The machine that answers.",
        (*NODE, "hostname", "boot_id"),
        each_of_reading("ssh", _identity),
        is_info=True,
    ),
    Family(
        "host_uptime_seconds",
        "How long the host has been running.",
        NODE,
        of_reading("ssh", lambda host: rounded(host.uptime)),
        unit="seconds",
    ),
    Family(
        "clock_offset_seconds",
        "Seconds that the node's clock is ahead.",
        NODE,
        of_reading("clock", lambda clock: rounded(clock.offset)),
        unit="seconds",
    ),
    Family(
        "clock_uncertainty_seconds",
        "How far that figure can be off.",
        NODE,
        of_reading("clock", lambda clock: rounded(clock.uncertainty)),
        unit="seconds",
    ),
    Family("memory_total_bytes", "Memory.", NODE, of_reading("memory", lambda memory: memory.total), unit="bytes"),
    Family(
        "memory_available_bytes",
        "Memory that programs can have.",
        NODE,
        of_reading("memory", lambda memory: memory.available),
        unit="bytes",
    ),
    Family(
        "memory_overcommit",
        "vm.overcommit_memory: 0 heuristic, 1 always, 2 never.",
        NODE,
        of_reading("memory", lambda memory: memory.overcommit),
    ),
    Family(
        "disk_free_bytes",
        "Free space where Redis saves its data.",
        NODE,
        of_reading("disk", lambda disk: disk.free),
        unit="bytes",
    ),
    Family("disk_total_bytes", "All space there.", NODE, of_reading("disk", lambda disk: disk.total), unit="bytes"),
    Family("dump_bytes", "Size of the dump.", NODE, of_reading("dump", lambda dump: dump.size), unit="bytes"),
    Family(
        "dump_modified_timestamp_seconds",
        "When it was written, on the node's clock.",
        NODE,
        of_reading("dump", lambda dump: rounded(dump.modified)),
        unit="seconds",
    ),
    Family("aof_bytes", "Size of the append-only file.", NODE, of_reading("aof", lambda aof: aof.size), unit="bytes"),
    Family(
        "aof_modified_timestamp_seconds",
        "When it was written last, on the node's clock.",
        NODE,
        of_reading("aof", lambda aof: rounded(aof.modified)),
        unit="seconds",
    ),
    Family("backups", "Copies of data that runs of this console have made.", NODE, of_reading("backups", len)),
    Family("backup_newest_bytes", "Size of the newest copy.", NODE, _newest(lambda backup: backup.size), unit="bytes"),
    Family(
        "backup_newest_timestamp_seconds",
        "The time of the data in the newest copy, on the node's clock.",
        NODE,
        _newest(lambda backup: rounded(backup.modified)),
        unit="seconds",
    ),
    Family(
        "processes",
        "Processes of Redis, of keepalived, and of the scripts that keepalived runs now.",
        (*NODE, "program"),
        each_of_reading("processes", _processes),
    ),
    Family(
        "redis_file_replica",
        "1 if the configuration file makes Redis a replica when it starts, 0 if it starts as a master.",
        NODE,
        of_reading("redis_file", _follows_after_restart),
    ),
    Family(
        "arp_suppressed",
        "1 if the node sends no ARP for the read VIP on its loopback.",
        NODE,
        of_reading("arp", lambda arp: flag(arp.suppressed)),
    ),
)
