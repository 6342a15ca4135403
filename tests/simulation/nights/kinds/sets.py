"""Nights of the documented set under three Sentinels, whose script moves the write VIP. Without its directors."""

from __future__ import annotations

from collections.abc import Callable

from simulation.nights.faults import OF_SENTINELS
from simulation.nights.kinds.beginnings import back_up, cut_off, pause_writes, with_unsent_writes
from simulation.nights.kinds.by_hand import monitor_anew, promote_newest, save, start_newest, start_sentinels
from simulation.nights.kinds.kind import NightKind
from simulation.world.host import DUMP, FOLDER, REDIS_CONF, Host
from simulation.world.sentinel_failover import DOWN_AFTER, FAILOVER_TIMEOUT
from simulation.world.system import SENTINEL_SET
from simulation.world.world import World

from console.core.inventory import ClusterSpec, KeepalivedSpec, NodeSpec, RedisSpec, SentinelSpec, ServiceSpec, SshSpec
from console.lab.systems.sentinel_vip import MASTER_NAME

CAUSE = "before the night"
FAILOVER_SECONDS = DOWN_AFTER + 10.0
"""Until the Sentinels have promoted a replica and their scripts have run."""


def nodes(world: World) -> tuple[Host, Host, Host]:
    one, two, three = world.hosts.values()
    return one, two, three


def healthy(world: World) -> None:
    """web-1 is the master behind the write VIP; the others follow it."""
    for host in nodes(world):
        host.redis.start(CAUSE)
    nodes(world)[0].vip = True
    world.network.announce(nodes(world)[0])
    world.advance(world.copy_seconds + 6.0)
    for host in nodes(world):
        sentinel = host.sentinel
        assert sentinel is not None
        sentinel.start(CAUSE)
    world.advance(25.0)


def failed_over(world: World) -> None:
    """The Redis of web-1 has died, and another node serves."""
    healthy(world)
    nodes(world)[0].redis.kill(CAUSE)
    world.advance(FAILOVER_SECONDS + world.chance.uniform(0.0, 30.0))


def just_failing(world: World) -> None:
    """It has just died: the Sentinels are about to act."""
    healthy(world)
    nodes(world)[0].redis.kill(CAUSE)
    world.advance(world.chance.uniform(0.5, FAILOVER_SECONDS))


def lost_writes(world: World) -> None:
    """As failed over, with writes that no replica has, and that the dump of web-1 has."""
    healthy(world)
    master = nodes(world)[0]
    with_unsent_writes(world, master, lambda: master.redis.kill(CAUSE))
    world.advance(FAILOVER_SECONDS)


def address_kept(world: World) -> None:
    """Its Sentinel died with it: no script has taken the address off web-1."""
    healthy(world)
    host = nodes(world)[0]
    assert host.sentinel is not None
    host.redis.kill(CAUSE)
    host.sentinel.kill(CAUSE)
    world.advance(FAILOVER_SECONDS + 5.0)


def started_by_hand(world: World) -> None:
    """As failed over or with its address kept; a colleague has just started web-1 as a master."""
    world.chance.choice((failed_over, address_kept))(world)
    nodes(world)[0].redis.start(CAUSE)
    world.advance(world.chance.uniform(1.0, 12.0))


def parted(world: World) -> None:
    """web-1 is cut off from the others and still serves: a second master is promoted beside it."""
    healthy(world)
    cut_off(world, "web-1", FAILOVER_SECONDS + 5.0, lambda: 3.0)


def host_gone(world: World) -> None:
    """The whole host of the master is gone, and comes back in the night."""
    healthy(world)
    nodes(world)[0].starts_at_boot = world.chance.random() < 0.5
    nodes(world)[0].reboot(FAILOVER_SECONDS + world.chance.uniform(10.0, 60.0))
    world.advance(FAILOVER_SECONDS + world.chance.uniform(0.0, 40.0))


def replica_down(world: World) -> None:
    healthy(world)
    nodes(world)[2].redis.kill(CAUSE)
    world.advance(20.0)


def replica_elsewhere(world: World) -> None:
    """A replica was told to follow another replica: the Sentinels put that right after a while."""
    healthy(world)
    nodes(world)[2].redis.replicaof(nodes(world)[1].address, CAUSE)
    world.advance(5.0)


def no_vip(world: World) -> None:
    """The script did not set the address: no node has it."""
    healthy(world)
    nodes(world)[0].vip = False
    world.advance(40.0)


def vip_on_two(world: World) -> None:
    """A replica has the address, too."""
    healthy(world)
    nodes(world)[1].vip = True
    world.network.announce(nodes(world)[1])
    world.advance(5.0)


