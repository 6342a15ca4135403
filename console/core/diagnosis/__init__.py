"""Findings from one observation: ordered, commented rows by subject, run over the state. Pure; `now` is an argument."""

from __future__ import annotations

from console.core.diagnosis import keepalived_files, reachability, roles, settings, virtual_ip, vrrp
from console.core.diagnosis.row import Row
from console.core.finding import Finding, Health, Severity
from console.core.model import ClusterState
from console.core.predicate import Verdict
from console.core.protection import protection

__all__ = ["ROWS", "diagnose", "health"]

ROWS: tuple[Row, ...] = (
    *reachability.ROWS,
    *virtual_ip.ROWS,
    *roles.ROWS,
    *vrrp.ROWS,
    *keepalived_files.ROWS,
    *settings.ROWS,
)


def diagnose(state: ClusterState, now: float) -> tuple[Finding, ...]:  # noqa: ARG001 - rules that judge ages need it
    """Every finding of this observation, worst first, within a severity in the order of the rows.

    What another finding says better, about one of the same nodes, is left out: one cause gives few lines.
    """
    found = [(row, finding) for row in ROWS for finding in row.find(state)]
    named = {(finding.code, node) for _, finding in found for node in finding.nodes}
    kept = [
        finding
        for row, finding in found
        if not any((code, node) in named for code in row.said_by for node in finding.nodes)
    ]
    return tuple(sorted(kept, key=lambda finding: finding.severity.rank))


def health(state: ClusterState, findings: tuple[Finding, ...]) -> Health:
    """The cluster in one word. Unknown where nothing could be observed, or not enough to say that all is well."""
    if not any(node.ssh.ok or node.redis.ok for node in state.nodes):
        return Health.UNKNOWN
    worst = {finding.severity for finding in findings}
    if Severity.CRITICAL in worst:
        return Health.CRITICAL
    if Severity.WARNING in worst:
        return Health.WARNING
    return Health.HEALTHY if protection(state).verdict is Verdict.HOLDS else Health.UNKNOWN
