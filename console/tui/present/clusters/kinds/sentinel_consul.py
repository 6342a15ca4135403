"""A master that Sentinels choose, found by a name in Consul: catalog, checks, DNS and role side by side."""

from __future__ import annotations

from textual.content import Content

from console.core.model import ClusterState, ConsulState, NodeState
from console.core.watchers.service_name import full_name, in_words, instance_of, passing, resolved, whose
from console.tui.present.clusters.cells import Row, kind_of_problem, redis_rows, role_cells
from console.tui.present.clusters.kinds.kind_presentation import KindPresentation, Side
from console.tui.present.clusters.kinds.sentinels import SENTINELS, summary
from console.tui.present.clusters.topology import edges
from console.tui.present.formatting import BAD, BOLD, DIM, GOOD, WARN, Lines, Part, age_note, fitted, line


def rows(state: ClusterState, node: NodeState) -> list[Row]:
    """What Consul says of the node stands under what its Redis says."""
    at = state.consul.instances.at if state.consul is not None else 0.0
    return [*redis_rows(state, node), Row("Consul", _of_node(state, node), at)]


def _of_node(state: ClusterState, node: NodeState) -> Content:
    consul = state.consul
    if consul is None:
        return line(("—", DIM))
    if consul.instances.value is None:
        return line((f"? {kind_of_problem(consul.instances)}", WARN))
    found = instance_of(state, node)
    if found is None:
        return line(("! not registered", WARN))
    dns = ", in DNS" if node.name in resolved(state) else ""
    if found.passing:
        fits = node.name in state.masters
        return line((f"{'✓' if fits else '✗'} passing{dns}", GOOD if fits else BAD))
    fits = node.name not in state.masters
    return line((f"{'·' if fits else '✗'} not passing{dns}", BAD if dns or not fits else ""))


def pointer(state: ClusterState, short: bool) -> tuple[str, Content]:
    """`redis.service.consul → app02`."""
    consul = state.consul
    if consul is None:
        return "name", line(("? not known", WARN))
    name = consul.service if short else full_name(consul)
    if consul.dns.value is None and consul.instances.value is None:
        return name, line(("? not known", WARN))
    leads = resolved(state) if consul.dns.value is not None else tuple(whose(state, one) for one in passing(consul))
    if not leads:
        return name, line(("✗ to nobody", BAD))
    if len(leads) > 1:
        return name, line((f"✗ to {len(leads)}" if short else f"✗ to {' and '.join(leads)}", BAD))
    return name, line((f"to {leads[0]}", BOLD if leads[0] in state.masters else f"{BOLD} {BAD}"))


def topology(state: ClusterState, width: int) -> Lines:
    """Clients over the name; Sentinels; then every other node."""
    consul, leads = state.consul, resolved(state)
    head: list[Part] = ["clients ─▶ ", (full_name(consul) if consul else "?", BOLD), " ─▶ "]
    if consul is not None and consul.dns.value is None:
        leads = tuple(whose(state, one) for one in passing(consul))
        head += [(f"(DNS: {consul.dns.problem}) by its checks ", WARN)]
    names = {node.name for node in state.nodes}
    for one in leads:
        cells = role_cells(state, state.node(one)) if one in names else line(("none of these nodes", BAD))
        head += [(one, BOLD), " ", cells, "  "]
    if not leads:
        head += [("✗ nobody", BAD)]
    only = leads[0] if len(leads) == 1 else None
    return (fitted(line(*head), width), summary(state, width), *edges(state, width, but=only))


def consul_lines(state: ClusterState, now: float, width: int) -> Lines:
    """A line a registered instance: its node, its role, its checks; then what DNS answers."""
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
        at = whose(state, one)
        role = role_cells(state, state.node(at)) if at in names else line(("none of these nodes", BAD))
        mark: Part = ("✓ passing  ", GOOD) if one.passing else ("· not passing  ", DIM)
        drawn.append(fitted(line(mark, (f"{at}  ", BOLD), role, (f"  {in_words(one)}", DIM)), width))
    return tuple(drawn) or (line(("✗ the catalog has no instance of it", BAD)),)


def _dns(state: ClusterState, consul: ConsulState, width: int) -> Content:
    answer = consul.dns.value
    if answer is None:
        return fitted(line("DNS  ", (str(consul.dns.problem), WARN)), width)
    said = ", ".join(answer.addresses) or "no address"
    ttl = f", TTL {answer.ttl} s" if answer.ttl is not None else ""
    names = ", ".join(resolved(state))
    return fitted(
        line(("DNS  ", BOLD), (said, "" if answer.addresses else BAD), f" = {names}" if names else "", ttl), width
    )


def tail(_: NodeState) -> Content:
    """Nothing more in one line."""
    return line("")


PRESENTATION = KindPresentation(
    rows=rows,
    pointer=pointer,
    topology=topology,
    sides=(SENTINELS, Side("consul", "Consul", consul_lines)),
    tail=tail,
    essential=6,
    ways=2,
)
