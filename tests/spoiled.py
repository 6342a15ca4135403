"""States of which every text has signs in it that no terminal may get. The texts are found by reflection."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import sample_races
import sample_sets
import samples

import console.core.model
from console.core.model import ClusterState, RunLock, ScriptSecurity, read

EVIL = "\x1b]0;x\x07\x9b31m\u202e\u200b\ud800\u2028\x1b[2J"
FROM_THE_INVENTORY = {
    ("ClusterState", "name"), ("ClusterState", "kind"), ("ClusterState", "vip"), ("ClusterState", "read_vip"),
    ("NodeState", "name"), ("NodeState", "address"), ("SentinelState", "name"), ("SentinelState", "address"),
    ("DirectorState", "name"), ("DirectorState", "address"), ("ConsulState", "service"),
}  # fmt: skip
"""Names and addresses are checked where the inventory is read."""
MADE_BY_RULES = {"Check", "ReplicationLag"}
"""They stand in the model, and no server writes their texts."""


def locked_pair() -> ClusterState:
    """A run holds the lock, a backup lies beside the dump, and Redis has a log; scripts are not secured."""
    state = samples.with_backup(samples.healthy_pair(), samples.A, origin="redis-b")
    lock = RunLock(
        "run-1", "cache", "one-shot-rebuild", "bob@ops2", samples.NOW, step="3/14 replicate", origin="10.0.0.9"
    )
    config = replace(samples.redis(samples.A).config, logfile="/var/log/redis.log")
    state = samples.with_redis(state, samples.A, config=config)
    security = ScriptSecurity(enabled=False, user="root", line=3)
    conf = state.node(samples.A).keepalived_config.map(lambda one: replace(one, security=security))
    state = samples.with_node(state, samples.A, keepalived_config=conf)
    return samples.with_node(state, samples.A, run_lock=read(lock, samples.NOW))


def append_only_pair() -> ClusterState:
    """An append-only folder and a copy of it are on the node, and its configuration file names them."""
    state = samples.with_aof_backup(samples.with_aof(samples.failed_over_pair(), samples.B), samples.B)
    names = {"appendfilename": "appendonly.aof", "appenddirname": "appendonlydir", "real_dir": "/data/redis"}
    file = state.node(samples.B).redis_file.map(lambda one: replace(one, **names))
    state = samples.with_node(state, samples.B, redis_file=file)
    config = replace(samples.redis(samples.A).config, appendfilename="appendonly.aof", appenddirname="appendonlydir")
    return samples.with_redis(state, samples.A, config=config)


STATES: Mapping[str, Callable[[], ClusterState]] = {
    "healthy": samples.healthy_pair,
    "locked": locked_pair,
    "append-only": append_only_pair,
    "failed-over": samples.failed_over_pair,
    "split-brain": samples.split_brain,
    "syncing": samples.syncing_pair,
    "unreachable": samples.unreachable_node,
    "race": sample_races.promoted,
    "sentinel-vip": sample_sets.sentinel_vip_set,
    "sentinel-consul": sample_sets.sentinel_consul_set,
}


def spoil(value: Any, hit: set[tuple[str, str]]) -> Any:
    """The value with EVIL after each of its texts. `hit`: class and name of each field that was changed."""
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        return f"{value}{EVIL}"
    if isinstance(value, tuple | list | frozenset):
        return type(value)(spoil(one, hit) for one in value)
    if isinstance(value, Mapping):
        return {key: spoil(one, hit) for key, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _field(value, one.name, hit) for one in fields(value) if one.init})
    return value


def _field(owner: Any, name: str, hit: set[tuple[str, str]]) -> Any:
    value, place = getattr(owner, name), (type(owner).__name__, name)
    if place in FROM_THE_INVENTORY:
        return value
    if isinstance(value, str) and not isinstance(value, Enum):
        hit.add(place)
    return spoil(value, hit)


def text_fields() -> set[tuple[str, str]]:
    """Class and name of every text of the model."""
    found = set()
    for one in pkgutil.iter_modules(console.core.model.__path__):
        module = importlib.import_module(f"console.core.model.{one.name}")
        for kind in vars(module).values():
            if (
                isinstance(kind, type)
                and is_dataclass(kind)
                and kind.__module__ == module.__name__
                and kind.__name__ not in MADE_BY_RULES
            ):
                found |= {(kind.__name__, one.name) for one in fields(kind) if one.type in {"str", "str | None"}}
    return found - FROM_THE_INVENTORY


def unprintable(text: str) -> list[str]:
    """What of the text a terminal would not show as a sign."""
    return sorted({f"U+{ord(one):04X}" for one in text if not one.isprintable() and one not in "\n\t"})
