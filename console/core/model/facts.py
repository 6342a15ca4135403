"""What follows from one observation by plain comparison: who follows whom, how far behind, which process is meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from console.core.model import AttachedReplica, ClusterState, MasterLink, NodeState, ProblemKind, Process, Redis, Role
from console.core.quantities import size

NOT_KNOWN = "not known"
"""How every text about a value begins that could not be read."""
_NO_ANSWER = frozenset(
    [
        ProblemKind.TIMEOUT,
        ProblemKind.CLOSED,
        ProblemKind.UNREACHABLE,
        ProblemKind.REFUSED,
        ProblemKind.BAD_ANSWER,
    ]
)
_PORT = re.compile(r":(\d{1,5})\b")


def named(state: ClusterState, host: str, port: int) -> NodeState | None:
    """The node that a replica means by its master_host: by address, inventory name or host name.

    Else by another address that one kernel alone holds. What two hold (a bridge of containers) names nobody, and
    neither does the virtual IP or a loopback.
    """
    listening = [node for node in state.nodes if port == node.redis_port]
    for node in listening:
        if host.lower() in {name.lower() for name in names_of(node)}:
            return node
    address = _address(host)
    if address is None or address.is_loopback or address == _address(state.vip):
        return None
    holders = [
        one for one in state.nodes if any(_address(held.address) == address for held in one.addresses.value or ())
    ]
    return holders[0] if len(holders) == 1 and holders[0] in listening else None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def names_of(node: NodeState) -> set[str]:
    """What a node can be called: its address, its name in the inventory, its host name, long and short."""
    names = {node.address, node.name}
    if node.ssh.value is not None and node.ssh.value.hostname:
        names |= {node.ssh.value.hostname, node.ssh.value.hostname.split(".")[0]}
    return names


def source_of(state: ClusterState, node: NodeState) -> NodeState | None:
    """The node of this cluster that the node's Redis follows; None: it follows a stranger, nobody, or is not known."""
    redis = node.redis.value
    if redis is None or redis.role is not Role.REPLICA or redis.master is None:
        return None
    return named(state, redis.master.host, redis.master.port)


def attached_line(source: Redis, replica: NodeState) -> AttachedReplica | None:
    """The source's own line about this replica, `slaveN:` of INFO: by whichever of its addresses it came."""
    names = names_of(replica) | {one.address for one in replica.addresses.value or ()}
    return next((one for one in source.replicas if one.host in names and one.port == replica.redis_port), None)


@dataclass(frozen=True, slots=True)
class Gap:
    """How far a replica is behind its source, in bytes of the stream. None: this server does not say (Redis 2.6)."""

    bytes: int | None
    figures: str


def gap(source: Redis, replica: Redis, line: AttachedReplica | None) -> Gap:
    """By both servers' offsets, or by the source's own line about the replica, whichever is nearer.

    The two servers are not read at the same instant: on a busy pair the difference of two readings holds the writes
    between them, while the source compares within one instant, but hears from the replica once a second only.
    """
    ways: list[tuple[int, str]] = []
    if source.offset is not None and replica.offset is not None:
        behind = max(0, source.offset - replica.offset)
        ways.append((behind, f"{behind} bytes behind: source at {source.offset}, replica at {replica.offset}"))
    if source.offset is not None and line is not None and line.offset is not None and line.state == "online":
        behind = max(0, source.offset - line.offset)
        ways.append((behind, f"{behind} bytes behind: source at {source.offset}, acknowledged {line.offset}"))
    if not ways:
        return Gap(None, f"Redis {source.version} does not say offsets")
    return Gap(*min(ways))


def redis_processes(node: NodeState) -> tuple[Process, ...]:
    """redis-server processes that can be this node's Redis: those that name another port are another server."""
    found = node.processes.value.redis if node.processes.value is not None else ()
    return tuple(one for one in found if _port_of(one) in {None, node.redis_port})


def proved_down(node: NodeState) -> bool:
    """Whether it is proved that no Redis runs: SSH sees no process of it, and its port refuses (H28)."""
    problem = node.redis.problem
    if problem is None or problem.kind is not ProblemKind.REFUSED or not node.processes.ok:
        return False
    return not redis_processes(node)


def does_not_answer(node: NodeState) -> bool:
    """Whether a Redis process is there, and nothing answers on its port. An answer that is only late is not known."""
    problem = node.redis.problem
    return problem is not None and problem.kind in _NO_ANSWER and bool(redis_processes(node))


def _port_of(process: Process) -> int | None:
    match = _PORT.search(process.command)
    return int(match[1]) if match else None


def notify_scripts(node: NodeState) -> tuple[Process, ...]:
    """Running scripts that keepalived has started, its regular checks apart: those come and go with every interval."""
    running = node.processes.value.scripts if node.processes.value is not None else ()
    instance = node.keepalived.value.instance if node.keepalived.value is not None else None
    checks = [one.script for one in instance.scripts if one.script] if instance is not None else []
    return tuple(one for one in running if not any(check in one.command for check in checks))


def started_at(node: NodeState) -> float | None:
    """When the node's Redis started, on the node's own clock; None: not known."""
    redis = node.redis.value
    if redis is None:
        return None
    ahead = node.clock.value.offset if node.clock.value is not None else 0.0
    return node.redis.at + ahead - redis.uptime


def link_in_words(link: MasterLink) -> str:
    """`link up, last heard 1 s ago`: a replica's link to its master, with what is left of a full sync."""
    if link.up:
        return "link up" if link.last_io_seconds is None else f"link up, last heard {link.last_io_seconds} s ago"
    known = link.down_seconds is not None and link.down_seconds >= 0  # -1: it never was up
    words = f"link down for {link.down_seconds} s" if known else "link down"
    if not link.sync_in_progress:
        return words
    left = "" if link.sync_left_bytes is None else f", {size(max(0, link.sync_left_bytes))} left"
    return f"{words}, full sync in progress{left}"


def vip_holders_in_words(state: ClusterState) -> str:
    """`redis-a and redis-b`, `no node`, `redis-b (not known of redis-a)`, `not known of redis-a`.

    That nobody holds it is said only where every node could be read.
    """
    held, unread = " and ".join(state.vip_holders), " and ".join(state.vip_unread)
    if not unread:
        return held or "no node"
    return f"{held} ({NOT_KNOWN} of {unread})" if held else f"{NOT_KNOWN} of {unread}"


def vip_reached_in_words(state: ClusterState) -> str:
    """The node that answers at the virtual IP, with its run_id; else what is known of who does.

    That it is none of the nodes is said only where each node's Redis could be read or is proved down.
    """
    reach = state.vip_reach
    if reach.value is None:
        refused = reach.problem is not None and reach.problem.kind is ProblemKind.REFUSED
        return "nothing (connection refused)" if refused else NOT_KNOWN
    run_id = f"run_id {reach.value.run_id[:12]}"
    if state.vip_reaches is not None:
        return f"{state.vip_reaches} ({run_id})"
    everybody = all(node.redis.ok or proved_down(node) for node in state.nodes)
    return f"{'none of the nodes' if everybody else f'{NOT_KNOWN} whose Redis'} ({run_id})"
