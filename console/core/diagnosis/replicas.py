"""Replicas: which server they follow, and whether they have their master's data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.core.conditions.servers import role_in_words
from console.core.diagnosis.finding import Severity
from console.core.diagnosis.next_actions import REBUILD, advise, break_loop_or
from console.core.diagnosis.rule import FindingRule, Match, listed
from console.core.model import ClusterState, NodeState, Role
from console.core.model.facts import (
    attached_line,
    link_in_words,
    node_by_address,
    replica_links,
    replication_lag,
    serving_master,
    source_of,
)
from console.core.quantities import counted

LAG_BYTES = 1_048_576
"""The default backlog: further behind, a short interruption already costs a full sync."""
_REFUSED = re.compile(r"NOAUTH|invalid password|WRONGPASS|Unable to AUTH", re.IGNORECASE)
_SYNCED = re.compile(r"Finished with success|successful partial resync", re.IGNORECASE)
LAG_SECONDS = 30
"""Seconds of silence on the link; a master pings every ten."""


def _follows(node: NodeState) -> str:
    redis = node.redis.value
    return f"{node.name}: {role_in_words(redis)}" if redis else node.name


def _of_vip(state: ClusterState) -> Iterator[Match]:
    """A replica follows the virtual IP instead of a node."""
    for node, redis, link in replica_links(state):
        if link.host == state.vip:
            yield Match(
                (node.name,),
                f"{node.name} follows the virtual IP instead of a node.",
                (role_in_words(redis), f"{state.vip} is held by {listed(state.vip_holders) or 'no node'}"),
                break_loop_or(state, advise("SLAVEOF the address of the master itself")),
            )


def _of_stranger(state: ClusterState) -> Iterator[Match]:
    """A replica follows a server that is not in the inventory."""
    for node, redis, link in replica_links(state):
        if link.host != state.vip and node_by_address(state, link.host, link.port) is None:
            known = ", ".join(f"{one.address}:{one.redis_port}" for one in state.nodes)
            yield Match(
                (node.name,),
                f"{node.name} follows a server that is not in the inventory.",
                (role_in_words(redis), f"the inventory has {known}"),
                advise("add that server to the inventory, or make the node follow the master of the pair"),
            )


def _chained(state: ClusterState) -> Iterator[Match]:
    """A replica follows another replica."""
    for node, redis, _ in replica_links(state):
        source = source_of(state, node)
        above = source.redis.value if source is not None else None
        if source is not None and above is not None and above.role is Role.REPLICA:
            yield Match(
                (node.name, source.name),
                f"{node.name} follows {source.name}, which is a replica itself.",
                (role_in_words(redis), _follows(source)),
                break_loop_or(state, advise("make the node follow the master itself")),
            )


def _link_down(state: ClusterState) -> Iterator[Match]:
    """A replica has lost its master, and no sync is under way."""
    for node, redis, link in replica_links(state):
        if link.up or link.sync_in_progress:
            continue
        yield Match(
            (node.name,),
            f"{node.name} has lost its master: its data gets older.",
            (role_in_words(redis), link_in_words(link), *_last_words(node)),
            advise("a firewall, a dead master, or masterauth: the log of the replica says why"),
        )


def _last_words(node: NodeState) -> list[str]:
    """The last lines of the replica's log."""
    log = node.redis_log.value
    return [f"{log.path}: {log.lines[-1]}"] if log is not None and log.lines else []


def _masterauth(state: ClusterState) -> Iterator[Match]:
    """A replica's master refuses its password: the replica's log says so."""
    for node, redis, link in replica_links(state):
        log = node.redis_log.value
        if link.up or link.sync_in_progress or log is None:
            continue
        refused = _refused(log.lines)
        if refused:
            yield Match(
                (node.name,),
                f"{node.name} cannot log in to its master, so its data gets older.",
                (role_in_words(redis), link_in_words(link), f"{log.path}: {refused}"),
                advise(f"CONFIG SET masterauth on {node.name} to the master's requirepass, and in its redis.conf"),
            )


