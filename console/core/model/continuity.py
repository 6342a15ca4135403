"""Values that outlive a moment's silence: what an earlier observation knew, in the place of what could not be read now.

A value that is kept stays as old as it is: its reading still says when it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from console.core.model.cluster import ClusterState
from console.core.model.reading import ProblemKind, Reading

KEPT_FOR = 15.0
"""Seconds that a value is kept while its source is silent. Longer than one lost answer and the login after it."""
SILENCE = frozenset({ProblemKind.TIMEOUT, ProblemKind.CLOSED, ProblemKind.CONNECTING})
"""Problems that say nothing about the server: an answer may only be late. A refused connection is an answer."""

S = TypeVar("S")
Choose = Callable[[Any, Any], Any]
"""An observed thing as it was and as it is → as it is to be shown. Both have the same type."""


def kept(before: ClusterState, after: ClusterState) -> ClusterState:
    """The newer observation, with the values of the earlier one where their source is silent for a short time only."""

    def choose(was: Any, now: Any) -> Any:
        chosen = {}
        for problem in {reading.problem for _, reading in readings(now) if reading.problem is not None}:
            if problem.kind not in SILENCE:
                continue
            names = [name for name, reading in readings(now) if reading.problem == problem]
            known = {name: getattr(was, name) for name in names if getattr(was, name).ok}
            if known and after.observed_at - max(one.at for one in known.values()) <= KEPT_FOR:
                chosen.update(known)
        return replace(now, **chosen)

    return _joined(before, after, choose)


def last_known(before: ClusterState, after: ClusterState) -> ClusterState:
    """The newer observation, with the last value that was read of everything that could not be read now."""

    def choose(was: Any, now: Any) -> Any:
        older = {name: getattr(was, name) for name, reading in readings(now) if not reading.ok}
        return replace(now, **{name: reading for name, reading in older.items() if reading.ok})

    return _joined(before, after, choose)


def silences(state: ClusterState) -> tuple[str, ...]:
    """What gives no answer at the moment, a plain line each: `redis-a, SSH: no answer since 3 s`."""
    sources: list[tuple[str, Reading[Any]]] = []
    for node in state.nodes:
        sources += [(f"{node.name}, SSH", node.ssh), (f"{node.name}, Redis", node.redis)]
    sources += [(f"{one.name}, SSH", one.ssh) for one in state.directors]
    sources += [(one.name, one.sentinel) for one in state.sentinels]
    sources += [("Consul", state.consul.instances)] if state.consul is not None else []
    return tuple(f"{name}: {one.problem}" for name, one in sources if one.problem and one.problem.kind in SILENCE)


def readings(thing: object) -> Iterator[tuple[str, Reading[Any]]]:
    """The readings of an observed thing, by the names of their fields."""
    if is_dataclass(thing):
        for field in fields(thing):
            value = getattr(thing, field.name)
            if isinstance(value, Reading):
                yield field.name, value


def _joined(before: ClusterState, after: ClusterState, choose: Choose) -> ClusterState:
    """Things are matched by their names. What the earlier observation did not have stays as it is."""

    def each(was: tuple[S, ...], now: tuple[S, ...]) -> tuple[S, ...]:
        named: Mapping[str, S] = {one.name: one for one in was}  # type: ignore[attr-defined]
        return tuple(choose(named[one.name], one) if one.name in named else one for one in now)  # type: ignore[attr-defined]

    consul = after.consul
    if before.consul is not None and consul is not None:
        consul = choose(before.consul, consul)
    joined: ClusterState = choose(before, after)
    return replace(
        joined,
        nodes=each(before.nodes, after.nodes),
        sentinels=each(before.sentinels, after.sentinels),
        directors=each(before.directors, after.directors),
        consul=consul,
    )
