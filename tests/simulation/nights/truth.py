"""What the model knows about a finding: whether the sentence that it states is true of these nodes now.

Only codes whose sentence is about the state of servers are in the table. A finding that says that something may be, or
that reads a text of a file, is not judged.
"""

from __future__ import annotations

from collections.abc import Callable

from simulation.world.host import Host
from simulation.world.pair import World

Truth = Callable[[World, list[Host]], bool]


def _runs(host: Host) -> bool:
    return host.redis.process is not None


def _master(host: Host) -> bool:
    return _runs(host) and not host.redis.link.master


def _replica(host: Host) -> bool:
    return _runs(host) and bool(host.redis.link.master)


def _loads(host: Host) -> bool:
    return host.redis.process is not None and host.redis.process.loading


def _mute(world: World, host: Host) -> bool:
    """It gives the console no answer. Whether clients get one is not to be seen from there."""
    return not host.redis.answers or host.name in world.network.silent_redis


def _empty(host: Host) -> bool:
    return host.redis.process is not None and not host.redis.process.keys


def _failed_save(host: Host) -> bool:
    return host.redis.process is not None and not host.redis.process.save_ok


def _mutual(world: World, nodes: list[Host]) -> bool:
    one, other = world.hosts.values()
    return one.redis.link.master == other.address and other.redis.link.master == one.address


TRUTHS: dict[str, Truth] = {
    "redis-down": lambda _, nodes: not any(map(_runs, nodes)),
    "redis-hung": lambda world, nodes: all(_runs(one) and _mute(world, one) for one in nodes),
    "redis-loading": lambda _, nodes: all(map(_loads, nodes)),
    "redis-misconf": lambda _, nodes: all(map(_failed_save, nodes)),
    "clock-skew": lambda _, nodes: all(abs(one.clock_ahead) > 2.0 for one in nodes),
    "vip-duplicate": lambda _, nodes: len(nodes) > 1 and all(one.vip for one in nodes),
    "vip-missing": lambda world, _: not any(one.vip for one in world.hosts.values()),
    "vip-on-dead-redis": lambda world, nodes: all(one.vip and _mute(world, one) for one in nodes),
    "vip-on-replica": lambda _, nodes: all(one.vip and _replica(one) for one in nodes),
    "mutual-replication": _mutual,
    "no-master": lambda world, _: not any(map(_master, world.hosts.values())),
    "dual-master": lambda world, _: all(map(_master, world.hosts.values())),
    "empty-master": lambda _, nodes: all(_master(one) and _empty(one) for one in nodes),
    "replica-syncing": lambda _, nodes: all(one.redis.link.state in ("transfer", "load") for one in nodes),
    "replica-link-down": lambda _, nodes: all(_replica(one) and not one.redis.link.up for one in nodes),
    "keepalived-down": lambda _, nodes: not any(one.keepalived.running for one in nodes),
}