def _refused(lines: tuple[str, ...]) -> str:
    """The log line that says that the master refused the replica's password; empty: there is none.

    The last attempt may still be under way, so the one before it counts as well.
    """
    attempts = [place for place, line in enumerate(lines) if "Connecting to MASTER" in line]
    recent = lines[attempts[-2] :] if len(attempts) > 1 else lines
    told = [line for line in recent if _REFUSED.search(line)]
    ended = max((place for place, line in enumerate(recent) if _SYNCED.search(line)), default=-1)
    return told[-1] if told and recent.index(told[-1]) > ended else ""


def _syncing(state: ClusterState) -> Iterator[Match]:
    """A replica is receiving a full copy of the data."""
    for node, redis, link in replica_links(state):
        if link.sync_in_progress:
            yield Match(
                (node.name,),
                f"{node.name} is receiving a full copy of the data.",
                (role_in_words(redis), link_in_words(link)),
                advise("wait; keepalived on it stays off until it is in sync"),
            )


def _lagging(state: ClusterState) -> Iterator[Match]:
    """A replica is more than 1 MB behind its master, or has heard nothing for 30 s."""
    for node, redis, link in replica_links(state):
        source = source_of(state, node)
        if not link.up or link.sync_in_progress or source is None or source.redis.value is None:
            continue
        behind = replication_lag(source.redis.value, redis, attached_line(source.redis.value, node))
        silent = link.last_io_seconds or 0
        if (behind.bytes or 0) > LAG_BYTES or silent > LAG_SECONDS:
            yield Match(
                (node.name,),
                f"{node.name} is behind {source.name}.",
                (behind.figures, link_in_words(link)),
                advise("look at the network and at the load of both"),
            )


def _without_replica(state: ClusterState) -> Iterator[Match]:
    """The serving master has no replica online."""
    master = serving_master(state)
    redis = master.redis.value if master is not None else None
    if master is None or redis is None or any(one.state == "online" for one in redis.replicas):
        return
    yield Match(
        (master.name,),
        f"{master.name} is a master that nobody follows.",
        (f"{counted(len(redis.replicas), 'replica')} attached, none of them online",),
        REBUILD,
    )


_STALE = "After a failover clients would find older data."
RULES: tuple[FindingRule, ...] = (
    FindingRule(
        "replica-of-vip",
        Severity.CRITICAL,
        "The address moves: it may come to follow itself.",
        _of_vip,
        remedy="SLAVEOF the address of the master itself",
    ),
    FindingRule(
        "replica-of-stranger",
        Severity.WARNING,
        "It holds another server's data.",
        _of_stranger,
        remedy="correct the inventory, or the replica",
    ),
    FindingRule(
        "chained-replica",
        Severity.WARNING,
        "It stops being fed as soon as the replica in between does.",
        _chained,
        remedy="make it follow the master itself",
        superseded_by=("mutual-replication",),
    ),
    FindingRule(
        "replica-syncing",
        Severity.WARNING,
        "A second failure before its end has no safe way out.",
        _syncing,
        remedy="wait, with its keepalived off",
    ),
    # Before the lost link, whose cause it is.
    FindingRule(
        "masterauth-mismatch",
        Severity.WARNING,
        _STALE,
        _masterauth,
        remedy="CONFIG SET masterauth to the master's password",
    ),
    # Where the master itself is gone, or the node follows the wrong one, the link is only the consequence.
    FindingRule(
        "replica-link-down",
        Severity.WARNING,
        _STALE,
        _link_down,
        remedy="the log of the replica says why",
        superseded_by=("masterauth-mismatch", "mutual-replication", "replica-of-vip", "no-master"),
    ),
    FindingRule("replica-lagging", Severity.WARNING, _STALE, _lagging, remedy="the network, and the load of both"),
    FindingRule(
        "master-without-replica",
        Severity.WARNING,
        "There is one copy of the data, and nothing to fail over to.",
        _without_replica,
        remedy="the runbook of the rebuild",
        superseded_by=("failover-unprotected", "dual-master"),
    ),
)
