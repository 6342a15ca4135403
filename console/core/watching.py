"""What Sentinels and directors come to, taken together: who is named as the master, and where readers are sent."""

from __future__ import annotations

from dataclasses import dataclass

from console.core.conditions.replication import link_in_words
from console.core.facts import named, proved_down
from console.core.model import (
    ClusterState,
    DirectorState,
    NodeState,
    RealServer,
    Role,
    Sentinel,
    SentinelState,
    WatchedMaster,
)


def accounts(state: ClusterState) -> tuple[tuple[SentinelState, Sentinel], ...]:
    """The Sentinels that could be read, with what they say."""
    return tuple((one, one.sentinel.value) for one in state.sentinels if one.sentinel.value is not None)


def watched(state: ClusterState) -> tuple[tuple[SentinelState, WatchedMaster], ...]:
    """Those of them that watch a master of this cluster's name."""
    return tuple((one, said.master) for one, said in accounts(state) if said.master is not None)


def named_master(state: ClusterState) -> NodeState | None:
    """The node that all Sentinels that could be read name; None: they differ, or name a stranger, or nobody says."""
    found = [named(state, master.host, master.port) for _, master in watched(state)]
    if not found or len(found) != len(accounts(state)):
        return None
    return found[0] if all(one is found[0] for one in found) else None


def naming(state: ClusterState) -> dict[str, list[str]]:
    """Master → the Sentinels that name it, in words; `no master NAME` for those that watch none."""
    found: dict[str, list[str]] = {}
    for one, said in accounts(state):
        if said.master is None:
            found.setdefault(f"no master {state.master_name}", []).append(one.name)
            continue
        node = named(state, said.master.host, said.master.port)
        found.setdefault(f"{node.name} ({said.master.address})" if node else said.master.address, []).append(one.name)
    return found


def naming_in_words(state: ClusterState) -> str:
    """`sentinel-1 and sentinel-2 name web-1 (…)`, for each master that is named; and who could not be read."""
    words = [
        f"{' and '.join(names)} name{'s' if len(names) == 1 else ''} {master}"
        for master, names in naming(state).items()
    ]
    unread = [one.name for one in state.sentinels if not one.sentinel.ok]
    words += [f"{' and '.join(unread)} could not be read"] if unread else []
    return "; ".join(words) or "there is no Sentinel"


@dataclass(frozen=True, slots=True)
class Place:
    """A node in the table of one director."""

    director: DirectorState
    server: RealServer | None
    """None: the director does not have it."""


def places(state: ClusterState, node: NodeState) -> tuple[Place, ...]:
    """Where each director that could be read has this node for its readers."""
    found = []
    for director in state.directors:
        if director.services.value is None:
            continue
        service = director.service(state.read_vip)
        servers = service.servers if service is not None else ()
        mine = [one for one in servers if named(state, one.address, one.port) is node]
        found.append(Place(director, mine[0] if mine else None))
    return tuple(found)


def place_in_words(place: Place) -> str:
    """`lb-1: 10.18.14.80:6379 weight 1, 0 active`."""
    server = place.server
    if server is None:
        return f"{place.director.name}: not in its table"
    return (
        f"{place.director.name}: {server.address}:{server.port} weight {server.weight}, {server.active} active"
        f" and {server.inactive} inactive connections"
    )


def reader_trouble(state: ClusterState, node: NodeState) -> str:
    """Why readers that are sent to this node get old data or none; empty: they do not, or it is not known."""
    redis = node.redis.value
    if redis is None:
        return "its Redis does not run" if proved_down(node) else ""
    if redis.loading:
        return "it is still loading its data"
    if redis.role is Role.REPLICA and redis.master is not None and not redis.master.up:
        return f"it has lost its master: {link_in_words(redis.master)}"
    master = named_master(state)
    if redis.role is Role.MASTER and master is not None and master is not node:
        return f"it is a master beside {master.name}, whose writes it does not get"
    return ""
