"""Who is a master, who follows whom, and whether the data of both is the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.core.conditions.replication import refuses_writes
from console.core.conditions.servers import role_in_words
from console.core.conditions.switching import PAUSED
from console.core.diagnosis.finding import Severity
from console.core.diagnosis.row import (
    BUILD,
    LOOP,
    REBUILD,
    RESOLVE,
    RESUME,
    Hit,
    Row,
    advise,
    choosing,
    listed,
    names,
    replicas,
    serving,
)
from console.core.model import ClusterState, NodeState, Role
from console.core.model.facts import attached_line, gap, link_in_words, named, proved_down, source_of
from console.core.model.verdict import Verdict
from console.core.quantities import counted
from console.core.replication.ancestry import ancestry

LAG_BYTES = 1_048_576
"""The default backlog: further behind, a short interruption already costs a full sync."""
_REFUSED = re.compile(r"NOAUTH|invalid password|WRONGPASS|Unable to AUTH", re.IGNORECASE)
_SYNCED = re.compile(r"Finished with success|successful partial resync", re.IGNORECASE)
LAG_SECONDS = 30
"""Seconds of silence on the link; a master pings every ten."""


def _no_master(state: ClusterState) -> Iterator[Hit]:
    """No node is a master, and that is proved: each one answered or is proved down."""
    if state.masters or not all(node.redis.ok or proved_down(node) for node in state.nodes):
        return
    running = [node for node in state.nodes if node.redis.ok]
    evidence = [
        f"{node.name}: {role_in_words(node.redis.value) if node.redis.value else 'Redis does not run'}"
        for node in state.nodes
    ]
    summary = "No node is a master." if running else "Redis runs on no node."
    yield Hit(
        names(list(state.nodes)),
        summary,
        tuple(evidence),
        choosing(state, advise("promote the replica with the newest data, or start its master again"))
        if running
        else BUILD,
    )


def _dual_master(state: ClusterState) -> Iterator[Hit]:
    """Several nodes are masters."""
    if len(state.masters) < 2:  # noqa: PLR2004 - two are one too many
        return
    master = serving(state)
    others = [state.node(name) for name in state.masters if master is None or name != master.name]
    newer = diverged(state)
    aside = master is not None and not newer and all(_set_aside(state, node) for node in others)
    figures = [
        f"{name}: {role_in_words(redis)}, {counted(redis.total_keys, 'key')}"
        for name in state.masters
        if (redis := state.node(name).redis.value) is not None
    ]
    yield Hit(
        state.masters,
        f"{listed(state.masters)} are both masters.",
        (*figures, f"{state.vip} reaches {state.vip_reaches or 'none of them'}"),
        REBUILD if aside else RESOLVE,
        Severity.WARNING if aside else Severity.CRITICAL,
    )


def _set_aside(state: ClusterState, node: NodeState) -> bool:
    keepalived = node.keepalived.value
    return node.holds(state.vip) is False and keepalived is not None and not keepalived.running


def diverged(state: ClusterState) -> list[tuple[str, str, str]]:
    """Pairs of masters of which the second may hold what the first has not, with the reason."""
    master = serving(state)
    if master is None:
        return []
    others = [state.node(name) for name in state.masters if name != master.name]
    found = [(master.name, node.name, ancestry(state, master, node)) for node in others]
    return [(first, second, one.reason) for first, second, one in found if one.verdict is Verdict.FAILS]


def _histories_diverged(state: ClusterState) -> Iterator[Hit]:
    """A second master may hold writes that the serving one has not, by its replication history and its last save."""
    for first, second, reason in diverged(state):
        yield Hit(
            (first, second),
            f"{second} may hold writes that {first} has not.",
            (reason,),
            RESOLVE,
        )


def _mutual(state: ClusterState) -> Iterator[Hit]:
    """Two nodes follow each other."""
    for node, _, link in replicas(state):
        other = source_of(state, node)
        if other is None or source_of(state, other) is not node:
            continue
        if state.nodes.index(node) < state.nodes.index(other):
            yield Hit(
                (node.name, other.name),
                f"{node.name} and {other.name} follow each other: nobody is the master.",
                (f"{node.name} follows {link.host}:{link.port}", _follows(other)),
                LOOP,
            )


def _follows(node: NodeState) -> str:
    redis = node.redis.value
    return f"{node.name}: {role_in_words(redis)}" if redis else node.name


def _of_vip(state: ClusterState) -> Iterator[Hit]:
    """A replica follows the virtual IP instead of a node."""
    for node, redis, link in replicas(state):
        if link.host == state.vip:
            yield Hit(
                (node.name,),
                f"{node.name} follows the virtual IP instead of a node.",
                (role_in_words(redis), f"{state.vip} is held by {listed(state.vip_holders) or 'no node'}"),
                choosing(state, advise("SLAVEOF the address of the master itself")),
            )


def _of_stranger(state: ClusterState) -> Iterator[Hit]:
    """A replica follows a server that is not in the inventory."""
    for node, redis, link in replicas(state):
        if link.host != state.vip and named(state, link.host, link.port) is None:
            known = ", ".join(f"{one.address}:{one.redis_port}" for one in state.nodes)
            yield Hit(
                (node.name,),
                f"{node.name} follows a server that is not in the inventory.",
                (role_in_words(redis), f"the inventory has {known}"),
                advise("add that server to the inventory, or make the node follow the master of the pair"),
            )


def _chained(state: ClusterState) -> Iterator[Hit]:
    """A replica follows another replica."""
    for node, redis, _ in replicas(state):
        source = source_of(state, node)
        above = source.redis.value if source is not None else None
        if source is not None and above is not None and above.role is Role.REPLICA:
            yield Hit(
                (node.name, source.name),
                f"{node.name} follows {source.name}, which is a replica itself.",
                (role_in_words(redis), _follows(source)),
                choosing(state, advise("make the node follow the master itself")),
            )


def _link_down(state: ClusterState) -> Iterator[Hit]:
    """A replica has lost its master, and no sync is under way."""
    for node, redis, link in replicas(state):
        if link.up or link.sync_in_progress:
            continue
        yield Hit(
            (node.name,),
            f"{node.name} has lost its master: its data gets older.",
            (role_in_words(redis), link_in_words(link), *_last_words(node)),
            advise("a firewall, a dead master, or masterauth: the log of the replica says why"),
        )


def _last_words(node: NodeState) -> list[str]:
    """What the replica's log said last."""
    log = node.redis_log.value
    return [f"{log.path}: {log.lines[-1]}"] if log is not None and log.lines else []


