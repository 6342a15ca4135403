"""What a kind of cluster says on the screen: rows of its nodes, what points clients at the master, its own parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.content import Content

from console.core.model import ClusterState, NodeState
from console.tui.present.clusters.cells import Row
from console.tui.present.formatting import Lines


@dataclass(frozen=True, slots=True)
class Side:
    """A part of the screen beside findings, timeline and history."""

    name: str
    """Of its tab."""
    title: str
    draw: Callable[[ClusterState, float, int], Lines]
    """(state, now, width) → its lines, the essential ones first."""


@dataclass(frozen=True, slots=True)
class KindPresentation:
    """One kind."""

    rows: Callable[[ClusterState, NodeState], list[Row]]
    """The essential rows of a node's card, in the order to read them."""
    pointer: Callable[[ClusterState, bool], tuple[str, Content]]
    """(state, short) → the name of what points clients at the master, and where it points."""
    topology: Callable[[ClusterState, int], Lines]
    """Who reaches whom: ways of clients and watchers first, one line each."""
    sides: tuple[Side, ...]
    tail: Callable[[NodeState], Content]
    """What a node's one-line form ends with."""
    essential: int
    """Number of its rows."""
    ways: int
    """Lines of the topology that no screen is too low for; 0: one a node."""
