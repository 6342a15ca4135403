"""Findings from one observation: the rows of its kind, run over the state. Pure; `now` is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from console.core.diagnosis.finding import Finding, Health, NextAction, Severity
from console.core.diagnosis.rule import FindingRule
from console.core.kinds import all_kinds, kind_of
from console.core.kinds.protection import protection
from console.core.model import ClusterState
from console.core.model.verdict import Verdict


def all_rules() -> tuple[FindingRule, ...]:
    """Every finding code that there is, in the order of the kinds."""
    return tuple(dict.fromkeys(row for kind in all_kinds() for row in kind.rules))


def diagnose(state: ClusterState, now: float) -> tuple[Finding, ...]:  # noqa: ARG001 - rules that judge ages need it
    """Every finding of this observation, worst first, within a severity in the order of the rows.

    What another finding says better, about one of the same nodes, is left out: one cause gives few lines.
    """
    kind = kind_of(state.kind)
    found = [(row, finding) for row in kind.rules for finding in row.find(state)]
    named = {(finding.code, node) for _, finding in found for node in finding.nodes}
    instead = {**kind.runbook_replacements, **kind.state_replacements(state)}
    kept = [
        _with_help(finding, instead)
        for row, finding in found
        if not any((code, node) in named for code in row.superseded_by for node in finding.nodes)
    ]
    return tuple(sorted(kept, key=lambda finding: finding.severity.rank))


def _with_help(finding: Finding, instead: Mapping[str, NextAction]) -> Finding:
    """The finding with the runbook of its own kind, where a shared rule names another one's."""
    helps = instead.get(finding.next.runbook or "")
    return finding if helps is None else replace(finding, next=helps)


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
