"""What the scenarios of several kinds begin with: lost writes, a pause, a cut between hosts, backups."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulation.world.host import DUMP, Host
from simulation.world.world import World


def with_unsent_writes(world: World, master: Host, dies: Callable[[], object]) -> None:
    """The master dies with writes that no replica has got, and that its dump has."""
    world.stream_delay = 30.0
    world.advance(15.0)
    master.redis.begin_save()
    world.advance(3.0)
    dies()
    world.stream_delay = 0.0


def pause_writes(world: World, master: Host) -> None:
    """A run was given up: the writes of the master are still paused."""
    process = master.redis.process
    assert process is not None
    process.min_replicas += 1_000_000
    world.advance(3.0)


def cut_off(world: World, name: str, seconds: float, heals_within: Callable[[], float]) -> None:
    """The host and the others do not hear each other. After that time it is over, or it goes on into the night.

    `heals_within`: seconds until the night begins, where it is over.
    """
    world.network.apart = {name}
    world.advance(seconds)
    if world.chance.random() < 0.5:
        world.network.apart.clear()
        world.advance(heals_within())
    else:
        world.after(world.chance.uniform(20.0, 90.0), world.network.apart.clear)


def back_up(world: World, hosts: Iterable[Host]) -> None:
    """These nodes have verified backups of what they hold now."""
    hosts = tuple(hosts)
    for host in hosts:
        host.redis.begin_save()
    world.advance(3.0)
    for host in hosts:
        assert host.redis.dump is not None
        host.backups[f"{DUMP}.redis-ha-console.20261120T010000Z"] = (host.redis.dump, True)
