"""The read VIP: where each director has a node for its readers, and what these readers would get."""

from __future__ import annotations

from dataclasses import dataclass

from console.core.model import (
    ClusterState,
    DirectorState,
    NodeState,
    RealServer,
    Role,
)
from console.core.model.facts import link_in_words, node_by_address, proved_down
from console.core.watchers.sentinels import agreed_master


@dataclass(frozen=True, slots=True)
class DirectorEntry:
    """A node in the table of one director."""

    director: DirectorState
    server: RealServer | None
    """None: the director does not have it."""


def director_entries(state: ClusterState, node: NodeState) -> tuple[DirectorEntry, ...]:
    """Where each director that could be read has this node for its readers."""
    found = []
    for director in state.directors:
        if director.services.value is None:
            continue
        service = director.service(state.read_vip)
        servers = service.servers if service is not None else ()
        mine = [one for one in servers if node_by_address(state, one.address, one.port) is node]
        found.append(DirectorEntry(director, mine[0] if mine else None))
    return tuple(found)


def entry_in_words(place: DirectorEntry) -> str:
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
    master = agreed_master(state)
    if redis.role is Role.MASTER and master is not None and master is not node:
        return f"it is a master beside {master.name}, whose writes it does not get"
    return ""
