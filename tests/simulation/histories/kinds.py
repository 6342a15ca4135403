"""The kinds of clusters whose histories are played in both worlds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from simulation.histories.acts import OF_CONSUL, OF_KEEPALIVED, OF_REDIS, OF_SENTINELS
from simulation.histories.history import HistoryKind
from simulation.nights.kinds import consul, pairs, preempting, sets
from simulation.nights.kinds.all_kinds import PAIR_WITH_AOF, SET_WITH_AOF
from simulation.world.world import World

from console.lab.assembly.laboratory import Laboratory
from console.lab.options import LabOptions
from console.lab.systems.sentinel_consul import MASTER_NAME, SECOND
from console.lab.systems.sentinel_service import ask_sentinel


def _different_and_saved(world: World, lab: Laboratory) -> None:
    """Among equal replicas the one with the lower run_id is promoted, and each world has its own.

    The laboratory fills its servers after their start; in the model all was saved before.
    """
    for number, name in enumerate(world.hosts, start=1):
        world.hosts[name].replica_priority = 10 * number
        lab.host(name).redis("CONFIG", "SET", "replica-priority", str(10 * number))
        lab.host(name).redis("CONFIG", "REWRITE")
        lab.host(name).redis("SAVE")
        world.hosts[name].redis.begin_save()
    world.advance(3.0)


def _and_tries_again_sooner(world: World, lab: Laboratory) -> None:
    """As in the other set. The documented failover-timeout is 180 s."""
    _different_and_saved(world, lab)
    ask_sentinel(lab.host(SECOND), "SENTINEL", "SET", MASTER_NAME, "failover-timeout", "6000")


PAIRS = HistoryKind(
    pairs.KIND, "healthy", LabOptions.quick(keys=60), {**OF_REDIS, **OF_KEEPALIVED},
    length=4, patience=30.0, model_quiet=60.0,
)  # fmt: skip
SETS = HistoryKind(
    sets.KIND,
    "sentinel-healthy",
    # The documented set has an append-only file, and the nights have none. The Sentinels wait as in the nights, but a
    # failed failover is tried again sooner: where nothing moves any more it is the same.
    LabOptions.quick(keys=60, redis_config=("appendonly no",), down_after=2000, failover_timeout=6000),
    {**OF_REDIS, **OF_SENTINELS},
    length=3,
    patience=60.0,
    model_quiet=100.0,
    # After a failover of a living master a replica copies everything if a hello came between, else it continues. What
    # it has copied is saved.
    races=(" second history", " unsaved"),
    prepare=_different_and_saved,
)
PREEMPTING = HistoryKind(
    preempting.KIND, "preempting-pair", LabOptions.quick(keys=60, notify_sleep=2), {**OF_REDIS, **OF_KEEPALIVED},
    length=4, patience=40.0, model_quiet=60.0,
    # A check starts a killed Redis again with its last save: whether its master has sent a PING since is chance.
    races=(": history", ": resync", " second history"),
)  # fmt: skip
PAIRS_WITH_AOF = replace(
    PAIRS, night=PAIR_WITH_AOF, options=LabOptions.quick(keys=60, redis_config=("appendonly yes",))
)
SETS_WITH_AOF = replace(
    SETS, night=SET_WITH_AOF, options=LabOptions.quick(keys=60, down_after=2000, failover_timeout=6000)
)
CONSUL = HistoryKind(
    consul.KIND, "consul-healthy", LabOptions.quick(keys=60, down_after=2000),
    {**OF_REDIS, **OF_CONSUL}, length=3, patience=60.0, model_quiet=100.0,
    races=(" second history", " unsaved"), prepare=_and_tries_again_sooner,
)  # fmt: skip
KINDS: Mapping[str, HistoryKind] = {
    "pairs": PAIRS, "sets": SETS, "preempting": PREEMPTING, "pairs-aof": PAIRS_WITH_AOF, "sets-aof": SETS_WITH_AOF,
    "consul": CONSUL,
}  # fmt: skip
