"""What a source last said, shown for a while after it has fallen silent.

Only what is shown is made of it. Gates, `status` and every fresh observation have only what was read in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, TypeVar

from console.core.model.cluster import ClusterState, NodeState
from console.core.model.reading import ProblemKind, Reading
from console.core.model.silence import SILENCE

T = TypeVar("T")
_Change = Callable[[Any, Any], Any]
CARRY_SECONDS = 15.0
"""Seconds for which an old value is shown in place of silence.

One lost answer costs a new connection: some seconds of silence and a handshake. On a slow network that takes up to
15 s. What has not answered for longer is not known.
"""
_HEARD_BY = {
    "redis": "redis",
    "vip_reach": "vip_reach",
    "sentinel": "sentinel",
    "dns": "dns",
    "instances": "instances",
    "registered": "instances",
}
"""Reading → the reading of the same source that is made anew with each answer. All others came over SSH."""
_SAYS_NOTHING = SILENCE | {ProblemKind.NOT_READ}


def carried(known: ClusterState | None, seen: ClusterState) -> ClusterState:
    """The observation, with the last readings of each source that is silent now and answered up to 15 s before.

    `known`: the last state that was shown. Old readings keep their time, so their age can be shown. Nothing is carried
    if another source says that the cluster has changed: an old value beside a new one would make a contradiction.
    """
    if known is None or _has_changed(known, seen):
        return seen
    return _each_part(known, seen, lambda before, part: _with_old(before, part, seen.observed_at))


def remembered(known: ClusterState | None, seen: ClusterState) -> ClusterState:
    """The observation, with the last answer to whatever was not answered in it, however old that is."""
    if known is None:
        return seen
    return _each_part(known, seen, _with_last)


def carried_sources(state: ClusterState, raw: ClusterState) -> Mapping[str, float]:
    """The sources that are silent in `raw` and whose old readings `state` has, and when they answered last."""
    found = {}
    for name, shown, now in _sources(state, raw):
        if says_nothing(now) and not says_nothing(shown):
            found[name] = shown.at
    return found


def says_nothing(reading: Reading[Any]) -> bool:
    """Whether there was no answer, and one may still come. A refusal is an answer."""
    return reading.problem is not None and reading.problem.kind in _SAYS_NOTHING


def _each_part(known: ClusterState, seen: ClusterState, change: _Change) -> ClusterState:
    """The state with each of its parts changed: (the same part before, the part) → the new part."""
    consul = seen.consul
    if consul is not None and known.consul is not None:
        consul = change(known.consul, consul)
    whole: ClusterState = change(known, seen)
    nodes = _paired(known.nodes, seen.nodes, change)
    sentinels = _paired(known.sentinels, seen.sentinels, change)
    directors = _paired(known.directors, seen.directors, change)
    if (nodes, sentinels, directors, consul) == (whole.nodes, whole.sentinels, whole.directors, whole.consul):
        return whole  # the same objects in each place, as long as every source answers
    return replace(whole, nodes=nodes, sentinels=sentinels, directors=directors, consul=consul)


def _paired(known: tuple[Any, ...], seen: tuple[Any, ...], change: _Change) -> tuple[Any, ...]:
    before = {one.name: one for one in known}
    return tuple(change(before[one.name], one) if one.name in before else one for one in seen)


def _with_old(known: T, seen: T, now: float) -> T:
    old = dict(_old_readings(known, seen, now))
    return replace(seen, **old) if old else seen  # type: ignore[type-var]


def _old_readings(known: Any, seen: Any, now: float) -> Iterator[tuple[str, Reading[Any]]]:
    for name, reading in _readings(seen):
        before, heard = getattr(known, name), getattr(known, _HEARD_BY.get(name, "ssh"), None)
        if not says_nothing(reading) or heard is None or says_nothing(heard) or says_nothing(before):
            continue
        if 0 <= now - heard.at <= CARRY_SECONDS:  # one of later than now has no age that could be told
            yield name, before


def _with_last(known: T, seen: T) -> T:
    last = {name: getattr(known, name) for name, reading in _readings(seen) if reading.problem is not None}
    ok = {name: one for name, one in last.items() if one.ok}
    return replace(seen, **ok) if ok else seen  # type: ignore[type-var]


def _readings(part: Any) -> Iterator[tuple[str, Reading[Any]]]:
    for name in _field_names(part.__class__):
        value = getattr(part, name)
        if isinstance(value, Reading):
            yield name, value


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _sources(state: ClusterState, raw: ClusterState) -> Iterator[tuple[str, Reading[Any], Reading[Any]]]:
    """The name of each source, and its reading in both states."""
    for node, now in zip(state.nodes, raw.nodes, strict=True):
        yield f"{node.name} SSH", node.ssh, now.ssh
        yield f"{node.name} Redis", node.redis, now.redis
    yield "VIP", state.vip_reach, raw.vip_reach
    for director, one in zip(state.directors, raw.directors, strict=True):
        yield f"{director.name} SSH", director.ssh, one.ssh
    for sentinel, seen in zip(state.sentinels, raw.sentinels, strict=True):
        yield sentinel.name, sentinel.sentinel, seen.sentinel
    if state.consul is not None and raw.consul is not None:
        yield "Consul", state.consul.instances, raw.consul.instances


def _has_changed(known: ClusterState, seen: ClusterState) -> bool:
    """Whether what is known in both states differs: a role, an address, or whom the Sentinels or Consul name."""
    before, now = dict(_standing(known)), dict(_standing(seen))
    return any(key in now and now[key] != value for key, value in before.items())


def _standing(state: ClusterState) -> Iterator[tuple[tuple[str, str], Any]]:
    """What a failover changes, as far as it was read: (subject, fact) and value."""
    for node in state.nodes:
        yield from (((node.name, fact), value) for fact, value in _standing_of_node(state, node))
    for one in state.sentinels:
        if one.sentinel.value is not None and (master := one.sentinel.value.master) is not None:
            yield (one.name, "master"), (master.address, master.failing_over)
    for director in state.directors:
        if (held := director.holds(state.read_vip)) is not None:
            yield (director.name, "read VIP"), held
    if (reach := state.vip_reach.value) is not None:
        yield ("VIP", "reaches"), reach.run_id
    if state.consul is not None and (instances := state.consul.instances.value) is not None:
        yield ("Consul", "passing"), {(one.address, one.port) for one in instances if one.passing}


def _standing_of_node(state: ClusterState, node: NodeState) -> Iterator[tuple[str, Any]]:
    if (held := node.holds(state.vip)) is not None:
        yield "VIP", held
    if (redis := node.redis.value) is not None:
        yield "Redis", (redis.run_id, redis.role, (redis.master.host, redis.master.port) if redis.master else None)
    elif node.redis.problem is not None and not says_nothing(node.redis):
        yield "Redis", node.redis.problem.kind
    if (keepalived := node.keepalived.value) is not None:
        yield "keepalived", (keepalived.running, keepalived.state)
