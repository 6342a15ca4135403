"""Facts derived from one observation: who follows whom, the lag, the processes of Redis, the serving master."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from console.core.lazy_dataclass import dataclass
from console.core.model import (
    AttachedReplica,
    ClusterState,
    MasterLink,
    NodeState,
    ProblemKind,
    Process,
    Redis,
    Role,
    VrrpInstance,
)
from console.core.model.silence import failing_for
from console.core.numbers import port_number, version_of
from console.core.quantities import counted, size, span

NOT_KNOWN = "not known"
"""The first words of every text about a value that could not be read."""
NO_ANSWER = frozenset(
    [
        ProblemKind.TIMEOUT,
        ProblemKind.CLOSED,
        ProblemKind.UNREACHABLE,
        ProblemKind.REFUSED,
        ProblemKind.BAD_ANSWER,
    ]
)
"""Problems of a server that was asked and did not answer. One that was not asked, or refuses the user, is none."""
NEW_CONNECTION_SECONDS = 5.0
"""Seconds within which a connection that was lost is made anew, before its Redis counts as one that does not answer."""
PING_FAILS_SINCE = (7, 0)
KERNEL_NAME_LENGTH = 15
"""Characters of a program's name that Linux keeps as the name of its process (TASK_COMM_LEN is 16 with its end)."""
_PORT = re.compile(r":([0-9]{1,5})\b")


def node_by_address(state: ClusterState, host: str, port: int) -> NodeState | None:
    """The node at this host and port, as a replica names it by master_host; None: none of the nodes.

    It is found by its address, its inventory name or its host name. Else it is found by another address that only its
    kernel holds. An address that two nodes hold (a bridge of containers), the virtual IP and a loopback find no node.
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
    """The names of a node: its address, its name in the inventory, its long and its short host name."""
    names = {node.address, node.name}
    if node.ssh.value is not None and node.ssh.value.hostname:
        names |= {node.ssh.value.hostname, node.ssh.value.hostname.split(".")[0]}
    return names


def every_name_of(node: NodeState) -> set[str]:
    """The same, and each address that its kernel holds."""
    return names_of(node) | {one.address for one in node.addresses.value or ()}


def source_of(state: ClusterState, node: NodeState) -> NodeState | None:
    """The node that this node's Redis follows; None: it follows none of the nodes, or that is not known."""
    redis = node.redis.value
    if redis is None or redis.role is not Role.REPLICA or redis.master is None:
        return None
    return node_by_address(state, redis.master.host, redis.master.port)


def source_by_file(state: ClusterState, node: NodeState) -> NodeState | None:
    """The node that the configuration file makes this one follow at its next start. None: no node, or not known."""
    host, _, port = (node.redis_file.value.master if node.redis_file.value is not None else "").partition(" ")
    number = port_number(port)
    return node_by_address(state, host, number) if number is not None else None


def attached_line(source: Redis, replica: NodeState) -> AttachedReplica | None:
    """The line `slaveN:` of this replica in the INFO of its source. Any address of the replica may stand there."""
    names = every_name_of(replica)
    return next((one for one in source.replicas if one.host in names and one.port == replica.redis_port), None)


@dataclass(frozen=True, slots=True)
class ReplicationLag:
    """How far a replica is behind its source, in bytes of the stream; None: not reported (Redis 2.6)."""

    bytes: int | None
    figures: str


def replication_lag(source: Redis, replica: Redis, line: AttachedReplica | None) -> ReplicationLag:
    """The smaller of two figures: the difference of both offsets, and the source's own line about the replica.

    Both figures can be too high. The two servers are not read at the same instant, so the difference includes the
    writes in between. The source compares at one instant, but the replica reports to it only once a second.
    """
    figures: list[tuple[int, str]] = []
    if source.offset is not None and replica.offset is not None:
        behind = max(0, source.offset - replica.offset)
        words = f"{counted(behind, 'byte')} behind: source at {source.offset}, replica at {replica.offset}"
        figures.append((behind, words))
    if source.offset is not None and line is not None and line.offset is not None and line.state == "online":
        behind = max(0, source.offset - line.offset)
        words = f"{counted(behind, 'byte')} behind: source at {source.offset}, acknowledged {line.offset}"
        figures.append((behind, words))
    if not figures:
        return ReplicationLag(None, f"Redis {source.version} reports no offsets")
    return ReplicationLag(*min(figures))


