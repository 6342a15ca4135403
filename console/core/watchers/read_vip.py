"""The read VIP: whether each director sends readers to a node, and whether these readers get current data."""

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

QUIET = "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2"
"""What keeps a host quiet about an address on its loopback, until it starts again."""


@dataclass(frozen=True, slots=True)
class DirectorEntry:
    """The entry of a node in the table of one director."""

    director: DirectorState
    server: RealServer | None
    """None: the node is not in the table."""


def director_entries(state: ClusterState, node: NodeState) -> tuple[DirectorEntry, ...]:
    """The entry of this node on each director that could be read."""
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
    """Why readers of this node get old data or no data; empty: they get current data, or that is not known."""
    redis = node.redis.value
    if redis is None:
        return "its Redis does not run" if proved_down(node) else ""
    if redis.loading:
        return "it is still loading its data"
    if redis.role is Role.REPLICA and redis.master is not None and not redis.master.up:
        return f"it has lost its master: {link_in_words(redis.master)}"
    master = agreed_master(state)
    if redis.role is Role.MASTER and master is not None and master is not node:
        return f"it is a second master beside {master.name} and does not get its writes"
    return ""
