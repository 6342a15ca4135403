"""Finds what is wrong in one observation: runs the rules of its kind. A pure function; `now` is an argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from console.core.diagnosis.finding import Finding, Health, NextAction, Severity
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.rule import FindingRule, Match
from console.core.kinds import all_kinds, kind_of
from console.core.kinds.protection import protection
from console.core.model import ClusterState
from console.core.model.verdict import Verdict

SHOWS_AT_NEXT_RESTART = frozenset({"replica-not-in-config", "unsaved-changes", "script-security-off"})
"""Codes of information that does harm only later. Nobody looks at the cluster then as closely as after a run."""


def _failover_not_known(state: ClusterState) -> Iterator[Match]:
    """No other finding says what is wrong, and yet nothing shows that the cluster survives the next failure."""
    told = protection(state)
    first = next((one for one in kind_of(state.kind).protection(state) if one.verdict is told.verdict), None)
    advice = (first.advice if first else "") or "see what is behind that reason; r looks again, and a log may say more"
    if told.verdict is Verdict.FAILS:
        yield Match((), "It would not survive the next failure of its master.", told.sentences, advise(advice))
    else:
        yield Match((), "Whether it survives the next failure is not known.", told.sentences, advise(advice))


NOT_KNOWN = FindingRule(
    "failover-not-known",
    Severity.INFO,
    "It is not known whether clients are served, or would be after the next failure.",
    _failover_not_known,
    remedy="see what could not be read, and why",
)
"""The reason of a health that is UNKNOWN. It is found only where nothing else is."""


def all_rules() -> tuple[FindingRule, ...]:
    """The rules of all finding codes, in the order of the kinds."""
    return (*dict.fromkeys(row for kind in all_kinds() for row in kind.rules), NOT_KNOWN)


def diagnose(state: ClusterState, now: float) -> tuple[Finding, ...]:  # noqa: ARG001 - rules that judge ages need it
    """All findings of this observation, the worst first. Within a severity they have the order of the rules.

    A finding is left out if another finding on one of its nodes supersedes it. So one cause gives few lines.
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
    if not state.nothing_read and health(state, tuple(kept)) is Health.UNKNOWN:
        kept = [*NOT_KNOWN.find(state), *kept]
    return tuple(sorted(kept, key=lambda finding: finding.severity.rank))


def told_instead(finding: Finding, state: ClusterState, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those of the findings of this state that were told instead of this one. Empty: its fact is not read in it.

    The rule of the finding still finds it on one of its nodes, and what supersedes it there was found too.
    """
    rows = [row for row in kind_of(state.kind).rules if row.code == finding.code]
    still = {node for row in rows for one in row.find(state) for node in one.nodes} & set(finding.nodes)
    codes = {code for row in rows for code in row.superseded_by}
    return tuple(one for one in findings if one.code in codes and still & set(one.nodes))


def _with_help(finding: Finding, instead: Mapping[str, NextAction]) -> Finding:
    """The finding with the runbook of this kind, if the rule names a runbook of another kind."""
    helps = instead.get(finding.next.runbook or "")
    return finding if helps is None else replace(finding, next=helps)


def left_behind(state: ClusterState, now: float) -> tuple[Finding, ...]:
    """The findings that a run leaves behind: all but information that changes nothing at the next restart or crash."""
    return tuple(
        one for one in diagnose(state, now) if one.severity is not Severity.INFO or one.code in SHOWS_AT_NEXT_RESTART
    )


def health(state: ClusterState, findings: tuple[Finding, ...]) -> Health:
    """The health of the cluster. UNKNOWN: nothing could be observed, or too little to call it healthy."""
    if state.nothing_read:
        return Health.UNKNOWN
    worst = {finding.severity for finding in findings}
    if Severity.CRITICAL in worst:
        return Health.CRITICAL
    if Severity.WARNING in worst:
        return Health.WARNING
    return Health.HEALTHY if protection(state).verdict is Verdict.HOLDS else Health.UNKNOWN
