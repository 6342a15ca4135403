"""What a kind of cluster names: its rules, what protects it, what its gates rest on, and which runbooks help it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from console.core.diagnosis.finding import NextAction
from console.core.diagnosis.rule import FindingRule
from console.core.model import ClusterState
from console.core.model.verdict import Check


def _everywhere(_: ClusterState) -> Mapping[str, NextAction]:
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of cluster, as `kind:` in the inventory has it."""

    name: str
    description: str
    """In a few words, for lists and help."""
    rules: tuple[FindingRule, ...]
    """The rules of its findings, in order."""
    protection: Callable[[ClusterState], tuple[Check, ...]]
    """Each part of surviving the next failure, in the order in which a rebuild restores them."""
    protected: str
    """What is true when all of them hold."""
    facts: Callable[[ClusterState], Mapping[str, str]]
    """Facts beside the nodes' own that must not change between showing and sending (H08)."""
    keepalived_on_nodes: bool = True
    """False: its nodes need none, so that one that does not run is not worth a word."""
    runbook_replacements: Mapping[str, NextAction] = field(default_factory=dict)
    """Where a shared rule names a runbook of another kind: what helps here."""
    state_replacements: Callable[[ClusterState], Mapping[str, NextAction]] = _everywhere
    """The same for one cluster of this kind, by what was observed of it."""
