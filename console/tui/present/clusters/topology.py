"""Lines of the topology that several kinds share: the VIP, and the replication links."""

from __future__ import annotations

import re

from textual.content import Content

from console.core.model import ClusterState, NodeState, ProblemKind, Role
from console.core.model.facts import reaches_stranger, source_of
from console.core.model.silence import SILENCE
from console.core.quantities import counted
from console.tui.present.clusters.cells import link_text, writable_cells
from console.tui.present.formatting import BAD, BOLD, WARN, Lines, Part, fitted, line


def vip_line(state: ClusterState, width: int) -> Content:
    """`clients ─▶ VIP … on redis-b ─▶ redis-b ✓ MASTER`: the run_id that answers at the VIP tells which Redis it is."""
    behind = state.vip_reaches
    holders = " + ".join(state.vip_holders) or ("?" if state.vip_unread else "no node")
    head: list[Part] = ["clients ─▶ ", (f"VIP {state.vip}", BOLD), f" on {holders} ─▶ "]
    if behind is None:
        whole = line(*head, _reached_server(state))
        head.append(_reached_server(state, short=whole.cell_length > width))
    else:
        head.append(line((behind, BOLD), " ", writable_cells(state, state.node(behind))))
    return fitted(line(*head), width)


def _reached_server(state: ClusterState, *, short: bool = False) -> Part:
    """What answers at the VIP, where that is not one of the nodes, or not known. Short: without its address again."""
    if reaches_stranger(state):
        return "✗ a Redis that is not one of these nodes", BAD
    problem = state.vip_reach.problem
    told = re.sub(rf"^Redis (on|at) {re.escape(state.vip)}:\d+:? ", "", str(problem or "")) if short else problem
    if problem is not None and problem.kind not in SILENCE | {ProblemKind.NOT_READ}:
        return f"✗ {told}", BAD
    return f"? {told or 'not known whose Redis: not every node could be read'}", WARN


def follower_lines(state: ClusterState, width: int, *, skip: str | None) -> Lines:
    """One line for every node but `skip`: the master that it replicates from."""
    longest = max((len(node.name) for node in state.nodes), default=0)
    return tuple(
        fitted(_follower_line(state, node, longest, width), width) for node in state.nodes if node.name != skip
    )


def _follower_line(state: ClusterState, node: NodeState, longest: int, width: int) -> Content:
    redis = node.redis.value
    name: Part = (f"{node.name:<{longest}}", BOLD)
    if redis is None:
        whole = line(name, " ─✗ ", (str(node.redis.problem), BAD))
        what, _, _ = str(node.redis.problem).partition(": ")  # why it is so gives way to what is so
        return whole if whole.cell_length <= width else line(name, " ─✗ ", (what, BAD))
    if redis.role is Role.MASTER:
        if len(state.masters) == 1:
            return line(name, " is a master")
        return line(name, " ─✗ ", ("is a master too, replicates from no node", BAD))
    source, link = source_of(state, node), redis.master
    follows = source.name if source else f"{link.host}:{link.port}, not of this cluster" if link else "?"
    alive = link is not None and (link.up or link.sync_in_progress)
    arrow: Part = " ─▶ " if alive else (" ─✗ ", BAD)
    return line(name, arrow, (follows, "" if source else BAD), "  ", (link_text(state, node), "" if alive else BAD))


def vip_endpoint(state: ClusterState, short: bool) -> tuple[str, Content]:
    """The node that holds the VIP, and whether clients reach that node."""
    holders = state.vip_holders
    if len(holders) == 1:
        on = line((f"on {holders[0]}", BOLD))
        if state.vip_reaches not in {None, holders[0]}:
            mark, style = ("?", WARN) if state.vip_reaches in state.vip_unread else ("✗", BAD)
            return "VIP", line(on, (f" {mark} reaches {state.vip_reaches}", style))
        return "VIP", on
    if holders:
        return "VIP", line((f"✗ on {counted(len(holders), 'node')}" if short else f"✗ on {' and '.join(holders)}", BAD))
    return "VIP", line(("? not known", WARN)) if state.vip_unread else line(("✗ on no node", BAD))
