"""A pair behind a virtual IP that keepalived moves."""

from __future__ import annotations

from textual.content import Content

from console.core.model import ClusterState, NodeState
from console.tui.present.clusters.cells import (
    Row,
    notify_row,
    priority_cells,
    problem,
    redis_rows,
    short_log,
    vip_cells,
    vrrp_cells,
)
from console.tui.present.clusters.kinds.kind_presentation import KindPane, KindPresentation
from console.tui.present.clusters.topology import follower_lines, vip_endpoint, vip_line
from console.tui.present.formatting import BOLD, DIM, GOOD, Lines, clock_text, fitted, line


def rows(state: ClusterState, node: NodeState) -> list[Row]:
    """Rows of a node: the VIP, keepalived's state and priority, and the newest line of its notify log."""
    held = node.holds(state.vip)
    here = line(("✓ holds it", GOOD)) if held and len(state.vip_holders) == 1 else None
    keepalived = node.keepalived.value
    priority = None
    if keepalived is not None and keepalived.instance is not None:
        now = "not in use"
        if keepalived.running:
            known = keepalived.effective_priority
            now = "now not known" if known is None else f"now {known}"
        priority = line(f"{keepalived.instance.priority}, {now}")
    return [
        *redis_rows(state, node),
        Row("VIP", vip_cells(state, node), node.addresses.at, here),
        Row("keepalived", vrrp_cells(node), node.keepalived.at, _short_vrrp(node)),
        Row("Priority", priority_cells(node), node.keepalived.at, priority),
        notify_row(state, node),
    ]


def _short_vrrp(node: NodeState) -> Content | None:
    keepalived, cells = node.keepalived.value, vrrp_cells(node)
    if keepalived is None or not keepalived.running or not keepalived.since:
        return None
    return line(cells[: cells.plain.index(" since ")], f" {clock_text(keepalived.since)}")


def topology(state: ClusterState, width: int) -> Lines:
    """One line each: the VIP; then every other node."""
    return (vip_line(state, width), *follower_lines(state, width, skip=state.vip_reaches))


def compact_suffix(node: NodeState) -> Content:
    """Keepalived's state and priority."""
    keepalived = node.keepalived.value
    if keepalived is None:
        word = problem(node.keepalived)
    else:
        word = line(str(keepalived.state) if keepalived.running else "stopped")
    known = keepalived is not None and keepalived.running and keepalived.effective_priority is not None
    return line((" · keepalived ", DIM), word, f" {keepalived.effective_priority}" if keepalived and known else "")


def logs(state: ClusterState, _: float, width: int) -> Lines:
    """The last lines of each node's notify log."""
    drawn: list[Content] = []
    for node in state.nodes:
        found = node.notify_log.value
        where = found.path if found else str(node.notify_log.problem)
        drawn.append(fitted(line((node.name, BOLD), (f"  {where}", DIM)), width))
        drawn += [fitted(line("  ", short_log(one)), width) for one in (found.lines if found else ())]
    return tuple(drawn)


PRESENTATION = KindPresentation(
    rows=rows,
    endpoint=vip_endpoint,
    topology=topology,
    panes=(KindPane("logs", "Notify logs", logs),),
    compact_suffix=compact_suffix,
    row_count=9,
    fixed_lines=0,
)
