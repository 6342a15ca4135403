"""What the Sentinels say, each for itself, and whether they could fail over."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions.servers import role_in_words
from console.core.diagnosis.finding import NextAction, Severity
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.rule import FindingRule, Match, listed
from console.core.model import ClusterState, ProblemKind, SentinelState, WatchedMaster
from console.core.model.facts import node_by_address, serving_master
from console.core.quantities import counted
from console.core.watchers.sentinels import (
    agreed_master,
    astray,
    monitor_anew,
    named_masters_in_words,
    proved_silent,
    readable_sentinels,
    sentinels_by_master,
    starting,
    watched_in_words,
    watched_masters,
    what_settles,
)

ENOUGH = 3
"""Sentinels of which one may die and the other two still agree and authorize (Redis Sentinel documentation)."""
_REFUSED = (ProblemKind.AUTH_FAILED, ProblemKind.NOT_PERMITTED)
VIP_OF_SENTINELS = NextAction(runbook="sentinel-repair-write-vip")


def _unreachable(state: ClusterState) -> Iterator[Match]:
    """A Sentinel does not answer, or what answers is none."""
    for one in state.sentinels:
        if one.sentinel.problem is not None:
            yield Match(
                (one.name,),
                f"{one.name} could not be read.",
                (f"{one.address}:{one.port}: {one.sentinel.problem}{_looked_at(state, one)}",),
                advise(starting(one) if proved_silent(one) else _looking(one)),
            )


def _looked_at(state: ClusterState, one: SentinelState) -> str:
    """`, tried 2 s ago`: whoever has just started it sees that the next try is still to come. Empty: just now."""
    age = one.sentinel.age(state.observed_at)
    return f", tried {age:.0f} s ago" if age is not None and age >= 1 else ""


def _looking(one: SentinelState) -> str:
    refused = one.sentinel.problem is not None and one.sentinel.problem.kind in _REFUSED
    if refused:
        return "its password, user or ACL in the inventory is another one than its own"
    return f"look at the network to {one.address}:{one.port}, and at the Sentinel on {one.host or one.address}"


def _no_quorum(state: ClusterState) -> Iterator[Match]:
    """A Sentinel cannot reach the quorum, or the majority that authorizes a failover."""
    lost = [(one, said) for one, said in readable_sentinels(state) if said.quorum_ok is False]
    if lost:
        yield Match(
            tuple(one.name for one, _ in lost),
            "A failover is not possible: too few Sentinels can reach each other.",
            tuple(f"{one.name}: {said.quorum_text}" for one, said in lost),
            advise(_completing(state)),
        )


def _completing(state: ClusterState) -> str:
    """What brings the Sentinels that are missing back: a command for each that does not run."""
    down = [one for one in state.sentinels if proved_silent(one)]
    silent = [one.name for one in state.sentinels if not one.sentinel.ok and not proved_silent(one)]
    words = [starting(one) for one in down]
    words += [f"find out why {listed(silent)} could not be read"] if silent else []
    return "; ".join(words) or "mend the network between the Sentinels: each of them answers here"


def _tilt(state: ClusterState) -> Iterator[Match]:
    """A Sentinel is in TILT mode: it watches and acts on nothing."""
    for one, said in readable_sentinels(state):
        if said.tilt:
            yield Match(
                (one.name,),
                f"{one.name} is in TILT mode.",
                (f"{one.name}: sentinel_tilt 1; its clock jumped, or it was stopped for more than two seconds",),
                advise("it ends 30 s after the last jump; look at the clock and the load of its host"),
            )


def _disagree(state: ClusterState) -> Iterator[Match]:
    """The Sentinels name different masters, or one of them knows none of this name."""
    if len(sentinels_by_master(state)) > 1:
        epochs = [f"{one.name}: config epoch {master.config_epoch}" for one, master in watched_masters(state)]
        yield Match(
            tuple(one.name for one, _ in readable_sentinels(state)),
            "The Sentinels do not name the same master.",
            (named_masters_in_words(state), *epochs),
            advise(what_settles(state)),
        )


def _wrong_master(state: ClusterState) -> Iterator[Match]:
    """One node is the only master, and Sentinels watch another address, or nothing of this name."""
    master = serving_master(state)
    if master is None or len(state.masters) > 1 or any(watched.failing_over for _, watched in watched_masters(state)):
        return
    elsewhere = astray(state, master)
    if elsewhere:
        names = [one.name for one, _ in elsewhere]
        watched = list(dict.fromkeys(watched_in_words(state, one) for _, one in elsewhere))
        verb = "watches" if len(names) == 1 else "watch"
        servers = [(node.name, node.redis.value) for node in state.nodes]
        yield Match(
            (master.name, *names),
            f"{master.name} is the master, but {listed(names)} {verb} {listed(watched)}.",
            (
                *(f"{one.name} watches {watched_in_words(state, seen)}{_seen(seen)}" for one, seen in elsewhere),
                *(f"{name}: {role_in_words(redis)}" for name, redis in servers if redis is not None),
            ),
            advise(monitor_anew(state, names, master)),
        )


def _seen(watched: WatchedMaster | None) -> str:
    return (
        ""
        if watched is None
        else f", {'which it takes for down, ' if watched.down else ''}epoch {watched.config_epoch}"
    )


def _too_few(state: ClusterState) -> Iterator[Match]:
    """There are fewer than three Sentinels."""
    number = len(state.sentinels)
    if 0 < number < ENOUGH:
        silent = sum(not one.sentinel.ok for one in state.sentinels)
        alone = "if it or its host dies, nobody fails over" if number == 1 else "if one of them dies, nobody fails over"
        if silent:
            alone = f"{silent} of them could not be read" if number > 1 else "it could not be read"
        yield Match(
            tuple(one.name for one in state.sentinels),
            f"There {'is' if number == 1 else 'are'} {counted(number, 'Sentinel')}: {alone}.",
            (f"a failover needs the majority of {number}",),
            advise("three Sentinels on three hosts survive the loss of one"),
        )


def _failing_over(state: ClusterState) -> Iterator[Match]:
    """A Sentinel is failing over now."""
    busy = [(one, master) for one, master in watched_masters(state) if master.failing_over]
    if busy:
        yield Match(
            tuple(one.name for one, _ in busy),
            "A failover is under way.",
            tuple(f"{one.name}: {master.failover_state or 'failover_in_progress'}" for one, master in busy),
            advise("wait for its end, and look again"),
        )


def _master_not_vip(state: ClusterState) -> Iterator[Match]:
    """The Sentinels name one node as the master, and the virtual IP is at another one, or leads to it."""
    master = agreed_master(state)
    if master is None or not state.vip:
        return
    elsewhere = [name for name in state.vip_holders if name != master.name]
    reached = state.vip_reaches
    if not elsewhere and reached in {None, master.name}:
        return
    yield Match(
        tuple(dict.fromkeys((master.name, *elsewhere, *((reached,) if reached else ())))),
        f"The Sentinels name {master.name}, but {state.vip} is on {listed(state.vip_holders) or 'no node'}"
        f" and reaches {reached or 'nothing'}.",
        (named_masters_in_words(state), f"{state.vip}: held by {listed(state.vip_holders) or 'no node'}"),
        VIP_OF_SENTINELS,
    )


def _stale_peer(state: ClusterState) -> Iterator[Match]:
    """A Sentinel remembers a Sentinel or a server that is not in the inventory."""
    ours = {(one.address, one.port) for one in state.sentinels}
    hosts = {address.address for node in state.nodes for address in node.addresses.value or ()}
    strangers: dict[str, list[str]] = {}
    for one, said in readable_sentinels(state):
        for peer in said.peers:
            if (peer.host, peer.port) not in ours and peer.host not in hosts:
                word = f"Sentinel {peer.host}:{peer.port}{' (down)' if peer.down else ''}"
                strangers.setdefault(word, []).append(one.name)
        for known in said.replicas:
            if node_by_address(state, known.host, known.port) is None:
                word = f"replica {known.host}:{known.port}{' (down)' if known.down else ''}"
                strangers.setdefault(word, []).append(one.name)
    if strangers:
        yield Match(
            tuple(dict.fromkeys(name for names in strangers.values() for name in names)),
            "The Sentinels know servers that are not in the inventory.",
            tuple(f"{listed(names)} know{'s' if len(names) == 1 else ''} {who}" for who, names in strangers.items()),
            advise(
                f"add it to the inventory; or, if it is gone, SENTINEL RESET {state.master_name} on one Sentinel after"
                " the other, with all of them up"
            ),
        )


RULES: tuple[FindingRule, ...] = (
    FindingRule(
        "sentinel-wrong-master",
        Severity.CRITICAL,
        "If the master fails, nobody takes over. Whoever asks a Sentinel is sent to a server that is not the master.",
        _wrong_master,
        remedy="SENTINEL REMOVE, then MONITOR with the address of the master, and its settings again",
        superseded_by=("sentinel-disagree",),
    ),
    FindingRule(
        "sentinel-disagree",
        Severity.CRITICAL,
        "Clients that ask a Sentinel are sent to different servers.",
        _disagree,
        remedy="wait for the newer epoch to spread, else monitor it anew on the odd one",
    ),
    FindingRule(
        "sentinel-master-not-vip",
        Severity.CRITICAL,
        "Clients of the virtual IP write to a server that the Sentinels do not protect.",
        _master_not_vip,
        remedy="runbook sentinel-repair-write-vip",
        superseded_by=("sentinel-wrong-master", "vip-duplicate", "vip-on-replica", "vip-on-dead-redis"),
    ),
    FindingRule(
        "sentinel-no-quorum",
        Severity.CRITICAL,
        "If the master dies now, nobody takes over.",
        _no_quorum,
        remedy="start the Sentinels that are down",
    ),
    FindingRule(
        "sentinel-failover-in-progress",
        Severity.WARNING,
        "Roles and addresses are about to change.",
        _failing_over,
        remedy="wait for its end",
    ),
    FindingRule(
        "sentinel-tilt", Severity.WARNING, "It takes no part in a failover.", _tilt, remedy="wait; look at the clock"
    ),
    FindingRule(
        "sentinel-unreachable",
        Severity.WARNING,
        "It may be missing when a failover is to be decided.",
        _unreachable,
        remedy="start it, or look at the network",
    ),
    FindingRule(
        "sentinel-stale-peer",
        Severity.WARNING,
        "A Sentinel that is gone raises the majority that a failover needs. A server that is gone may be promoted.",
        _stale_peer,
        remedy="correct the inventory, else SENTINEL RESET on one after the other",
    ),
    FindingRule(
        "sentinel-too-few",
        Severity.INFO,
        "One more failure, and nobody fails over.",
        _too_few,
        remedy="three Sentinels on three hosts",
    ),
)