def _masterauth(state: ClusterState) -> Iterator[Hit]:
    """A replica's master refuses its password: the replica's log says so."""
    for node, redis, link in replicas(state):
        log = node.redis_log.value
        if link.up or link.sync_in_progress or log is None:
            continue
        refused = _refused(log.lines)
        if refused:
            yield Hit(
                (node.name,),
                f"{node.name} cannot log in to its master, so its data gets older.",
                (role_in_words(redis), link_in_words(link), f"{log.path}: {refused}"),
                advise(f"CONFIG SET masterauth on {node.name} to the master's requirepass, and in its redis.conf"),
            )


def _refused(lines: tuple[str, ...]) -> str:
    """The line in which the last attempts of a replica were refused for its password; empty: they were not.

    The last attempt may still be under way, so the one before it counts as well.
    """
    attempts = [place for place, line in enumerate(lines) if "Connecting to MASTER" in line]
    recent = lines[attempts[-2] :] if len(attempts) > 1 else lines
    told = [line for line in recent if _REFUSED.search(line)]
    ended = max((place for place, line in enumerate(recent) if _SYNCED.search(line)), default=-1)
    return told[-1] if told and recent.index(told[-1]) > ended else ""


def _syncing(state: ClusterState) -> Iterator[Hit]:
    """A replica is receiving a full copy of the data."""
    for node, redis, link in replicas(state):
        if link.sync_in_progress:
            yield Hit(
                (node.name,),
                f"{node.name} is receiving a full copy of the data.",
                (role_in_words(redis), link_in_words(link)),
                advise("wait; keepalived on it stays off until it is in sync"),
            )


def _lagging(state: ClusterState) -> Iterator[Hit]:
    """A replica is more than 1 MB behind its master, or has heard nothing for 30 s."""
    for node, redis, link in replicas(state):
        source = source_of(state, node)
        if not link.up or link.sync_in_progress or source is None or source.redis.value is None:
            continue
        behind = gap(source.redis.value, redis, attached_line(source.redis.value, node))
        silent = link.last_io_seconds or 0
        if (behind.bytes or 0) > LAG_BYTES or silent > LAG_SECONDS:
            yield Hit(
                (node.name,),
                f"{node.name} is behind {source.name}.",
                (behind.figures, link_in_words(link)),
                advise("look at the network and at the load of both"),
            )


def _without_replica(state: ClusterState) -> Iterator[Hit]:
    """The serving master has no replica online."""
    master = serving(state)
    redis = master.redis.value if master is not None else None
    if master is None or redis is None or any(one.state == "online" for one in redis.replicas):
        return
    yield Hit(
        (master.name,),
        f"{master.name} is a master that nobody follows.",
        (f"{counted(len(redis.replicas), 'replica')} attached, none of them online",),
        REBUILD,
    )


