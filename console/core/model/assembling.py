"""Assembles the state of a node, of its keepalived and of a director from what the probes read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, fields
from typing import Any

from console.core.inventory import DirectorSpec, NodeSpec, RedisSpec
from console.core.lazy_dataclass import dataclass
from console.core.model import (
    AofFiles,
    ArpSettings,
    Backup,
    ClockReading,
    DirectorState,
    DiskRoom,
    DumpFile,
    HostIdentity,
    InterfaceAddress,
    Keepalived,
    KeepalivedConfig,
    LogTail,
    Memory,
    NodeState,
    Problem,
    ProblemKind,
    Processes,
    ProcessPlace,
    Reading,
    Redis,
    RedisFile,
    RunLock,
    ScriptFile,
    Transition,
    VirtualService,
    VrrpInstance,
    VrrpState,
    read,
    unread,
)
from console.core.model.facts import answers_ping

_LOWEST, _HIGHEST = 1, 254
_TOLERANCE = 2.0  # seconds: logs have whole seconds, and a process starts shortly before it logs


def _not_read() -> Reading[Any]:
    return unread(ProblemKind.NOT_READ)


@dataclass(frozen=True, slots=True)
class HostReadings:
    """What was read over SSH from one node. Each reading has its own age."""

    identity: Reading[HostIdentity] = field(default_factory=_not_read)
    clock: Reading[ClockReading] = field(default_factory=_not_read)
    addresses: Reading[tuple[InterfaceAddress, ...]] = field(default_factory=_not_read)
    processes: Reading[Processes] = field(default_factory=_not_read)
    config: Reading[KeepalivedConfig] = field(default_factory=_not_read)
    version: Reading[str] = field(default_factory=_not_read)
    notify_log: Reading[LogTail] = field(default_factory=_not_read)
    system_log: Reading[LogTail] = field(default_factory=_not_read)
    memory: Reading[Memory] = field(default_factory=_not_read)
    disk: Reading[DiskRoom] = field(default_factory=_not_read)
    dump: Reading[DumpFile] = field(default_factory=_not_read)
    backups: Reading[tuple[Backup, ...]] = field(default_factory=_not_read)
    scripts: Reading[tuple[ScriptFile, ...]] = field(default_factory=_not_read)
    redis_log: Reading[LogTail] = field(default_factory=_not_read)
    redis_file: Reading[RedisFile] = field(default_factory=_not_read)
    run_lock: Reading[RunLock | None] = field(default_factory=_not_read)
    services: Reading[tuple[VirtualService, ...]] = field(default_factory=_not_read)
    arp: Reading[ArpSettings] = field(default_factory=_not_read)
    aof: Reading[AofFiles] = field(default_factory=_not_read)
    places: Reading[tuple[ProcessPlace, ...]] = field(default_factory=_not_read)


def nothing_read(problem: Problem, at: float) -> HostReadings:
    """The readings of a node of which nothing could be read, all with the same problem."""
    nothing: Reading[Any] = Reading(None, problem, at)
    return HostReadings(*([nothing] * len(fields(HostReadings))))


def assemble_node(spec: NodeSpec, vip: str, host: HostReadings, redis: Reading[Redis]) -> NodeState:
    """One node as it was last seen."""
    return NodeState(
        name=spec.name,
        address=spec.address,
        redis_port=spec.redis.port,
        ssh=host.identity,
        redis=redis,
        keepalived=assemble_keepalived(spec, vip, host, redis),
        clock=host.clock,
        addresses=host.addresses,
        processes=host.processes,
        keepalived_config=host.config,
        notify_log=host.notify_log,
        system_log=host.system_log,
        memory=host.memory,
        disk=host.disk,
        dump=host.dump,
        backups=host.backups,
        scripts=host.scripts,
        redis_log=host.redis_log,
        redis_file=host.redis_file,
        run_lock=host.run_lock,
        arp=host.arp,
        aof=host.aof,
        places=host.places,
    )


def as_node(spec: DirectorSpec) -> NodeSpec:
    """A director as a node: SSH and keepalived treat it like any other host, and it has no Redis."""
    return NodeSpec(spec.name, spec.address, spec.ssh, RedisSpec(), spec.keepalived)


def assemble_director(spec: DirectorSpec, read_vip: str, host: HostReadings) -> DirectorState:
    """One director as it was last seen."""
    return DirectorState(
        name=spec.name,
        address=spec.address,
        ssh=host.identity,
        addresses=host.addresses,
        keepalived=assemble_keepalived(as_node(spec), read_vip, host, unread(ProblemKind.NOT_CONFIGURED)),
        services=host.services,
        keepalived_config=host.config,
    )


def choose_instance(config: KeepalivedConfig | None, name: str, vip: str) -> VrrpInstance | None:
    """The instance that the inventory names, else the only one, else the one that carries the virtual IP."""
    if config is None:
        return None
    if name:
        return config.instance(name)
    return config.instance(None) or next((one for one in config.instances if vip in _bare(one.virtual_addresses)), None)


def assemble_keepalived(spec: NodeSpec, vip: str, host: HostReadings, redis: Reading[Redis]) -> Reading[Keepalived]:
    """The state of keepalived from its process, the addresses and the logs, in this order. It is sent no signal."""
    processes = host.processes.value
    if processes is None:
        return Reading(None, host.processes.problem, host.processes.at)
    instance = choose_instance(host.config.value, spec.keepalived.instance, vip)
    logs = [log.value for log in (host.system_log, host.notify_log) if log.value is not None]
    running = bool(processes.keepalived)
    if running:
        started = _started(host)
        state, source = _state_of_running(host, vip, instance, _newest(logs, started))
    else:
        state, source = VrrpState.STOP, "process"
    config = host.config.value
    value = Keepalived(
        running=running,
        state=state,
        state_source=source,
        since=_since(logs, state),
        instance=instance,
        effective_priority=effective_priority(instance, redis) if running and instance else None,
        version=host.version.value,
        not_understood=config.not_understood if config else (),
    )
    return read(value, host.processes.at)


def effective_priority(instance: VrrpInstance, redis: Reading[Redis]) -> int | None:
    """The priority that keepalived should advertise now; None: not known.

    It is derived: the answer of Redis to the console stands for the result of the check script. A positive weight is
    added while the check passes. A negative weight is subtracted while it fails (keepalived.conf(5)).
    """
    if not any(script.weight for script in instance.scripts):
        return instance.priority
    passes = _check_passes(redis)
    if passes is None:
        return None
    change = sum(script.weight for script in instance.scripts if (script.weight > 0) is passes)
    return min(_HIGHEST, max(_LOWEST, instance.priority + change))


def _check_passes(redis: Reading[Redis]) -> bool | None:
    if redis.value is not None:
        return answers_ping(redis.value)
    assert redis.problem is not None
    if redis.problem.kind in (ProblemKind.REFUSED, ProblemKind.TIMEOUT, ProblemKind.CLOSED):
        return False
    return None


def _state_of_running(
    host: HostReadings, vip: str, instance: VrrpInstance | None, newest: Transition | None
) -> tuple[VrrpState, str]:
    addresses = host.addresses.value
    if addresses is not None:
        ours = {vip, *_bare(instance.virtual_addresses if instance else ())}
        if any(one.address in ours for one in addresses):
            return VrrpState.MASTER, "address"
    if newest is not None and newest.state is not VrrpState.STOP:
        return newest.state, newest.source
    if addresses is not None:
        return VrrpState.BACKUP, "address"
    return VrrpState.UNKNOWN, "address"


def _started(host: HostReadings) -> float | None:
    """When this keepalived started, on the node's clock. Log lines of an earlier process do not count."""
    assert host.processes.value is not None
    ages = [one.age for one in host.processes.value.keepalived if one.age is not None]
    clock = host.clock.value
    if not ages or clock is None:
        return None
    return host.processes.at + clock.offset - max(ages)


def _newest(logs: Sequence[LogTail], started: float | None) -> Transition | None:
    """The last transition in the logs. keepalived's own log comes first: scripts run late and in no fixed order."""
    last = [log.transitions[-1] for log in logs if log.transitions]
    if started is not None:
        last = [one for one in last if one.at is None or one.at >= started - _TOLERANCE]
    timed = [one for one in last if one.at is not None]
    if not timed:
        return last[0] if last else None
    latest = max(one.at for one in timed if one.at is not None)
    return next(one for one in timed if one.at is not None and one.at >= latest - _TOLERANCE)


def _since(logs: Sequence[LogTail], state: VrrpState) -> float | None:
    """When this state began, by the first log whose last transition leads to it."""
    for log in logs:
        began: float | None = None
        for transition in reversed(log.transitions):
            if transition.state is not state:
                break
            began = transition.at
        if began is not None:
            return began
    return None


def _bare(addresses: Sequence[str]) -> set[str]:
    return {one.partition("/")[0] for one in addresses}
