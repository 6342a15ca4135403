"""Nights of the documented pair. Each state is reached as servers reach it: by what happened before."""

from __future__ import annotations

from collections.abc import Callable

from simulation.nights.faults import OF_KEEPALIVED
from simulation.nights.kinds.beginnings import back_up, cut_off, pause_writes, with_unsent_writes
from simulation.nights.kinds.by_hand import promote_both, promote_newest, save, start_redis
from simulation.nights.kinds.kind import NightKind
from simulation.world.host import FOLDER, KEEPALIVED_CONF, REDIS_CONF, Host
from simulation.world.system import PAIR
from simulation.world.world import World

from console.core.inventory import ClusterSpec, KeepalivedSpec, NodeSpec, RedisSpec, SshSpec

CAUSE = "before the night"
SLOW_COPY = 10.0
"""Seconds."""


def nodes(world: World) -> tuple[Host, Host]:
    return world.hosts["redis-a"], world.hosts["redis-b"]


def healthy(world: World) -> None:
    """redis-b is the master behind the virtual IP, redis-a follows it."""
    a, b = nodes(world)
    b.redis.start(CAUSE)
    a.redis.start(CAUSE)
    world.advance(2.0)
    a.redis.replicaof(b.address, CAUSE)
    world.advance(world.copy_seconds + 4.0)
    b.keepalived.start(CAUSE)
    world.advance(6.0 + 4.0 + _sleep(world))
    a.keepalived.start(CAUSE)
    world.advance(20.0)


def failed_over(world: World) -> None:
    """redis-b's Redis has died; redis-a serves."""
    healthy(world)
    nodes(world)[1].redis.kill(CAUSE)
    world.advance(10.0 + _sleep(world) + world.chance.uniform(0.0, 20.0))


def just_failing(world: World) -> None:
    """redis-b's Redis has just died: nothing has moved yet."""
    healthy(world)
    nodes(world)[1].redis.kill(CAUSE)
    world.advance(world.chance.uniform(0.5, 6.0))


def lost_writes(world: World) -> None:
    """As failed over, with writes that never reached redis-a, and that the dump of redis-b has."""
    healthy(world)
    b = nodes(world)[1]
    with_unsent_writes(world, b, lambda: b.redis.kill(CAUSE))
    world.advance(10.0 + _sleep(world))


def stale_master_back(world: World) -> None:
    """redis-b came back as a master of its own, its keepalived off."""
    failed_over(world)
    b = nodes(world)[1]
    b.keepalived.stop(CAUSE)
    b.redis.start(CAUSE)
    world.advance(5.0)


def dual_master(world: World) -> None:
    """redis-b came back with its keepalived on: it took the virtual IP, and both are masters with writes."""
    failed_over(world)
    nodes(world)[1].redis.start(CAUSE)
    world.advance(20.0 + _sleep(world))


def parted(world: World) -> None:
    """The hosts do not hear each other: both hold the virtual IP."""
    healthy(world)
    cut_off(world, "redis-a", 15.0 + _sleep(world), lambda: 5.0)


def loop(world: World) -> None:
    """Both follow each other."""
    healthy(world)
    a, b = nodes(world)
    b.redis.replicaof(a.address, CAUSE)
    world.advance(5.0)


def nothing_runs(world: World) -> None:
    """Both hosts came up, and nothing is started; the dumps are of different times."""
    failed_over(world)
    for host in nodes(world):
        host.keepalived.stop(CAUSE)
        host.redis.stop()
    world.advance(5.0)


def fresh(world: World) -> None:
    """Nothing was ever started; one dump or two."""
    if world.chance.random() < 0.5:
        redis = nodes(world)[0].redis
        redis.dump = redis.append_only.aof = None
    world.advance(1.0)


def no_vip(world: World) -> None:
    """Both Redis run, and no keepalived does."""
    healthy(world)
    for host in nodes(world):
        host.keepalived.stop(CAUSE)
    world.advance(5.0)


def left_address(world: World) -> None:
    """The keepalived of the old master was killed: its address stayed, and redis-a took the address, too."""
    healthy(world)
    b = nodes(world)[1]
    b.keepalived.die("killed")
    world.advance(10.0 + _sleep(world))


def paused(world: World) -> None:
    """A switchover was given up: the writes of the master are still paused."""
    healthy(world)
    pause_writes(world, nodes(world)[1])


def old_line(world: World) -> None:
    """As failed over, and a line in redis.conf makes the old master follow the new one at its start."""
    failed_over(world)
    a, b = nodes(world)
    b.files[REDIS_CONF] += f"replicaof {a.address} 6379\n".encode()


def has_backups(world: World) -> None:
    """Both nodes have backups of an earlier time. The master has died; in nights with slow copies it is the replica."""
    healthy(world)
    back_up(world, nodes(world))
    dead = nodes(world)[0 if world.copy_seconds > SLOW_COPY else 1]
    dead.redis.kill(CAUSE)
    world.advance(10.0 + _sleep(world))


def _sleep(world: World) -> float:
    return world.notify_sleep


SCENARIOS: dict[str, Callable[[World], None]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        healthy, failed_over, just_failing, lost_writes, stale_master_back, dual_master, parted, loop, nothing_runs,
        fresh, no_vip, left_address, paused, old_line, has_backups,
    )
}  # fmt: skip
REBUILDS = ("one-shot-rebuild", "safe-return", "recover-from-rdb")
FITTING = {
    "healthy": ("planned-switchover", "planned-switchover", "restore-backup"),
    "failed-over": REBUILDS,
    "just-failing": REBUILDS,
    "lost-writes": REBUILDS,
    "stale-master-back": (*REBUILDS, "resolve-dual-master"),
    "dual-master": ("resolve-dual-master",),
    "parted": ("resolve-dual-master", "repair-vip"),
    "loop": ("break-replication-loop",),
    "nothing-runs": ("initial-build", "one-shot-rebuild"),
    "fresh": ("initial-build",),
    "no-vip": ("initial-build", "one-shot-rebuild", "repair-vip"),
    "left-address": ("repair-vip", "resolve-dual-master"),
    "paused": ("resume-writes",),
    "old-line": REBUILDS,
    "has-backups": (*REBUILDS, "restore-backup"),
}


def _node(name: str) -> NodeSpec:
    redis = RedisSpec(dir=FOLDER, dbfilename="dump6379.rdb", config=REDIS_CONF)
    return NodeSpec(name, PAIR.addresses[name], SshSpec(user="ops"), redis, KeepalivedSpec(config=KEEPALIVED_CONF))


def _end_loop_or_promote(world: World, hosts: list[Host]) -> bool:
    a, b = nodes(world)
    looped = a.redis.link.master == b.address and b.redis.link.master == a.address
    return (promote_both if looped else promote_newest)(world, hosts)


KIND = NightKind(
    name=PAIR.kind,
    system=PAIR,
    cluster=ClusterSpec("cache", PAIR.kind, PAIR.vip, tuple(map(_node, PAIR.addresses))),
    scenarios=SCENARIOS,
    fitting=FITTING,
    faults=OF_KEEPALIVED,
    protected="pair-protected",
    otherwise="one-shot-rebuild",
    hand_work={
        "no-master": _end_loop_or_promote,
        "vip-on-dead-redis": start_redis,
        "vip-on-replica": _end_loop_or_promote,
        "mutual-replication": promote_both,
        "redis-misconf": save,
    },
    failover_seconds=lambda _: 20.0,
)
