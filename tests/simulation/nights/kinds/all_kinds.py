"""The kinds of clusters that nights are played with, and which seed plays which."""

from __future__ import annotations

from dataclasses import replace

from simulation.nights.kinds import consul, pairs, preempting, sets
from simulation.nights.kinds.kind import NightKind
from simulation.world.system import with_aof

PAIR_WITH_AOF = replace(pairs.KIND, name="keepalived-aof", system=with_aof(pairs.KIND.system))
SET_WITH_AOF = replace(sets.KIND, name="sentinel-vip-aof", system=with_aof(sets.KIND.system))
KINDS: dict[str, NightKind] = {
    one.name: one for one in (pairs.KIND, sets.KIND, preempting.KIND, PAIR_WITH_AOF, SET_WITH_AOF, consul.KIND)
}
_BY_SEED = (
    pairs.KIND, sets.KIND, pairs.KIND, preempting.KIND, PAIR_WITH_AOF, sets.KIND, consul.KIND, SET_WITH_AOF,
)  # fmt: skip


def kind_of_seed(seed: int) -> NightKind:
    """A seed always plays the same kind. Most runbooks and most regressions are of pairs."""
    return _BY_SEED[seed % len(_BY_SEED)]
