"""One Redis or host by itself."""

from __future__ import annotations

from console.core.conditions import servers
from console.core.conditions.spec import PredicateSpec

ROWS: tuple[PredicateSpec, ...] = (
    PredicateSpec("ssh-readable", "SSH to the node works and was read.", servers.ssh_readable, hazard="H28"),
    PredicateSpec("redis-up", "Redis on the node answers.", servers.redis_up),
    PredicateSpec(
        "redis-down",
        "Redis on the node does not run: SSH sees no process of it, and its port refuses connections.",
        servers.redis_down,
        hazard="H28",
    ),
    PredicateSpec("redis-is-master", "Redis on the node says that it is a master.", servers.redis_is_master),
    PredicateSpec("redis-is-replica", "Redis on the node says that it is a replica.", servers.redis_is_replica),
    PredicateSpec("redis-not-loading", "Redis on the node has loaded its data.", servers.redis_not_loading),
    PredicateSpec(
        "redis-on-this-host",
        "The Redis that answers for the node is a process that SSH to the node sees.",
        servers.redis_on_this_host,
        hazard="H07",
    ),
    PredicateSpec("not-a-replica", "The node follows no other node.", servers.not_a_replica, hazard="H05"),
    PredicateSpec(
        "fork-headroom",
        "The node has the memory and the disk for the fork of a full sync.",
        servers.fork_headroom,
        hazard="H11",
    ),
)
