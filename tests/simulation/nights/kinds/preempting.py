"""Nights of the pair whose scripts change roles by fixed sleeps, and whose check starts Redis again.

redis-a has the role whenever it can. What its scripts lose by themselves is the system's own: the console answers for
what it sends, and for what it says.
"""

from __future__ import annotations

from collections.abc import Callable

from simulation.nights.faults import OF_SCRIPTS
from simulation.nights.kinds.beginnings import back_up, cut_off, pause_writes, with_unsent_writes
from simulation.nights.kinds.by_hand import promote_newest, save, start_alone
from simulation.nights.kinds.kind import NightKind
from simulation.world.host import DUMP, FOLDER, KEEPALIVED_CONF, REDIS_CONF, Host
from simulation.world.system import PREEMPTING
from simulation.world.world import World

from console.core.inventory import ClusterSpec, KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.lab.systems.preempting_pair import INSTANCE

CAUSE = "before the night"
SLEEPS = (2.0, 5.0, 10.0)
"""Seconds. The documented one is 10. Everything else keeps its proportion to it."""

SLOW_COPY = 12.1
"""Seconds. Where so much is copied, a check often meets the Redis that loads it, and starts it again."""


def nodes(world: World) -> tuple[Host, Host]:
    return world.hosts["redis-a"], world.hosts["redis-b"]


def scripts_end(world: World) -> None:
    """Until the longest script has slept, and the sync that it began has ended."""
    world.advance(1.5 * world.notify_sleep + world.copy_seconds + 6.0)


def stop(host: Host) -> None:
    """Redis and keepalived, as when a host stops: the scripts end, too."""
    host.keepalived.scripts.clear()
    host.redis.stop()
    host.keepalived.stop(CAUSE)
    host.keepalived.scripts.clear()


def _start(host: Host) -> None:
    """Redis has loaded before keepalived starts: a check restarts one that loads."""
    host.redis.start(CAUSE)
    host.world.advance(2.0)
    host.keepalived.start(CAUSE)


def healthy(world: World) -> None:
    """redis-a is the master behind the virtual IP, redis-b follows it."""
    a, b = nodes(world)
    _start(a)
    world.advance(8.0)
    _start(b)
    scripts_end(world)
    if not b.redis.link.up:  # a check met it while it loaded its copy, and started it again as a master
        b.redis.replicaof(a.address, CAUSE)
        world.advance(world.copy_seconds + 5.0)


def failed(world: World) -> None:
    """Redis and keepalived of redis-a were stopped; redis-b serves."""
    healthy(world)
    stop(nodes(world)[0])
    world.advance(8.0 + world.notify_sleep + world.chance.uniform(0.0, 20.0))


def host_gone(world: World) -> None:
    """The host of redis-a has died with its last writes, and comes back later, with its services or without."""
    healthy(world)
    a = nodes(world)[0]
    a.starts_at_boot = world.chance.random() < 0.3
    a.reboot(world.chance.uniform(10.0, 60.0))
    world.advance(8.0 + world.notify_sleep)


def lost_writes(world: World) -> None:
    """As when its host dies, with writes that never reached redis-b, and that the dump of redis-a has."""
    healthy(world)
    a = nodes(world)[0]
    a.starts_at_boot = False
    with_unsent_writes(world, a, lambda: a.reboot(5.0))
    world.advance(12.0 + world.notify_sleep)


def race(world: World) -> None:
    """As failed, and somebody has just started redis-a: it takes the address, and the scripts of both sleep."""
    failed(world)
    _start(nodes(world)[0])
    world.advance(world.chance.uniform(0.5, 1.6 * world.notify_sleep))


def second(world: World) -> None:
    """redis-a came back, took writes, and was stopped again before redis-b had begun to follow."""
    failed(world)
    a, b = nodes(world)
    _start(a)
    world.advance(1.3 * world.notify_sleep + 2.0)
    b.keepalived.scripts.clear()
    stop(a)
    world.advance(10.0 + world.notify_sleep)


def loop(world: World) -> None:
    """keepalived of the master was restarted, both scripts made their Redis follow, and were ended."""
    healthy(world)
    a, b = nodes(world)
    a.keepalived.stop(CAUSE)
    world.advance(0.5)
    a.keepalived.start(CAUSE)
    for _ in range(20):
        world.advance(0.5)
        if a.redis.link.master and b.redis.link.master:
            break
    for host in (a, b):
        host.keepalived.scripts.clear()
    world.advance(5.0)


