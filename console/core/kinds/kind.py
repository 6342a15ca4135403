"""A kind of cluster: its rules, its protection, the facts of its gates, and its runbooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from console.core.diagnosis.finding import NextAction
from console.core.diagnosis.rule import FindingRule
from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState
from console.core.model.verdict import Check


def _everywhere(_: ClusterState) -> Mapping[str, NextAction]:
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of cluster, as `kind:` in the inventory names it."""

    name: str
    description: str
    """A few words for lists and help."""
    rules: tuple[FindingRule, ...]
    """The rules of its findings. Within a severity, findings have this order."""
    protection: Callable[[ClusterState], tuple[Check, ...]]
    """The conditions for surviving the next failure, in the order in which a rebuild restores them."""
    protected: str
    """The sentence if all of them hold."""
    facts: Callable[[ClusterState], Mapping[str, str]]
    """Facts beside those of the nodes. They must not change between the gate and the command (H08)."""
    keepalived_on_nodes: bool = True
    """False: its nodes need no keepalived, so a stopped keepalived is not shown."""
    runbook_replacements: Mapping[str, NextAction] = field(default_factory=dict)
    """Runbook that a shared rule names → the next action for this kind."""
    state_replacements: Callable[[ClusterState], Mapping[str, NextAction]] = _everywhere
    """The same for one cluster, depending on its observed state."""
