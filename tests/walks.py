"""The shipped runbooks for a pair, each with a state that it begins from, on a pair that does what they send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import samples
from dying import Room
from world import World

from console.core.model import ClusterState, VrrpState
from console.documents.runbooks.runbook import load_runbook

A, B = samples.A, samples.B
RUNBOOKS = Path(__file__).parents[1] / "runbooks"


def vip_on_no_node() -> ClusterState:
    state = samples.with_vip(samples.healthy_pair(), B, held=False)
    return replace(samples.with_keepalived(state, B, running=False, state=VrrpState.STOP), vip_reach=samples.refused())


def two_masters() -> ClusterState:
    return samples.with_redis(samples.split_brain(), B, keys={0: 10, 1: 249_925})


def writes_held_back() -> ClusterState:
    config = replace(samples.redis(B).config, min_replicas_to_write=1_000_000)
    return samples.with_redis(samples.healthy_pair(), B, config=config, good_replicas=1)


WALKS: Mapping[str, tuple[Callable[[], ClusterState], Mapping[str, str]]] = {
    "one-shot-rebuild": (samples.failed_over_pair, {"survivor": A, "returning": B}),
    "planned-switchover": (samples.healthy_pair, {"old-master": B, "new-master": A}),
    "repair-vip": (vip_on_no_node, {"master": B, "other": A}),
    "initial-build": (samples.fresh_pair, {"master": A, "replica": B}),
    "resume-writes": (writes_held_back, {"paused": B}),
    "resolve-dual-master": (two_masters, {"keeper": A, "loser": B}),
}


def walk(folder: Path, name: str) -> Room:
    state, roles = WALKS[name]
    return Room(folder, World(state()), load_runbook(RUNBOOKS / f"{name}.yaml"), roles)