def bytes_behind(state: ClusterState, node: NodeState) -> int | None:
    """How far a replica is behind the node that it follows. None: a master, or one offset is not known."""
    source = source_of(state, node)
    if source is None or source.redis.value is None or node.redis.value is None:
        return None
    return replication_lag(source.redis.value, node.redis.value, attached_line(source.redis.value, node)).bytes


def disk_error(redis: Redis) -> str:
    """Which write to its disk failed, so that it refuses writes; empty: none, or it is told to go on."""
    stops = redis.config.stop_writes_on_bgsave_error is not False and redis.config.save != ""
    if redis.persistence.rdb_last_status != "ok" and stops:
        return "its last background save failed"
    if redis.persistence.aof and redis.persistence.aof_last_write_status != "ok":
        return "its last AOF write failed"
    return ""


def answers_ping(redis: Redis) -> bool:
    """Whether PING gets PONG, which a check asks for. A server that loads says LOADING.

    Where a write to its disk has failed it says MISCONF, from 7.0 on also on a replica (server.c, processCommand).
    """
    refuses = disk_error(redis) and (redis.role is Role.MASTER or version_of(redis.version) >= PING_FAILS_SINCE)
    return not redis.loading and not refuses


def redis_processes(node: NodeState) -> tuple[Process, ...]:
    """The redis-server processes that can be this node's Redis. A process that names another port is another server."""
    found = node.processes.value.redis if node.processes.value is not None else ()
    return tuple(one for one in found if _port_of(one) in {None, node.redis_port})


def proved_down(node: NodeState) -> bool:
    """Whether it is proved that Redis does not run: SSH shows no process of it, and its port refuses (H28)."""
    problem = node.redis.problem
    if problem is None or problem.kind is not ProblemKind.REFUSED or not node.processes.ok:
        return False
    return not redis_processes(node)


def does_not_answer(node: NodeState) -> bool:
    """Whether there is a Redis process but no answer on its port. A late answer proves nothing.

    A connection that was lost proves nothing either while it is made anew: a failover of Sentinels closes all of them.
    """
    problem = node.redis.problem
    if problem is None or problem.kind not in NO_ANSWER or not redis_processes(node):
        return False
    failing = failing_for(node.redis)
    return problem.kind is not ProblemKind.CLOSED or failing is None or failing >= NEW_CONNECTION_SECONDS


def _port_of(process: Process) -> int | None:
    match = _PORT.search(process.command)
    return int(match[1]) if match else None


def vrrp_instance(node: NodeState) -> VrrpInstance | None:
    """The instance that carries the virtual IP. None: keepalived could not be read, or its file has none."""
    return node.keepalived.value.instance if node.keepalived.value is not None else None


def notify_scripts(node: NodeState) -> tuple[Process, ...]:
    """The running notify scripts of keepalived. Its check scripts are left out: they run in every interval."""
    running = node.processes.value.scripts if node.processes.value is not None else ()
    instance = vrrp_instance(node)
    if instance is None:
        return running
    checks = [one.script for one in instance.scripts if one.script]
    # A process that begins or ends just now has no command line, only its name. A name of both kinds is not left out.
    others = {_kernel_name(one) for one in (*instance.notify.values(), *instance.group_notify.values())}
    names = {_kernel_name(one) for one in checks} - others
    return tuple(
        one for one in running if one.command not in names and not any(check in one.command for check in checks)
    )


def _kernel_name(script: str) -> str:
    """`[redis_check.sh]`: how a process of this script is told while it has no command line."""
    program = script.split(maxsplit=1)[0] if script.strip() else ""
    return f"[{program.rpartition('/')[2][:KERNEL_NAME_LENGTH]}]"


def clock_ahead(node: NodeState) -> float:
    """Seconds that the clock of the node's host is ahead of this machine's; 0 where that is not known."""
    return node.clock.value.offset if node.clock.value is not None else 0.0


def age_at(node: NodeState, now: float, moment: float) -> float:
    """Seconds from a moment of the node's own clock to `now`, which is of this machine's."""
    return max(0.0, now + clock_ahead(node) - moment)


def started_at(node: NodeState) -> float | None:
    """When the node's Redis started, on the node's clock; None: not known."""
    redis = node.redis.value
    if redis is None:
        return None
    return node.redis.at + clock_ahead(node) - redis.uptime


