"""States with one reading missing, found by reflection: a new reading is covered by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace

import sample_sets
import samples

from console.core.model import ClusterState, ProblemKind, Reading, unread

STATES: dict[str, Callable[[], ClusterState]] = {
    "healthy": samples.healthy_pair,
    "failed over": samples.failed_over_pair,
    "split brain": samples.split_brain,
    "sentinels": sample_sets.sentinel_vip_set,
    "consul": sample_sets.sentinel_consul_set,
}
REASON = "no answer since 07:40:01"


def holes(state: ClusterState, kind: ProblemKind) -> Iterator[tuple[str, ClusterState]]:
    """`redis-a.ssh` and the state in which that was not read, a second later; one after the other."""
    for name, thing, put in things(state):
        for field in fields(thing):
            reading = getattr(thing, field.name)
            if isinstance(reading, Reading) and reading.ok:
                hole = replace(thing, **{field.name: unread(kind, REASON, at=state.observed_at + 1)})
                yield f"{name}.{field.name}", replace(put(hole), observed_at=state.observed_at + 1)


def things(state: ClusterState) -> Iterator[tuple[str, object, Callable[[object], ClusterState]]]:
    """Each part of a state that has readings: its name, the part, and (changed part) → changed state."""
    yield "cluster", state, lambda one: one
    for field in fields(state):
        value = getattr(state, field.name)
        if is_dataclass(value) and not isinstance(value, Reading):
            yield field.name, value, lambda one, field=field: replace(state, **{field.name: one})
        if isinstance(value, tuple):
            for at, thing in enumerate(value):
                if is_dataclass(thing):
                    yield (
                        thing.name,
                        thing,
                        lambda one, field=field, value=value, at=at: replace(
                            state, **{field.name: (*value[:at], one, *value[at + 1 :])}
                        ),
                    )
