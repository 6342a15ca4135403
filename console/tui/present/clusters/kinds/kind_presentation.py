"""What one kind of cluster shows: the rows of its nodes, the endpoint of its clients, its topology, its own panes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.content import Content

from console.core.model import ClusterState, NodeState
from console.tui.present.clusters.cells import Row
from console.tui.present.formatting import Lines


@dataclass(frozen=True, slots=True)
class KindPane:
    """A pane that only some kinds have, beside findings, timeline and history."""

    name: str
    """The id of its widget."""
    title: str
    draw: Callable[[ClusterState, float, int], Lines]
    """(state, now, width) → its lines, the most important first."""


@dataclass(frozen=True, slots=True)
class KindPresentation:
    """How one kind of cluster is shown."""

    rows: Callable[[ClusterState, NodeState], list[Row]]
    """The first rows of a node's card."""
    row_count: int
    """How many `rows` there are."""
    endpoint: Callable[[ClusterState, bool], tuple[str, Content]]
    """(state, short) → the VIP or service name that clients use, and the node that it leads to."""
    topology: Callable[[ClusterState, int], Lines]
    """(state, width) → one line for each path: clients and Sentinels first, then the replication links."""
    fixed_lines: int
    """How many lines of the topology every screen shows, however low it is; 0: one for each node."""
    panes: tuple[KindPane, ...]
    compact_suffix: Callable[[NodeState], Content]
    """The end of a node's one-line form."""