def link_in_words(link: MasterLink) -> str:
    """`link up, last heard 1 s ago`: a replica's link to its master, with what is left of a full sync."""
    if link.up:
        return "link up" if link.last_io_seconds is None else f"link up, last heard {link.last_io_seconds} s ago"
    words = link_down_in_words(link)
    if not link.sync_in_progress:
        return words
    left = "" if link.sync_left_bytes is None else f", {size(max(0, link.sync_left_bytes))} left"
    return f"{words}, full sync in progress{left}"


def link_down_in_words(link: MasterLink) -> str:
    """`link down for 40 s`, `link never up so far`, `link down`."""
    if link.down_seconds is None:
        return "link down"
    return f"link down for {span(link.down_seconds)}" if link.down_seconds >= 0 else "link never up so far"


def serving_master(state: ClusterState) -> NodeState | None:
    """The master that clients reach: the one behind the VIP, else the only master; None: that is not clear.

    It is not clear while the VIP is on a node whose Redis cannot be read: that one may be a master, too.
    """
    if state.vip_reaches is not None and state.vip_reaches in state.masters:
        return state.node(state.vip_reaches)
    if any(node.name in state.vip_holders for node in unread_redis(state)):
        return None
    return state.node(state.masters[0]) if len(state.masters) == 1 else None


def redis_unread(node: NodeState) -> bool:
    """Whether its Redis could not be read and is not proved to be down."""
    return not node.redis.ok and not proved_down(node)


def unread_redis(state: ClusterState) -> list[NodeState]:
    """The nodes whose Redis could not be read and is not proved to be down."""
    return [node for node in state.nodes if redis_unread(node)]


def replica_links(state: ClusterState) -> Iterator[tuple[NodeState, Redis, MasterLink]]:
    """The replicas, each with its Redis and its link to its master."""
    for node in state.nodes:
        redis = node.redis.value
        if redis is not None and redis.role is Role.REPLICA and redis.master is not None:
            yield node, redis, redis.master


def vip_holders_in_words(state: ClusterState, verb: str = "held by") -> str:
    """The nodes that hold the virtual IP, as `holders_in_words` says it."""
    return holders_in_words(verb, state.vip_holders, state.vip_unread, "no node")


def holders_in_words(verb: str, holders: Sequence[str], unread: Sequence[str], nobody: str) -> str:
    """`held by redis-a`, `held by no node`, `held by redis-b (not known of redis-a)`, `holder not known (redis-a …)`.

    It says that nobody holds the address only if each of them could be read.
    """
    held, missing = " and ".join(holders), " and ".join(unread)
    if not missing:
        return f"{verb} {held or nobody}"
    return f"{verb} {held} ({NOT_KNOWN} of {missing})" if held else f"holder {NOT_KNOWN} ({missing} could not be read)"


def masters_in_words(state: ClusterState) -> str:
    """`redis-a, redis-b`, `none`, `redis-a (not known of redis-b)`. It says `none` only if every Redis is known."""
    masters = ", ".join(state.masters)
    unread = " and ".join(node.name for node in unread_redis(state))
    if not unread:
        return masters or "none"
    return f"{masters} ({NOT_KNOWN} of {unread})" if masters else f"{NOT_KNOWN} ({unread} could not be read)"


def vip_reached_in_words(state: ClusterState) -> str:
    """The node that answers at the virtual IP, with its run_id; otherwise what is known about that server.

    It says `none of the nodes` only if the Redis of each node could be read or is proved to be down.
    """
    reach = state.vip_reach
    if reach.value is None:
        refused = reach.problem is not None and reach.problem.kind is ProblemKind.REFUSED
        return "nothing (connection refused)" if refused else NOT_KNOWN
    run_id = f"run_id {reach.value.run_id[:12]}"
    if state.vip_reaches is not None:
        return f"{state.vip_reaches} ({run_id})"
    return f"{'none of the nodes' if reaches_stranger(state) else f'{NOT_KNOWN} whose Redis'} ({run_id})"


def reaches_stranger(state: ClusterState) -> bool:
    """Whether a Redis answers at the virtual IP that is not one of the nodes: the Redis of each node is known."""
    known = all(node.redis.ok or proved_down(node) for node in state.nodes)
    return known and state.vip_reach.ok and state.vip_reaches is None
