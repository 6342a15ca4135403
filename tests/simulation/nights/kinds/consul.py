"""Nights of the documented set of a master, a replica and one Sentinel. Clients find the master by a name in Consul."""

from __future__ import annotations

from collections.abc import Callable

from simulation.nights.faults import OF_CONSUL
from simulation.nights.kinds.beginnings import back_up, cut_off, pause_writes, with_unsent_writes
from simulation.nights.kinds.by_hand import (
    end_maintenance,
    monitor_anew,
    promote_newest,
    save,
    start_consul,
    start_named,
    start_newest,
    start_sentinels,
)
from simulation.nights.kinds.kind import NightKind
from simulation.world.consul import Consul
from simulation.world.host import DUMP, FOLDER, REDIS_CONF, Host
from simulation.world.sentinel import Sentinel
from simulation.world.sentinel_failover import DOWN_AFTER, FAILOVER_TIMEOUT
from simulation.world.system import CONSUL_SET
from simulation.world.world import CHECK_EVERY, World

from console.core.inventory import (
    ClusterSpec,
    ConsulSpec,
    KeepalivedSpec,
    NodeSpec,
    RedisSpec,
    SentinelSpec,
    ServiceSpec,
    SshSpec,
)
from console.lab.systems.sentinel_consul import ADDRESSES, HTTP, MASTER_NAME, SECOND, SERVICE

CAUSE = "before the night"
FAILOVER_SECONDS = DOWN_AFTER + 10.0 + CHECK_EVERY
"""Until the Sentinel has promoted the replica, and the name leads to it."""


def nodes(world: World) -> tuple[Host, Host]:
    first, second = world.hosts.values()
    return first, second


def sentinel_of(world: World) -> Sentinel:
    sentinel = world.hosts[SECOND].sentinel
    assert sentinel is not None
    return sentinel


def consul_of(world: World) -> Consul:
    assert world.consul is not None
    return world.consul


def healthy(world: World) -> None:
    """app01 is the master in the name, app02 follows it."""
    for host in nodes(world):
        host.redis.start(CAUSE)
    world.advance(world.copy_seconds + 6.0)
    sentinel_of(world).start(CAUSE)
    consul_of(world).start(CAUSE)
    world.advance(25.0)


def failed_over(world: World) -> None:
    """The Redis of app01 has died, and app02 serves."""
    healthy(world)
    nodes(world)[0].redis.kill(CAUSE)
    world.advance(FAILOVER_SECONDS + world.chance.uniform(0.0, 30.0))


def just_failing(world: World) -> None:
    """It has just died: the Sentinel is about to act."""
    healthy(world)
    nodes(world)[0].redis.kill(CAUSE)
    world.advance(world.chance.uniform(0.5, FAILOVER_SECONDS))


def lost_writes(world: World) -> None:
    """As failed over, with writes that app02 never got, and that the dump of app01 has."""
    healthy(world)
    master = nodes(world)[0]
    with_unsent_writes(world, master, lambda: master.redis.kill(CAUSE))
    world.advance(FAILOVER_SECONDS)


def second_master(world: World) -> None:
    """The Sentinel was away when somebody started app01: both are in the name, each with writes of its own."""
    failed_over(world)
    sentinel_of(world).kill(CAUSE)
    nodes(world)[0].redis.start(CAUSE)
    world.advance(world.chance.uniform(8.0, 30.0))


def started_by_hand(world: World) -> None:
    """As failed over; a colleague has just started app01, which the Sentinel will make a replica."""
    failed_over(world)
    nodes(world)[0].redis.start(CAUSE)
    world.advance(world.chance.uniform(1.0, 12.0))


def none_passing(world: World) -> None:
    """The Sentinel died first, then the master: nobody is promoted."""
    healthy(world)
    sentinel_of(world).kill(CAUSE)
    nodes(world)[0].redis.kill(CAUSE)
    world.advance(10.0)


def host_gone(world: World) -> None:
    """The host of app01 has died, and the agent with it. It comes back later, with its services or without."""
    healthy(world)
    host = nodes(world)[0]
    host.starts_at_boot = world.chance.random() < 0.5
    host.reboot(world.chance.uniform(10.0, 60.0))
    world.advance(FAILOVER_SECONDS + world.chance.uniform(0.0, 20.0))


def replica_down(world: World) -> None:
    """The Redis of app02 has died. Its configuration file makes it a replica, or a colleague has taken the line out."""
    healthy(world)
    host = nodes(world)[1]
    host.redis.kill(CAUSE)
    if world.chance.random() < 0.5:
        host.files[REDIS_CONF] = b"".join(
            line for line in host.files[REDIS_CONF].splitlines(keepends=True) if b"slaveof" not in line
        )
    world.advance(12.0)


