"""What the model knows about a finding: whether the sentence that it states is true of these nodes now.

Only codes whose sentence is about the state of servers are in the table. A finding that says that something may be, or
that reads a text of a file, is not judged.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from simulation.world.host import Host
from simulation.world.world import World

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
    return host.redis.disk_error


def _mutual(world: World, nodes: list[Host]) -> bool:
    return any(
        one.redis.link.master == other.address and other.redis.link.master == one.address
        for one, other in combinations(world.hosts.values(), 2)
    )


def _several_masters(world: World, nodes: list[Host]) -> bool:
    """Of a finding that names all nodes, or those that are masters."""
    return sum(map(_master, nodes)) > 1 or sum(map(_master, world.hosts.values())) > 1


def _sentinel_answers(host: Host) -> bool:
    silent = host.name in host.world.network.silent_redis
    return host.sentinel is not None and host.sentinel.answers and not silent


def _named(world: World) -> set[str]:
    return {one.sentinel.config.master for one in world.hosts.values() if one.sentinel and one.sentinel.answers}


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
    "dual-master": _several_masters,
    "empty-master": lambda _, nodes: all(_master(one) and _empty(one) for one in nodes),
    "replica-syncing": lambda _, nodes: all(one.redis.link.state in ("transfer", "load") for one in nodes),
    "replica-link-down": lambda _, nodes: all(_replica(one) and not one.redis.link.up for one in nodes),
    "sentinel-unreachable": lambda _, nodes: not any(map(_sentinel_answers, nodes)),
    "sentinel-tilt": lambda _, nodes: all(one.sentinel is not None and one.sentinel.tilt for one in nodes),
    "sentinel-disagree": lambda world, _: len(_named(world)) > 1,
    "sentinel-failover-in-progress": lambda _, nodes: all(
        one.sentinel is not None and one.sentinel.failover.state != "none" for one in nodes
    ),
    "keepalived-down": lambda _, nodes: not any(one.keepalived.running for one in nodes),
}
