"""Sentinels choose the master; clients find it by a service name in Consul."""

from __future__ import annotations

from textual.content import Content

from console.core.model import ClusterState, ConsulState, NodeState
from console.core.quantities import counted
from console.core.watchers.service_name import (
    checks_in_words,
    dns_nodes,
    full_name,
    instance_of,
    node_label,
    passing_instances,
)
from console.tui.present.clusters.cells import Row, kind_of_problem, redis_rows, role_cells, writable_cells
from console.tui.present.clusters.kinds.kind_presentation import KindPane, KindPresentation
from console.tui.present.clusters.kinds.sentinels import SENTINELS, sentinel_summary
from console.tui.present.clusters.topology import follower_lines
from console.tui.present.formatting import BAD, BOLD, DIM, GOOD, WARN, Lines, Part, age_note, fitted, line


def rows(state: ClusterState, node: NodeState) -> list[Row]:
    """Rows of a node: below its Redis, whether Consul has it registered and passing."""
    at = state.consul.instances.at if state.consul is not None else 0.0
    cells = _consul_cells(state, node)
    beside = cells.plain.find(", role")  # the row of Redis says it, too
    return [*redis_rows(state, node), Row("Consul", cells, at, cells[:beside] if beside > 0 else None)]


def _consul_cells(state: ClusterState, node: NodeState) -> Content:
    consul = state.consul
    if consul is None:
        return line(("—", DIM))
    if consul.instances.value is None:
        return line((f"? {kind_of_problem(consul.instances)}", WARN))
    found = instance_of(state, node)
    if found is None:
        return line(("! not registered", WARN))
    dns = ", in DNS" if node.name in dns_nodes(state) else ""
    if not node.redis.ok:
        return line(("? passing" if found.passing else "? not passing", WARN), f"{dns}, role not known")
    if found.passing:
        if node.name not in state.masters:
            return line((f"✗ passing{dns}", BAD))
        alone = len(passing_instances(consul)) == 1
        return line((f"{'✓' if alone else '!'} passing{dns}", GOOD if alone else WARN))
    fits = node.name not in state.masters
    return line((f"{'·' if fits else '✗'} not passing{dns}", BAD if dns or not fits else ""))


def endpoint(state: ClusterState, short: bool) -> tuple[str, Content]:
    """The service name, and the node that it resolves to: `redis.service.consul`, `to app02`."""
    consul = state.consul
    if consul is None:
        return "name", line(("? not known", WARN))
    name = consul.service if short else full_name(consul)
    if consul.dns.value is None and consul.instances.value is None:
        return name, line(("? not known", WARN))
    targets = (
        dns_nodes(state)
        if consul.dns.value is not None
        else tuple(node_label(state, one) for one in passing_instances(consul))
    )
    if not targets:
        return name, line(("✗ to no address", BAD))
    if len(targets) > 1:
        return name, line((f"✗ to {counted(len(targets), 'node')}" if short else f"✗ to {' and '.join(targets)}", BAD))
    unread = {node.name for node in state.nodes if not node.redis.ok}
    good = targets[0] in state.masters or targets[0] in unread
    return name, line((f"to {targets[0]}", BOLD if good else f"{BOLD} {BAD}"))


def topology(state: ClusterState, width: int) -> Lines:
    """One line each: the service name, Sentinels; then every other node."""
    consul, targets = state.consul, dns_nodes(state)
    head: list[Part] = ["clients ─▶ ", (full_name(consul) if consul else "?", BOLD), " ─▶ "]
    if consul is not None and consul.dns.value is None:
        targets = tuple(node_label(state, one) for one in passing_instances(consul))
        head += [(f"(no DNS: {consul.dns.problem}) by health checks ", WARN)]
    names = {node.name for node in state.nodes}
    for one in targets:
        cells = writable_cells(state, state.node(one)) if one in names else line(("none of these nodes", BAD))
        head += [(one, BOLD), " ", cells, "  "]
    if not targets:
        read = consul is not None and (consul.dns.ok or consul.instances.ok)
        head += [("✗ no address", BAD) if read else ("? not known", WARN)]
    only = targets[0] if len(targets) == 1 else None
    return (fitted(line(*head), width), sentinel_summary(state, width), *follower_lines(state, width, skip=only))


def consul_lines(state: ClusterState, now: float, width: int) -> Lines:
    """One line for each registered instance: its node, role and checks; then the answer of DNS."""
    consul = state.consul
    if consul is None:
        return (line(("No Consul is named in the inventory.", DIM)),)
    note = age_note(consul.instances.age(now))
    head = fitted(line((full_name(consul), BOLD), (f"  {consul.http}", DIM)), width - note.cell_length)
    return (line(head, note), *_instances(state, consul, width), _dns(state, consul, width))


def _instances(state: ClusterState, consul: ConsulState, width: int) -> Lines:
    if consul.instances.value is None:
        return (fitted(line(("✗ catalog: ", BAD), (str(consul.instances.problem), BAD)), width),)
    names = {node.name for node in state.nodes}
    drawn: list[Content] = []
    for one in consul.instances.value:
        at = node_label(state, one)
        role = role_cells(state, state.node(at)) if at in names else line(("none of these nodes", BAD))
        mark: Part = ("✓ passing  ", GOOD) if one.passing else ("· not passing  ", DIM)
        drawn.append(fitted(line(mark, (f"{at}  ", BOLD), role, (f"  {checks_in_words(one)}", DIM)), width))
    return tuple(drawn) or (line(("✗ the catalog has no instance of it", BAD)),)


def _dns(state: ClusterState, consul: ConsulState, width: int) -> Content:
    answer = consul.dns.value
    if answer is None:
        return fitted(line("DNS  ", (str(consul.dns.problem), WARN)), width)
    addresses = ", ".join(answer.addresses) or "no address"
    ttl = f", TTL {answer.ttl} s" if answer.ttl is not None else ""
    names = ", ".join(dns_nodes(state))
    return fitted(
        line(("DNS  ", BOLD), (addresses, "" if answer.addresses else BAD), f" = {names}" if names else "", ttl), width
    )


def compact_suffix(_: NodeState) -> Content:
    """This kind adds nothing to the one-line form."""
    return line("")


PRESENTATION = KindPresentation(
    rows=rows,
    endpoint=endpoint,
    topology=topology,
    panes=(SENTINELS, KindPane("consul", "Consul", consul_lines)),
    compact_suffix=compact_suffix,
    row_count=6,
    fixed_lines=2,
)
