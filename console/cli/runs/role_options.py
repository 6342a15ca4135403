"""The option `--bind ROLE=NODE`, and the errors for roles that no node fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from console.cli.context import CliError

if TYPE_CHECKING:
    from console.core.inventory import ClusterSpec
    from console.core.runbooks.binding import Unbound
    from console.core.runbooks.candidates import Candidates
    from console.core.runbooks.document import Runbook


def chosen_roles(bind: Sequence[str], runbook: Runbook, cluster: ClusterSpec) -> Mapping[str, str]:
    """Role → node, as the operator chose. Raises CliError if a role or a node does not exist."""
    roles, nodes = [role.name for role in runbook.roles], [node.name for node in cluster.nodes]
    chosen: dict[str, str] = {}
    for text in bind:
        role, equals, node = text.partition("=")
        if not equals:
            raise CliError(f"--bind {text}: write ROLE=NODE, as --bind {roles[0] if roles else 'role'}={nodes[0]}")
        if role not in roles:
            raise CliError(f"--bind {text}: {runbook.name} has no role {role}; it has {', '.join(roles)}")
        if node not in nodes:
            raise CliError(f"--bind {text}: {cluster.name} has no node {node}; it has {', '.join(nodes)}")
        chosen[role] = node
    return chosen


def check_kind(runbook: Runbook, cluster: ClusterSpec) -> None:
    """Raises CliError if the runbook is for another kind of cluster."""
    if runbook.kind != cluster.kind:
        raise CliError(
            f"{runbook.name} is for clusters of kind {runbook.kind}, and {cluster.name} is of kind {cluster.kind}:"
            " `runbooks list` names all runbooks"
        )


def unbound_text(unbound: Unbound, found: Candidates) -> str:
    """Why no node has the role, the facts of each candidate, and how to choose one if the operator may."""
    reasons = "; ".join(found.lines or map(str, unbound.reasons))
    if found.of and found.reason:
        reasons = f"{reasons}. {found.reason.rstrip('.')}"
    said = f"no single node is {unbound.role}: {reasons}" if reasons else f"no single node is {unbound.role}"
    if not unbound.candidates:
        return said
    return f"{said}; choose with --bind {unbound.role}=NODE ({' or '.join(found.fitting or unbound.candidates)})"
