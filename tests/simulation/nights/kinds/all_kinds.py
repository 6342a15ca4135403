"""The kinds of clusters that nights are played with, and which seed plays which."""

from __future__ import annotations

from simulation.nights.kinds import pairs, preempting, sets
from simulation.nights.kinds.kind import NightKind

KINDS: dict[str, NightKind] = {one.name: one for one in (pairs.KIND, sets.KIND, preempting.KIND)}
_BY_SEED = (
    pairs.KIND, sets.KIND, pairs.KIND, preempting.KIND, pairs.KIND, sets.KIND, pairs.KIND, pairs.KIND,
)  # fmt: skip


def kind_of_seed(seed: int) -> NightKind:
    """A seed always plays the same kind. Most runbooks and most regressions are of pairs."""
    return _BY_SEED[seed % len(_BY_SEED)]
