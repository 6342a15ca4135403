"""What `status --watch` tells of one cluster: the present state first, then each change. Pure.

What could not be read has not changed. A finding is closed only when everything that was known while it was open is
known again: without that, it may only have become invisible. A finding whose fact is still read, but told by another
finding, is replaced: nothing is solved then.

A line about a finding has one form: `open`, `changed`, `replaced` or `closed`, then what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from console.core.changes.timeline import Event, Told, tell
from console.core.diagnosis.finding import Finding, Health
from console.core.model import ClusterState, ProblemKind, Reading
from console.core.model.facts import masters_in_words, vip_holders_in_words, vip_reached_in_words

HEALTH, FINDING = "health", "finding"
"""Subjects of events beside those of the timeline."""
_PROVED = frozenset({ProblemKind.ABSENT, ProblemKind.NOT_AVAILABLE, ProblemKind.NOT_CONFIGURED})
"""Problems that are knowledge: there is nothing to be read."""
_REFUSAL_IS_KNOWLEDGE = frozenset({"redis", "vip_reach", "sentinel"})
"""Readings of a port: nothing listens there. An SSH that refuses says nothing about the node behind it."""
Key = tuple[str, tuple[str, ...]]
"""Code and nodes: what makes two findings the same."""
Instead = Callable[[Finding], tuple[Finding, ...]]
"""The findings of the new observation that are told instead of one of before. Empty: its fact is not read any more."""


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """A finding that was told and not closed yet."""

    finding: Finding
    known: frozenset[str]
    """The readings that were known when it was last found."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was told of a cluster."""

    told: Told
    health: Health
    """The last one that was known; UNKNOWN: it never was."""
    health_known: bool
    open: Mapping[Key, OpenFinding]


def watch(
    before: Watched | None, shown: ClusterState, findings: tuple[Finding, ...], health: Health, told_instead: Instead
) -> tuple[Watched, tuple[Event, ...]]:
    """What is to be told now. `shown`: the observation, with what `carried` has added to it.

    `told_instead`: the rule of the diagnosis, for this observation and these findings.
    """
    told, changes = tell(before.told if before is not None else None, shown)
    known = known_readings(shown)
    now = {_key(one): OpenFinding(one, known) for one in findings}
    is_known = health is not Health.UNKNOWN
    if before is None:
        texts = [f"open: {_in_words(one)}" for one in _worst_first(findings)]
        return Watched(told, health, is_known, now), (_present(shown, health), *(_finding(shown, one) for one in texts))
    ended = {key: one for key, one in before.open.items() if key not in now}
    instead = {key: _same_code(one, findings, known) or told_instead(one.finding) for key, one in ended.items()}
    left = {key: one for key, one in ended.items() if not instead[key] and one.known - known}
    texts = [*_opened(before.open, findings), *_ended(ended, instead, left)]
    events = (
        *(Event(shown.observed_at, HEALTH, text) for text in _health_changes(before, health)),
        *changes,
        *(_finding(shown, text) for text in texts),
    )
    return Watched(told, health if is_known else before.health, is_known, {**left, **now}), events


def known_readings(state: ClusterState) -> frozenset[str]:
    """The readings of all parts whose value is known, or of which it is known that there is none: `redis-a.redis`."""
    parts: dict[str, Any] = {"cluster": state, "consul": state.consul}
    for some in (state.nodes, state.sentinels, state.directors):
        parts |= {one.name: one for one in some}
    return frozenset(
        f"{owner}.{field.name}"
        for owner, part in parts.items()
        if part is not None
        for field in fields(part)
        if isinstance(reading := getattr(part, field.name), Reading) and _is_known(field.name, reading)
    )


def _is_known(name: str, reading: Reading[Any]) -> bool:
    if reading.problem is None or reading.problem.kind in _PROVED:
        return True
    return reading.problem.kind is ProblemKind.REFUSED and name in _REFUSAL_IS_KNOWLEDGE


def _present(state: ClusterState, health: Health) -> Event:
    """Health, master, and the virtual IP where there is one."""
    texts = [_health(health), f"master {masters_in_words(state)}"]
    if state.vip:
        texts += [f"VIP {vip_holders_in_words(state)}", f"clients reach {vip_reached_in_words(state)}"]
    return Event(state.observed_at, HEALTH, ", ".join(texts))


def _health(health: Health) -> str:
    return "not known" if health is Health.UNKNOWN else health.value


def _health_changes(before: Watched, health: Health) -> Iterator[str]:
    if health is Health.UNKNOWN:
        if before.health_known:
            yield f"not known any more, it was {before.health}"
    elif health is not before.health and before.health is not Health.UNKNOWN:
        yield f"{before.health} → {health}"
    elif not before.health_known:
        yield f"{health}" if before.health is Health.UNKNOWN else f"known again, {health} as before"


def _opened(before: Mapping[Key, OpenFinding], findings: tuple[Finding, ...]) -> Iterator[str]:
    """The findings that are new, and those of another severity than before."""
    for one in _worst_first(findings):
        last = before.get(_key(one))
        if last is None:
            yield f"open: {_in_words(one)}"
        elif last.finding.severity is not one.severity:
            yield f"changed: {last.finding.severity} → {_in_words(one)}"


def _ended(
    ended: Mapping[Key, OpenFinding], instead: Mapping[Key, tuple[Finding, ...]], left: Mapping[Key, OpenFinding]
) -> Iterator[str]:
    for key, one in ended.items():
        if instead[key]:
            named = " and ".join(_named(other) for other in instead[key])
            yield f"replaced: {_named(one.finding)} is now {named}"
        elif key not in left:
            yield f"closed: {_named(one.finding)}"


def _same_code(ended: OpenFinding, findings: tuple[Finding, ...], known: frozenset[str]) -> tuple[Finding, ...]:
    """The findings of the same code that hold now for a part of the nodes, or for more of them."""
    if ended.known - known:
        return ()
    code, nodes = ended.finding.code, set(ended.finding.nodes)
    return tuple(one for one in findings if one.code == code and nodes & set(one.nodes))


def _worst_first(findings: tuple[Finding, ...]) -> list[Finding]:
    return sorted(findings, key=lambda one: one.severity.rank)


def _key(finding: Finding) -> Key:
    return finding.code, finding.nodes


def _finding(state: ClusterState, text: str) -> Event:
    return Event(state.observed_at, FINDING, text)


def _named(finding: Finding) -> str:
    return f"{finding.code}{' on ' + ' and '.join(finding.nodes) if finding.nodes else ''}"


def _in_words(finding: Finding) -> str:
    return f"{finding.severity} {_named(finding)}: {finding.summary}"
