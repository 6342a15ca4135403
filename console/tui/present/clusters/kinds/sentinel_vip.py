"""Sentinels choose the master. Their script moves the write VIP to it; the read VIP is on IPVS directors."""

from __future__ import annotations

from dataclasses import replace

from textual.content import Content

from console.core.model import ClusterState, DirectorState, NodeState, RealServer, VrrpState
from console.core.model.facts import node_by_address, proved_down
from console.core.quantities import counted
from console.tui.present.clusters.cells import Row, problem, redis_rows, vip_cells
from console.tui.present.clusters.kinds.kind_presentation import KindPane, KindPresentation
from console.tui.present.clusters.kinds.sentinels import SENTINELS, sentinel_summary
from console.tui.present.clusters.topology import follower_lines, vip_endpoint, vip_line
from console.tui.present.formatting import BAD, BOLD, DIM, GOOD, WARN, Lines, Part, age_note, fitted, line


def rows(state: ClusterState, node: NodeState) -> list[Row]:
    """Rows of a node: both virtual IPs, and whether the node answers ARP for the read VIP."""
    held = node.holds(state.vip)
    here = line(("✓ holds it", GOOD)) if held and len(state.vip_holders) == 1 else None
    return [
        *redis_rows(state, node),
        Row("Write VIP", vip_cells(state, node), node.addresses.at, here),
        *([Row("Read VIP", _read_vip(state, node), node.addresses.at)] if state.read_vip else []),
    ]


def _read_vip(state: ClusterState, node: NodeState) -> Content:
    held = node.holds(state.read_vip)
    if held is None:
        return line(("? not known", WARN))
    if not held:
        return line(("! not on it", WARN))
    if node.arp.value is None:
        return line(("✓ on lo", GOOD), ", ARP ?")
    return line(("✓ on lo, no ARP reply", GOOD)) if node.arp.value.suppressed else line(("✗ answers ARP", BAD))


def topology(state: ClusterState, width: int) -> Lines:
    """One line each: writers, readers, Sentinels; then every other node."""
    readers = (_readers(state, width),) if state.read_vip else ()
    return (
        vip_line(state, width),
        *readers,
        sentinel_summary(state, width),
        *follower_lines(state, width, skip=state.vip_reaches),
    )


def _readers(state: ClusterState, width: int) -> Content:
    on = [one for one in state.directors if one.holds(state.read_vip)]
    head: list[Part] = ["readers ─▶ ", (f"VIP {state.read_vip}", BOLD)]
    if len(on) != 1:
        unread = any(one.holds(state.read_vip) is None for one in state.directors)
        problem_text: Part = ("? not known which director", WARN) if unread and not on else ("✗ on no director", BAD)
        return fitted(line(*head, " ", (f"✗ on {counted(len(on), 'director')}", BAD) if on else problem_text), width)
    if on[0].services.value is None:
        return fitted(line(*head, f" on {on[0].name} ─▶ ", ("? not known to whom", WARN)), width)
    service = on[0].service(state.read_vip)
    servers: list[Part] = []
    for server in service.servers if service is not None else ():
        servers += [" ", _server(state, server)]
    return fitted(line(*head, f" on {on[0].name} ─▶", *(servers or [(" ✗ no real server", BAD)])), width)


def _server(state: ClusterState, server: RealServer) -> Content:
    """A real server by its node's name; marked where readers would get stale data or no answer."""
    node = node_by_address(state, server.address, server.port)
    name = node.name if node is not None else f"{server.address}:{server.port}"
    if server.weight == 0:
        return line((f"{name} (0)", DIM))
    if node is not None and node.redis.value is None and not proved_down(node):
        return line((f"?{name}", WARN))
    stale = node is None or node.redis.value is None or (node.redis.value.master and not node.redis.value.master.up)
    return line((f"✗{name}", BAD)) if stale else line(name)


def readers(state: ClusterState, now: float, width: int) -> Lines:
    """Each director: its name, its VRRP state, and its table of real servers."""
    if not state.directors:
        return (line(("No director is named in the inventory.", DIM)),)
    drawn: list[Content] = []
    shown: dict[tuple[RealServer, ...], str] = {}
    for one in state.directors:
        drawn.append(_director(state, one, now, width))
        service = one.service(state.read_vip)
        if service is None:
            continue
        table = tuple(replace(server, active=0, inactive=0) for server in service.servers)
        first = shown.setdefault(table, one.name)
        if first != one.name:
            drawn.append(line((f"  the same table as {first}", DIM)))
        else:
            drawn += [fitted(_real_server(state, server), width) for server in service.servers]
    return tuple(drawn)


def _director(state: ClusterState, one: DirectorState, now: float, width: int) -> Content:
    note = age_note(one.services.age(now))
    vip: Part = (" VIP ", "reverse") if one.holds(state.read_vip) else "     "
    head = line((f"{one.name} ", BOLD), vip, " ", _vrrp(one), "  ", _table(state, one))
    return line(fitted(head, width - note.cell_length), note)


def _real_server(state: ClusterState, server: RealServer) -> Content:
    counts = f"  weight {server.weight}, {server.active} active, {server.inactive} inactive, "
    return line("  ", _server(state, server), counts, (server.forward, DIM))


def _vrrp(one: DirectorState) -> Content:
    keepalived = one.keepalived.value
    if keepalived is None:
        return line("keepalived ", problem(one.keepalived))
    if not keepalived.running:
        return line(("✗ keepalived not running", BAD))
    good = keepalived.state in {VrrpState.MASTER, VrrpState.BACKUP}
    return line((f"{'✓' if good else '?'} {keepalived.state}", GOOD if good else WARN))


def _table(state: ClusterState, one: DirectorState) -> Content:
    if one.services.value is None:
        return line("IPVS ", problem(one.services))
    service = one.service(state.read_vip)
    if service is None:
        return line((f"✗ IPVS has no service at {state.read_vip}", BAD))
    return line(f"IPVS {service.scheduler}, {counted(len(service.servers), 'real server')}")


def compact_suffix(_: NodeState) -> Content:
    """This kind adds nothing to the one-line form."""
    return line("")


PRESENTATION = KindPresentation(
    rows=rows,
    endpoint=vip_endpoint,
    topology=topology,
    panes=(SENTINELS, KindPane("readers", "Read VIP", readers)),
    compact_suffix=compact_suffix,
    row_count=7,
    fixed_lines=3,
)