def crashed(world: World) -> None:
    """Redis of one of them has crashed: its check starts it again, with the data of its last save."""
    healthy(world)
    host = world.chance.choice(nodes(world))
    if world.chance.random() < 0.5:
        host.redis.begin_save()
        world.advance(world.chance.uniform(3.0, 15.0))
    host.redis.kill(CAUSE)
    world.advance(world.chance.uniform(1.0, 15.0))


def dual_master(world: World) -> None:
    """As failed; redis-a was started without its keepalived, and nobody has made it follow."""
    failed(world)
    nodes(world)[0].redis.start(CAUSE)
    world.advance(5.0)


def parted(world: World) -> None:
    """The hosts do not hear each other: both hold the virtual IP."""
    healthy(world)
    cut_off(
        world, "redis-a", 10.0 + 1.5 * world.notify_sleep, lambda: world.chance.uniform(1.0, 2.0 * world.notify_sleep)
    )


def nothing_runs(world: World) -> None:
    """Both hosts came up, and nothing is started; the dumps are of different times."""
    failed(world)
    stop(nodes(world)[1])
    world.advance(5.0)


def no_vip(world: World) -> None:
    """Both Redis run, and no keepalived does."""
    healthy(world)
    for host in nodes(world):
        host.keepalived.stop(CAUSE)
        host.keepalived.scripts.clear()
    world.advance(5.0)


def paused(world: World) -> None:
    """A switchover was given up: the writes of the master are still paused."""
    healthy(world)
    pause_writes(world, nodes(world)[0])


def has_backups(world: World) -> None:
    """As failed; both nodes have backups of an earlier time."""
    healthy(world)
    back_up(world, nodes(world))
    stop(nodes(world)[world.chance.choice((0, 0, 1))])
    world.advance(10.0 + world.notify_sleep)


SCENARIOS: dict[str, Callable[[World], None]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        healthy, failed, host_gone, lost_writes, race, second, loop, crashed, dual_master, parted, nothing_runs, no_vip,
        paused, has_backups,
    )
}  # fmt: skip
RETURN = "safe-return"
FITTING = {
    "healthy": ("planned-switchover", "planned-switchover", "restore-backup"),
    "failed": (RETURN, RETURN, "one-shot-rebuild"),
    "host-gone": (RETURN,),
    "lost-writes": (RETURN, RETURN, "recover-from-rdb"),
    "race": (RETURN, "resolve-dual-master"),
    "second": (RETURN,),
    "loop": ("break-replication-loop",),
    "crashed": (RETURN, "resolve-dual-master"),
    "dual-master": ("resolve-dual-master", RETURN),
    "parted": ("resolve-dual-master", "repair-vip"),
    "nothing-runs": ("initial-build", RETURN),
    "no-vip": ("initial-build", RETURN, "repair-vip"),
    "paused": ("resume-writes",),
    "has-backups": (RETURN, "restore-backup", "restore-backup"),
}


def _node(name: str) -> NodeSpec:
    redis = RedisSpec(dir=FOLDER, dbfilename=DUMP.rpartition("/")[2], config=REDIS_CONF)
    keepalived = KeepalivedSpec(config=KEEPALIVED_CONF, instance=INSTANCE, state_log=PREEMPTING.state_log)
    return NodeSpec(name, PREEMPTING.addresses[name], SshSpec(user="ops"), redis, keepalived)


def _host_is_lost(host: Host) -> None:
    """The crash of a Redis alone is no failure there: the check starts it again, with the data of its last save."""
    host.starts_at_boot = False
    host.reboot(3600.0)


KIND = NightKind(
    name="preempting-pair",
    system=PREEMPTING,
    cluster=ClusterSpec("cache", PREEMPTING.kind, PREEMPTING.vip, tuple(map(_node, PREEMPTING.addresses))),
    scenarios=SCENARIOS,
    fitting=FITTING,
    faults=OF_SCRIPTS,
    protected="pair-protected",
    otherwise=RETURN,
    hand_work={
        "no-master": lambda world, hosts: start_alone(world, hosts) or promote_newest(world, hosts),
        "vip-missing": start_alone,
        "vrrp-state-disagrees": start_alone,
        "keepalived-down": start_alone,
        "vip-on-dead-redis": start_alone,
        "vip-on-replica": promote_newest,
        "mutual-replication": promote_newest,
        "redis-misconf": save,
    },
    failover_seconds=lambda world: 12.0 + world.notify_sleep,
    notify_sleeps=SLEEPS,
    copy_seconds=(1.1, 4.1, SLOW_COPY),
    load_seconds=lambda copy: 1.0 if copy == SLOW_COPY else 0.3,
    next_failure=_host_is_lost,
)
