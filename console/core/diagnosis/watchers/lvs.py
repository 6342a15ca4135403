"""The read VIP: where the directors send readers, and whether those servers have the master's data."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.diagnosis.finding import NextAction, Severity
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.rule import FindingRule, Match, listed
from console.core.model import ClusterState, DirectorState, NodeState, ProblemKind, VirtualService
from console.core.typed_commands import command_on, login_command
from console.core.watchers.read_vip import QUIET, director_entries, entry_in_words, reader_trouble

DRAIN = NextAction(runbook="lvs-drain-replica")
_ROUTED = "Route"


def _missing(state: ClusterState) -> Iterator[Match]:
    """A director does not send readers to a server that could serve them."""
    for director in state.directors:
        if director.services.value is not None and director.service(state.read_vip) is None:
            yield Match(
                (director.name,),
                f"{director.name} has no virtual service at {state.read_vip}.",
                (f"ipvsadm on {director.name}: {len(director.services.value)} other services", _keepalived(director)),
                advise(f"start keepalived on {director.name}, and read its log"),
            )
    for node in state.nodes:
        if not node.redis.ok or reader_trouble(state, node):
            continue
        seen = [one for one in director_entries(state, node) if one.director.service(state.read_vip) is not None]
        gone = [one for one in seen if one.server is None]
        drained = [one for one in seen if one.server is not None and one.server.weight == 0]
        if gone:
            yield Match(
                (node.name, *(one.director.name for one in gone)),
                f"{node.name} could serve readers, but {listed([one.director.name for one in gone])} leave it out.",
                tuple(map(entry_in_words, seen)),
                advise("the director's check cannot connect to it: look at the network and at keepalived's log there"),
            )
        if drained:
            yield Match(
                (node.name, *(one.director.name for one in drained)),
                f"{node.name} could serve readers, but was taken out by hand.",
                tuple(map(entry_in_words, seen)),
                DRAIN,
                Severity.INFO,
            )


def _stale(state: ClusterState) -> Iterator[Match]:
    """Readers are sent to a server that has lost its master, does not run, or is a second master."""
    for node in state.nodes:
        trouble = reader_trouble(state, node)
        sent = [one for one in director_entries(state, node) if one.server is not None and one.server.weight > 0]
        if trouble and sent:
            down = not node.redis.ok
            yield Match(
                (node.name, *(one.director.name for one in sent)),
                f"Readers are sent to {node.name}, and {trouble}.",
                tuple(map(entry_in_words, sent)),
                DRAIN,
                Severity.WARNING if down else None,
            )


def _split(state: ClusterState) -> Iterator[Match]:
    """Several directors hold the read VIP, or none does, or their tables differ, or one cannot take over any more."""
    everyone = tuple(one.name for one in state.directors)
    if not everyone:
        return
    unread = [one.name for one in state.directors if one.holds(state.read_vip) is None]
    holders = [one.name for one in state.directors if one.holds(state.read_vip)]
    held = [_keepalived(one) for one in state.directors]
    if len(holders) > 1:
        text = f"{state.read_vip} is on {listed(holders)} at once."
        yield Match(tuple(holders), text, tuple(held), advise("see whether VRRP passes between the directors"))
    elif not holders and not unread:
        text = f"No director holds {state.read_vip}: readers reach nothing."
        yield Match(everyone, text, tuple(held), advise("start keepalived on the directors, and read their logs"))
    else:
        for one in state.directors:
            if one.keepalived.value is not None and not one.keepalived.value.running:
                yield Match(
                    (one.name,),
                    f"keepalived does not run on {one.name}: the read VIP would not survive the other director.",
                    tuple(held),
                    advise(f"start keepalived on {one.name}"),
                    Severity.WARNING,
                )
    tables = {one.name: _table(one.service(state.read_vip)) for one in state.directors if one.services.ok}
    if len(set(tables.values())) > 1 and all(tables.values()):
        yield Match(
            tuple(tables),
            "The directors do not spread readers alike.",
            tuple(f"{name}: {table}" for name, table in tables.items()),
            DRAIN,
            Severity.WARNING,
        )


def _table(service: VirtualService | None) -> str:
    servers = sorted((one.address, one.port, one.weight) for one in service.servers) if service is not None else []
    return ", ".join(f"{address}:{port} weight {weight}" for address, port, weight in servers)


def _keepalived(director: DirectorState) -> str:
    keepalived = director.keepalived.value
    return f"{director.name}: keepalived {keepalived.state.value if keepalived else director.keepalived.problem}"


def _director_unread(state: ClusterState) -> Iterator[Match]:
    """A director cannot be read over SSH, or its table cannot: where readers are sent is not known."""
    for one in state.directors:
        problem = one.ssh.problem or one.services.problem
        if problem is not None and problem.kind is not ProblemKind.NOT_READ:
            yield Match(
                (one.name,),
                f"{one.name} could not be read, so it is not known where it sends readers.",
                (f"{one.address}: {problem}",),
                advise(
                    f"try `{login_command(one.address, one.name)}` by hand; ipvsadm needs root: "
                    "ssh.sudo of this director in the inventory"
                ),
            )


def _not_on_node(state: ClusterState) -> Iterator[Match]:
    """Readers are sent to a host that does not have the read VIP on its loopback. The host drops them."""
    for node in state.nodes:
        sent = [one for one in director_entries(state, node) if one.server is not None and one.server.weight > 0]
        routed = [one for one in sent if one.server is not None and one.server.forward == _ROUTED]
        if routed and node.holds(state.read_vip) is False:
            yield Match(
                (node.name,),
                f"{node.name} does not have {state.read_vip}: readers that are sent there get no answer.",
                (*map(entry_in_words, routed), f"{node.name}: {_addresses(node)}"),
                advise(
                    command_on(node.name, f"ip addr add {state.read_vip}/32 dev lo", "and in its network configuration")
                ),
            )


def _arp(state: ClusterState) -> Iterator[Match]:
    """A host with the read VIP answers ARP for it, and takes readers away from the director."""
    for node in state.nodes:
        arp = node.arp.value
        if not node.holds(state.read_vip) or arp is None:
            continue
        outside = [one for one in node.addresses.value or () if one.address == state.read_vip and one.interface != "lo"]
        if outside:
            text = f"{node.name} has {state.read_vip} on {outside[0].interface} instead of its loopback."
        elif not arp.suppressed:
            text = f"{node.name} has {state.read_vip} and answers ARP for it."
        else:
            continue
        yield Match(
            (node.name,),
            text,
            (f"{node.name}: arp_ignore {arp.ignore} (wanted 1), arp_announce {arp.announce} (wanted 2)",),
            advise(command_on(node.name, QUIET, "and the address on lo with /32")),
        )


def _addresses(node: NodeState) -> str:
    return ", ".join(one.address for one in node.addresses.value or () if one.interface == "lo") or "no address on lo"


RULES: tuple[FindingRule, ...] = (
    FindingRule(
        "lvs-serves-stale",
        Severity.CRITICAL,
        "They read old data, and nothing tells them.",
        _stale,
        remedy="runbook lvs-drain-replica",
    ),
    FindingRule(
        "lvs-director-split",
        Severity.CRITICAL,
        "Readers reach nothing, or what the wrong director says.",
        _split,
        remedy="keepalived on the directors, and VRRP between them",
    ),
    FindingRule(
        "read-vip-not-on-node",
        Severity.CRITICAL,
        "With direct routing each of them must take packets for the read VIP.",
        _not_on_node,
        remedy="put the address on its loopback",
    ),
    FindingRule(
        "arp-not-suppressed",
        Severity.CRITICAL,
        "Neighbours may learn this host's address for the read VIP. All readers then go to this host.",
        _arp,
        remedy="arp_ignore 1 and arp_announce 2",
    ),
    FindingRule(
        "lvs-director-unread",
        Severity.WARNING,
        "Whether readers get old data cannot be told.",
        _director_unread,
        remedy="SSH to it, and root for ipvsadm",
    ),
    FindingRule(
        "lvs-real-server-missing",
        Severity.WARNING,
        "The others carry its readers too.",
        _missing,
        remedy="the director's check and its log; runbook lvs-drain-replica where it was taken out by hand",
        superseded_by=("lvs-director-unread",),
    ),
)
