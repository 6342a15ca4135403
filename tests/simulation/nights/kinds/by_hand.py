"""What a calm operator does by hand where a finding advises it and no runbook leads on: those words, and no more."""

from __future__ import annotations

from simulation.world.host import Host
from simulation.world.world import World

CAUSE = "by hand"


def promote_newest(world: World, nodes: list[Host]) -> bool:
    """`promote the replica with the newest data, or start its master again`."""
    replicas = [one for one in nodes if one.redis.answers and one.redis.link.master]
    if not replicas:
        return False
    newest = max(replicas, key=lambda one: one.redis.process.offset if one.redis.process else 0)
    newest.redis.replicaof("", CAUSE)
    return True


def promote_both(world: World, nodes: list[Host]) -> bool:
    """`send SLAVEOF NO ONE to both, first to the one without the virtual IP`."""
    ours = [one for one in world.hosts.values() if one.redis.answers and one.redis.link.master]
    for one in sorted(ours, key=lambda host: host.vip):
        one.redis.replicaof("", CAUSE)
    return bool(ours)


def start_newest(world: World, nodes: list[Host]) -> bool:
    """`start the Redis that holds the newest data first`."""
    down = [one for one in world.hosts.values() if one.up and one.redis.process is None]
    newest = max(down, key=lambda one: one.redis.saved_at, default=None)
    if newest is None or len(down) < len(world.hosts):
        return False
    newest.redis.start(CAUSE)
    return True


def start_redis(world: World, nodes: list[Host]) -> bool:
    """`start Redis on NODE if it holds the newest data`."""
    down = [one for one in nodes if one.up and one.redis.process is None]
    for one in down:
        one.redis.start(CAUSE)
    return bool(down)


def monitor_anew(world: World, nodes: list[Host]) -> bool:
    """`on SENTINEL: SENTINEL REMOVE …, then SENTINEL MONITOR …`, where it keeps another master than the only one."""
    masters = [one for one in world.hosts.values() if one.redis.answers and not one.redis.link.master]
    odd = [one.sentinel for one in nodes if one.sentinel is not None and one.sentinel.answers]
    odd = [one for one in odd if len(masters) == 1 and one.config.master != masters[0].address]
    for one in odd:
        one.monitor(masters[0].address)
    return bool(odd)


def save(world: World, nodes: list[Host]) -> bool:
    """`then BGSAVE`, where the disk has room again."""
    failed = [one for one in nodes if one.redis.answers and one.redis.process and not one.redis.process.save_ok]
    for one in failed:
        one.redis.begin_save()
    return bool(failed)


def start_sentinels(world: World, nodes: list[Host]) -> bool:
    """`start the Sentinels that are down`."""
    down = [one.sentinel for one in nodes if one.up and one.sentinel is not None and not one.sentinel.running]
    for one in down:
        one.start(CAUSE)
    return bool(down)


def start_alone(world: World, nodes: list[Host]) -> bool:
    """`stop Redis and keepalived of the other node …`: where a script would follow it."""
    hosts = [one for one in world.hosts.values() if one.up]
    masters = [one for one in hosts if one.redis.answers and not one.redis.link.master]
    if not hosts or any(one.keepalived.running for one in masters):
        return False
    newest = max(hosts, key=lambda one: (_newest_write(one), one in masters))
    for one in hosts:
        if one is not newest:
            one.keepalived.stop(CAUSE)
            one.redis.stop()
    newest.redis.start(CAUSE)
    world.advance(2.0)
    newest.keepalived.start(CAUSE)
    return True


def _newest_write(host: Host) -> int:
    process, kept = host.redis.process, host.redis.append_only.aof or host.redis.dump
    return max(process.keys if process is not None else kept.keys if kept is not None else (), default=0)


def start_named(world: World, nodes: list[Host]) -> bool:
    """`no Redis runs: start the one with the newest data first; the Sentinels name NODE`."""
    sentinels = [one.sentinel for one in world.hosts.values() if one.sentinel is not None and one.sentinel.answers]
    named = world.server_at(sentinels[0].config.master) if sentinels else None
    if named is None or not named.host.up or any(one.redis.process for one in world.hosts.values()):
        return False
    named.start(CAUSE)
    return True


def start_consul(world: World, nodes: list[Host]) -> bool:
    """`see whether the Consul agent runs there`."""
    if world.consul is None or world.consul.answers or not world.consul.host.up:
        return False
    world.consul.start(CAUSE)
    return True


def end_maintenance(world: World, nodes: list[Host]) -> bool:
    """`consul maint -disable -service=…` for the master."""
    consul = world.consul
    masters = [one for one in world.hosts.values() if one.redis.answers and not one.redis.link.master]
    if consul is None or not consul.answers or len(masters) != 1:
        return False
    service = consul.services[masters[0].name]
    return bool(service.maintenance) and consul.maintain(service.service_id, "", CAUSE)