def vip_elsewhere(world: World) -> None:
    """A replica has the address instead of the master."""
    vip_on_two(world)
    nodes(world)[0].vip = False
    world.advance(5.0)


def paused(world: World) -> None:
    """A switchover was given up: the writes of the master are still paused."""
    healthy(world)
    pause_writes(world, nodes(world)[0])


def sentinels_down(world: World) -> None:
    """One or two of the Sentinels do not run."""
    healthy(world)
    for host in world.chance.sample(nodes(world), world.chance.choice((1, 2))):
        assert host.sentinel is not None
        host.sentinel.kill(CAUSE)
    world.advance(15.0)


def nothing_runs(world: World) -> None:
    """Every Redis is down, the master last; the Sentinels run."""
    healthy(world)
    for host in reversed(nodes(world)):
        host.redis.stop()
        world.advance(3.0)
    world.advance(10.0)


def has_backups(world: World) -> None:
    """As failed over; two nodes have backups of an earlier time."""
    healthy(world)
    back_up(world, nodes(world)[:2])
    nodes(world)[0].redis.kill(CAUSE)
    world.advance(FAILOVER_SECONDS + 5.0)


SCENARIOS: dict[str, Callable[[World], None]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        healthy, failed_over, just_failing, lost_writes, address_kept, started_by_hand, parted, host_gone, replica_down,
        replica_elsewhere, no_vip, vip_on_two, vip_elsewhere, paused, sentinels_down, nothing_runs, has_backups,
    )
}  # fmt: skip
RETURN, REPAIR = "sentinel-return-old-master", "sentinel-repair-write-vip"
FITTING = {
    "healthy": ("sentinel-switchover", "sentinel-switchover", "sentinel-restore-backup"),
    "failed-over": (RETURN,),
    "just-failing": (RETURN,),
    "lost-writes": (RETURN,),
    "address-kept": (RETURN, RETURN, REPAIR),
    "started-by-hand": (RETURN,),
    "parted": (RETURN, REPAIR),
    "host-gone": (RETURN,),
    "replica-down": (RETURN, "sentinel-switchover"),
    "replica-elsewhere": (RETURN, "sentinel-switchover"),
    "no-vip": (REPAIR,),
    "vip-on-two": (REPAIR,),
    "vip-elsewhere": (REPAIR,),
    "paused": ("sentinel-resume-writes", "sentinel-switchover"),
    "sentinels-down": (RETURN, "sentinel-switchover"),
    "nothing-runs": (RETURN,),
    "has-backups": ("sentinel-restore-backup", "sentinel-restore-backup", RETURN),
}


def _node(name: str) -> NodeSpec:
    redis = RedisSpec(dir=FOLDER, dbfilename=DUMP.rpartition("/")[2], config=REDIS_CONF)
    return NodeSpec(name, SENTINEL_SET.addresses[name], SshSpec(user="ops"), redis, KeepalivedSpec())


def _sentinel(name: str, host: str) -> SentinelSpec:
    service = ServiceSpec(systemd="redis-sentinel")
    return SentinelSpec(name, SENTINEL_SET.addresses[host], service=service, host=host)


def _until_failover(world: World) -> float:
    """After a failover the Sentinels begin none within twice its timeout (sentinelStartFailoverIfNeeded)."""
    began = max(one.sentinel.failover.began for one in nodes(world) if one.sentinel is not None)
    return 40.0 + max(0.0, began + 2 * FAILOVER_TIMEOUT - world.now)


KIND = NightKind(
    name=SENTINEL_SET.kind,
    system=SENTINEL_SET,
    cluster=ClusterSpec(
        "cache",
        SENTINEL_SET.kind,
        SENTINEL_SET.vip,
        tuple(map(_node, SENTINEL_SET.addresses)),
        master_name=MASTER_NAME,
        sentinels=tuple(_sentinel(*one) for one in SENTINEL_SET.sentinels.items()),
    ),
    scenarios=SCENARIOS,
    fitting=FITTING,
    faults=OF_SENTINELS,
    protected="set-protected",
    otherwise=RETURN,
    hand_work={
        "no-master": lambda world, hosts: start_newest(world, hosts) or promote_newest(world, hosts),
        "redis-down": start_newest,
        "redis-misconf": save,
        "sentinel-disagree": monitor_anew,
        "sentinel-wrong-master": monitor_anew,
        "sentinel-unreachable": start_sentinels,
        "sentinel-no-quorum": lambda world, _: start_sentinels(world, list(world.hosts.values())),
    },
    failover_seconds=_until_failover,
)