def _empty_master(state: ClusterState) -> Iterator[Hit]:
    """A master holds no keys while another node does."""
    full = [node for node in state.nodes if node.redis.value and node.redis.value.total_keys]
    for name in state.masters:
        redis = state.node(name).redis.value
        if redis is not None and not redis.loading and redis.total_keys == 0 and full:
            held = [f"{node.name} holds {node.redis.value.total_keys:,} keys" for node in full if node.redis.value]
            yield Hit(
                (name,),
                f"{name} is a master without any data, while another node has some.",
                (f"{name} holds no keys, up {redis.uptime} s", *held),
                advise(f"make nobody follow {name}: it would be wiped"),
            )


def _writes_refused(state: ClusterState) -> Iterator[Hit]:
    """A master refuses writes because it has too few good replicas; or a replica will, as the next master."""
    for name in state.masters:
        refusal = refuses_writes(state.node(name))
        if refusal is not None and "NOREPLICAS" in refusal[0]:
            wanted = redis.config.min_replicas_to_write if (redis := state.node(name).redis.value) else None
            # Held back on purpose, and another node is a master already: what is acknowledged here would be lost.
            held = REBUILD if len(state.masters) > 1 else RESUME
            action = held if (wanted or 0) >= PAUSED else advise(refusal[1])
            yield Hit((name,), f"{name} refuses every write.", (refusal[0],), action)
    for node in state.nodes:
        redis = node.redis.value
        if redis is not None and redis.role is Role.REPLICA and (redis.config.min_replicas_to_write or 0) >= PAUSED:
            summary = f"{node.name} would refuse every write after a failover: it was told to hold them back."
            held_back = f"{node.name} is a replica with min-replicas-to-write {redis.config.min_replicas_to_write}"
            yield Hit((node.name,), summary, (held_back,), RESUME, Severity.WARNING)


_STALE = "After a failover clients would find older data."
ROWS: tuple[Row, ...] = (
    # Loops and strangers explain a missing master better than its absence does.
    Row(
        "mutual-replication",
        Severity.CRITICAL,
        "No node takes writes, and a full sync may loop.",
        _mutual,
        then="runbook break-replication-loop",
    ),
    Row(
        "no-master",
        Severity.CRITICAL,
        "No write is accepted.",
        _no_master,
        then="runbook break-replication-loop where both are replicas, initial-build where nothing runs",
        said_by=("mutual-replication",),
    ),
    Row(
        "histories-diverged",
        Severity.CRITICAL,
        "Whoever follows the other loses its own writes.",
        _histories_diverged,
        then="runbook resolve-dual-master, which exports and backs up before it wipes",
    ),
    Row(
        "dual-master",
        Severity.CRITICAL,
        "Clients may write to either, and one of them will be wiped.",
        _dual_master,
        then="runbook resolve-dual-master; the rebuild where one is set aside without writes of its own",
    ),
    Row(
        "empty-master", Severity.CRITICAL, "Whoever follows it is emptied.", _empty_master, then="make nobody follow it"
    ),
    Row(
        "writes-refused",
        Severity.CRITICAL,
        "Clients can read but not write, now or after the next failover.",
        _writes_refused,
        then="CONFIG SET the minimum, or bring the replica back; runbook resume-writes where a switchover was given up",
    ),
    Row(
        "replica-of-vip",
        Severity.CRITICAL,
        "The address moves: it may come to follow itself.",
        _of_vip,
        then="SLAVEOF the address of the master itself",
    ),
    Row(
        "replica-of-stranger",
        Severity.WARNING,
        "It holds another server's data.",
        _of_stranger,
        then="correct the inventory, or the replica",
    ),
    Row(
        "chained-replica",
        Severity.WARNING,
        "It stops being fed as soon as the replica in between does.",
        _chained,
        then="make it follow the master itself",
        said_by=("mutual-replication",),
    ),
    Row(
        "replica-syncing",
        Severity.WARNING,
        "Until it ends a second failure has no safe way out.",
        _syncing,
        then="wait, with its keepalived off",
    ),
    # Before the lost link, whose cause it is.
    Row(
        "masterauth-mismatch",
        Severity.WARNING,
        _STALE,
        _masterauth,
        then="CONFIG SET masterauth to the master's password",
    ),
    # Where the master itself is gone, or the node follows the wrong one, the link is only the consequence.
    Row(
        "replica-link-down",
        Severity.WARNING,
        _STALE,
        _link_down,
        then="the log of the replica says why",
        said_by=("masterauth-mismatch", "mutual-replication", "replica-of-vip", "no-master"),
    ),
    Row("replica-lagging", Severity.WARNING, _STALE, _lagging, then="the network, and the load of both"),
    Row(
        "master-without-replica",
        Severity.WARNING,
        "There is one copy of the data, and nothing to fail over to.",
        _without_replica,
        then="the runbook of the rebuild",
        said_by=("failover-unprotected", "dual-master"),
    ),
)
