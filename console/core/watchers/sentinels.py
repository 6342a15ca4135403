"""The Sentinels together: which node each of them names as the master."""

from __future__ import annotations

from collections.abc import Sequence

from console.core.model import (
    ClusterState,
    NodeState,
    ProblemKind,
    Sentinel,
    SentinelState,
    WatchedMaster,
)
from console.core.model.facts import node_by_address
from console.core.typed_commands import host_command


def readable_sentinels(state: ClusterState) -> tuple[tuple[SentinelState, Sentinel], ...]:
    """The Sentinels that could be read, with what they report."""
    return tuple((one, one.sentinel.value) for one in state.sentinels if one.sentinel.value is not None)


def proved_silent(one: SentinelState) -> bool:
    """Whether the Sentinel does not run: its port refuses connections. One that hangs is not proved to be down."""
    return one.sentinel.problem is not None and one.sentinel.problem.kind is ProblemKind.REFUSED


def starting(one: SentinelState) -> str:
    """How a Sentinel that does not run is started: the command of the inventory, else where."""
    where, machine = one.host or one.address, one.host or one.name
    if one.start:
        return f"start {one.name} on {where}: {host_command(machine, one.start)}"
    usual = host_command(machine, "systemctl start redis-sentinel")
    return f"start {one.name} on {where}, as {usual}; with `service` in the inventory a run can"


def watched_masters(state: ClusterState) -> tuple[tuple[SentinelState, WatchedMaster], ...]:
    """The readable Sentinels that watch this cluster's master, each with the master that it names."""
    return tuple((one, said.master) for one, said in readable_sentinels(state) if said.master is not None)


def agreed_master(state: ClusterState) -> NodeState | None:
    """The node that all readable Sentinels name; None: they differ, name another server, or none could be read."""
    found = [node_by_address(state, master.host, master.port) for _, master in watched_masters(state)]
    if not found or len(found) != len(readable_sentinels(state)):
        return None
    return found[0] if all(one is found[0] for one in found) else None


def sentinels_by_master(state: ClusterState) -> dict[str, list[str]]:
    """Master → the Sentinels that name it. The key is `no master NAME` for those that watch none."""
    found: dict[str, list[str]] = {}
    for one, said in readable_sentinels(state):
        if said.master is None:
            found.setdefault(f"no master {state.master_name}", []).append(one.name)
            continue
        node = node_by_address(state, said.master.host, said.master.port)
        found.setdefault(f"{node.name} ({said.master.address})" if node else said.master.address, []).append(one.name)
    return found


def named_masters_in_words(state: ClusterState) -> str:
    """`sentinel-1 and sentinel-2 name web-1 (…)` for each named master, then the Sentinels that could not be read."""
    words = [
        f"{' and '.join(names)} name{'s' if len(names) == 1 else ''} {master}"
        for master, names in sentinels_by_master(state).items()
    ]
    unread = [one.name for one in state.sentinels if not one.sentinel.ok]
    words += [f"{' and '.join(unread)} could not be read"] if unread else []
    return "; ".join(words) or "there is no Sentinel"


def watches(state: ClusterState, watched: WatchedMaster, node: NodeState) -> bool:
    """Whether the address that a Sentinel watches is that of this node."""
    return node_by_address(state, watched.host, watched.port) is node


def astray(state: ClusterState, master: NodeState) -> tuple[tuple[SentinelState, WatchedMaster | None], ...]:
    """The readable Sentinels that do not watch this master, each with what it watches; None: nothing of this name."""
    return tuple(
        (one, said.master)
        for one, said in readable_sentinels(state)
        if said.master is None or not watches(state, said.master, master)
    )


def can_elect(state: ClusterState, voters: int) -> bool:
    """Whether so many Sentinels elect the one that fails over: as many as the quorum, and more than half of all.

    What each says itself (CKQUORUM) may still count one that died a moment ago.
    """
    every = count_of_all(state)
    quorum = max((watched.quorum for _, watched in watched_masters(state)), default=every)
    return voters >= quorum and 2 * voters > every


def count_of_all(state: ClusterState) -> int:
    """How many Sentinels there are: those of the inventory, or more by what one of them knows."""
    return max((len(state.sentinels), *(len(said.peers) + 1 for _, said in readable_sentinels(state))))


def what_settles(state: ClusterState) -> str:
    """What ends that Sentinels name different masters.

    A Sentinel takes over what another one names only with a higher config epoch (sentinel.c,
    sentinelProcessHelloMessage). One that ended in the middle of its failover has the new epoch with the old master.
    One that watches nothing hears nothing.
    """
    seen = watched_masters(state)
    if len(state.masters) == 1 and not any(watched.failing_over for _, watched in seen):
        master = state.node(state.masters[0])
        newest = max((watched.config_epoch for _, watched in seen if watches(state, watched, master)), default=None)
        stuck = [
            one.name
            for one, watched in astray(state, master)
            if newest is not None and (watched is None or watched.config_epoch >= newest)
        ]
        if stuck:
            stays = "keep what they have" if len(stuck) > 1 else "keeps what it has"
            why = "only a higher config epoch is taken over"
            return f"{' and '.join(stuck)} {stays} ({why}); {monitor_anew(state, stuck, master)}"
    return "wait some seconds: what has the higher config epoch spreads to the others"


def watched_in_words(state: ClusterState, watched: WatchedMaster | None) -> str:
    """`app01 (192.168.3.1:6379)`, `10.0.0.9:6379, none of the nodes`, `no master mymaster`: what a Sentinel watches."""
    if watched is None:
        return f"no master {state.master_name}"
    node = node_by_address(state, watched.host, watched.port)
    return f"{node.name} ({watched.address})" if node is not None else f"{watched.address}, none of the nodes"


def monitor_anew(state: ClusterState, names: Sequence[str], master: NodeState) -> str:
    """What lets these Sentinels watch this master. Nothing else does: they keep an address until they fail over."""
    said = {one.name: sentinel.master for one, sentinel in readable_sentinels(state)}
    watched = next((said[name] for name in names if said.get(name) is not None), None)
    commands = ", then ".join(monitor_commands(state, watched, master))
    forgets = ": REMOVE forgets that" if watched is not None else ""
    return (
        f"on {' and '.join(names)}: {commands}, then SENTINEL SET {state.master_name} for what its sentinel.conf said"
        f" of the old one (auth-pass, down-after-milliseconds, failover-timeout, scripts){forgets}"
    )


def monitor_commands(state: ClusterState, watched: WatchedMaster | None, master: NodeState) -> tuple[str, ...]:
    """The commands for a Sentinel that watches another address. Source: Redis Sentinel documentation, reconfiguring."""
    quorums = [one.quorum for _, one in watched_masters(state)]
    quorum = max(quorums, default=len(state.sentinels) // 2 + 1)
    remove = (f"SENTINEL REMOVE {state.master_name}",) if watched is not None else ()
    return (*remove, f"SENTINEL MONITOR {state.master_name} {master.address} {master.redis_port} {quorum}")
