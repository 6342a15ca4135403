"""What a calm operator does by hand where a finding advises it and no runbook leads on: those words, and no more."""

from __future__ import annotations

from collections.abc import Callable

from simulation.world.host import Host
from simulation.world.pair import World

CAUSE = "by hand"


def _promote(world: World, nodes: list[Host]) -> bool:
    """`promote the replica with the newest data, or start its master again`."""
    replicas = [one for one in nodes if one.redis.answers and one.redis.link.master]
    if not replicas:
        return False
    newest = max(replicas, key=lambda one: one.redis.process.offset if one.redis.process else 0)
    newest.redis.replicaof("", CAUSE)
    return True


def _start(world: World, nodes: list[Host]) -> bool:
    """`start Redis on NODE if it holds the newest data`."""
    down = [one for one in nodes if one.up and one.redis.process is None]
    for one in down:
        one.redis.start(CAUSE)
    return bool(down)


HAND_WORK: dict[str, Callable[[World, list[Host]], bool]] = {"no-master": _promote, "vip-on-dead-redis": _start}