def parted(world: World) -> None:
    """The hosts do not hear each other: app02 is promoted, and the agent leads to app01 alone."""
    healthy(world)
    cut_off(world, world.chance.choice(CONSUL_HOSTS), FAILOVER_SECONDS + 5.0, lambda: world.chance.uniform(1.0, 12.0))


def paused(world: World) -> None:
    """A run was given up: the writes of the master are still paused."""
    healthy(world)
    pause_writes(world, nodes(world)[0])


def held(world: World) -> None:
    """As failed over. An earlier run was given up: app01 is in maintenance, or the node that serves is."""
    failed_over(world)
    consul = consul_of(world)
    host = world.chance.choice(nodes(world))
    consul.maintain(consul.services[host.name].service_id, "redis-ha-console an-earlier-run", CAUSE)
    world.advance(5.0)


def consul_down(world: World) -> None:
    """The agent does not run: clients go on with the connections that they have."""
    healthy(world)
    consul_of(world).kill(CAUSE)
    if world.chance.random() < 0.5:
        nodes(world)[0].redis.kill(CAUSE)
    world.advance(FAILOVER_SECONDS)


def sentinel_down(world: World) -> None:
    """The only Sentinel does not run."""
    healthy(world)
    sentinel_of(world).kill(CAUSE)
    world.advance(10.0)


def nothing_runs(world: World) -> None:
    """Every Redis is down, the master last; Sentinel and agent run."""
    healthy(world)
    for host in reversed(nodes(world)):
        host.redis.stop()
        world.advance(3.0)
    world.advance(10.0)


def has_backups(world: World) -> None:
    """As failed over; both nodes have backups of an earlier time."""
    healthy(world)
    back_up(world, nodes(world))
    nodes(world)[0].redis.kill(CAUSE)
    world.advance(FAILOVER_SECONDS + 5.0)


CONSUL_HOSTS = tuple(ADDRESSES)
SCENARIOS: dict[str, Callable[[World], None]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        healthy, failed_over, just_failing, lost_writes, second_master, started_by_hand, none_passing, host_gone,
        replica_down, parted, paused, held, consul_down, sentinel_down, nothing_runs, has_backups,
    )
}  # fmt: skip
RETURN, RESTORE = "consul-return-old-master", "consul-restore-backup"
FITTING = {
    **dict.fromkeys(SCENARIOS, (RETURN,)),
    "healthy": (RESTORE, RETURN),
    "paused": ("consul-resume-writes",),
    "held": (RETURN, RETURN, RESTORE),
    "has-backups": (RESTORE, RESTORE, RETURN),
}


def _node(name: str) -> NodeSpec:
    redis = RedisSpec(dir=FOLDER, dbfilename=DUMP.rpartition("/")[2], config=REDIS_CONF)
    return NodeSpec(name, ADDRESSES[name], SshSpec(user="ops"), redis, KeepalivedSpec())


def _until_failover(world: World) -> float:
    """After a failover the Sentinel begins none within twice its timeout, and the name follows the check."""
    return 40.0 + CHECK_EVERY + max(0.0, sentinel_of(world).failover.began + 2 * FAILOVER_TIMEOUT - world.now)


KIND = NightKind(
    name=CONSUL_SET.kind,
    system=CONSUL_SET,
    cluster=ClusterSpec(
        "cache",
        CONSUL_SET.kind,
        "",
        tuple(map(_node, ADDRESSES)),
        master_name=MASTER_NAME,
        sentinels=(
            SentinelSpec("sentinel", ADDRESSES[SECOND], service=ServiceSpec(systemd="redis-sentinel"), host=SECOND),
        ),
        consul=ConsulSpec(HTTP, SERVICE, dns=f"{HTTP.removeprefix('http://').partition(':')[0]}:8600"),
    ),
    scenarios=SCENARIOS,
    fitting=FITTING,
    faults=OF_CONSUL,
    protected="set-protected",
    otherwise=RETURN,
    hand_work={
        "no-master": lambda world, hosts: any(
            act(world, list(world.hosts.values())) for act in (start_sentinels, start_newest, promote_newest)
        ),
        "redis-down": start_newest,
        "redis-misconf": save,
        "sentinel-wrong-master": monitor_anew,
        "sentinel-unreachable": start_sentinels,
        "consul-unreachable": start_consul,
        "consul-none-passing": lambda world, hosts: any(
            act(world, list(world.hosts.values()))
            for act in (end_maintenance, start_sentinels, start_named, start_newest)
        ),
        "consul-disagrees": end_maintenance,
    },
    failover_seconds=_until_failover,
)
