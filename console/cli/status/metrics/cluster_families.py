"""Metrics of a whole cluster: health, findings, the virtual IP, and what could be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from console.cli.status.as_json import ClusterStatus
from console.cli.status.metrics.family import CLUSTER, NODE, Family, Sample, Value, flag, of_cluster, of_nodes, rounded
from console.core.diagnosis.finding import Health, Severity
from console.core.keepalived.running_scripts import loss_window
from console.core.kinds.protection import protection
from console.core.model import ClusterState, NodeState, ProblemKind, Reading
from console.core.model.facts import reaches_stranger, unread_redis
from console.core.model.verdict import Verdict
from console.core.runs.past.kept_keys import counted_once, reminders

_NOTHING_TO_READ = frozenset(
    {ProblemKind.NOT_READ, ProblemKind.NOT_CONFIGURED, ProblemKind.ABSENT, ProblemKind.NOT_AVAILABLE}
)
"""Not asked for, or known not to be there: neither read nor unreadable."""


def _health(seen: ClusterStatus) -> list[Sample]:
    return [((seen.state.name,), seen.health.value)]


def _info(seen: ClusterStatus) -> list[Sample]:
    state = seen.state
    return [((state.name, state.kind, state.vip, state.read_vip, state.master_name), 1)]


def _tags(seen: ClusterStatus) -> list[Sample]:
    return [((seen.state.name, tag), 1) for tag in seen.tags]


def _survives(state: ClusterState) -> Value:
    return {Verdict.HOLDS: 1, Verdict.FAILS: 0, Verdict.UNKNOWN: None}[protection(state).verdict]


def _window(state: ClusterState) -> Value:
    found = loss_window(state)
    if found is not None:
        return int(found.opens is None)
    return 0 if all(node.processes.ok for node in state.nodes) else None


def _reaches(seen: ClusterStatus) -> Iterator[Sample]:
    state = seen.state
    if state.vip_reaches is not None or reaches_stranger(state):
        for node in state.nodes:
            yield (state.name, node.name), int(state.vip_reaches == node.name)


def _counts(seen: ClusterStatus) -> list[Sample]:
    severities = [one.severity for one in seen.findings]
    return [((seen.state.name, one.value), severities.count(one)) for one in Severity]


def _findings(seen: ClusterStatus) -> Iterator[Sample]:
    for one in seen.findings:
        yield (seen.state.name, one.code, one.severity.value, ",".join(one.nodes)), 1


def _node_readings(seen: ClusterStatus) -> Iterator[Sample]:
    for node in seen.state.nodes:
        for field in fields(node):
            reading = getattr(node, field.name)
            if isinstance(reading, Reading) and (ok := _was_read(reading)) is not None:
                yield (seen.state.name, node.name, field.name), ok


def _watcher_readings(seen: ClusterStatus) -> Iterator[Sample]:
    state = seen.state
    watchers = [(one.name, one) for some in (state.sentinels, state.directors) for one in some]
    for name, watcher in [*watchers, *([("consul", state.consul)] if state.consul is not None else [])]:
        for field in fields(watcher):
            reading = getattr(watcher, field.name)
            if isinstance(reading, Reading) and (ok := _was_read(reading)) is not None:
                yield (state.name, name, field.name), ok


def _was_read(reading: Reading[Any]) -> Value:
    """1: read, 0: it could not be read. None: there is nothing to be read."""
    if reading.problem is not None and reading.problem.kind in _NOTHING_TO_READ:
        return None
    return flag(reading.ok)


def _holds_read_vip(seen: ClusterStatus) -> Iterator[Sample]:
    state = seen.state
    for node in state.nodes if state.read_vip else ():
        yield (state.name, node.name), flag(node.holds(state.read_vip))


def _holds_vip(seen: ClusterStatus) -> Iterator[Sample]:
    state = seen.state
    for node in state.nodes if state.vip else ():
        yield (state.name, node.name), flag(node.holds(state.vip))


def _armed(node: NodeState) -> Value:
    return flag(node.run_lock.value is not None) if node.run_lock.ok else None


FAMILIES = (
    Family(
        "cluster_health",
        "Health of the cluster. A cluster that cannot be used is unknown.",
        CLUSTER,
        _health,
        states=tuple(Health),
        of_unusable=lambda one: [((one.name,), Health.UNKNOWN.value)],
    ),
    Family(
        "cluster_usable",
        "1 if the cluster is observed, 0 if its part of the inventory is wrong or a password is missing.",
        CLUSTER,
        of_cluster(lambda _: 1),
        of_unusable=lambda one: [((one.name,), 0)],
    ),
    Family(
        "cluster", "What the cluster is.", (*CLUSTER, "kind", "vip", "read_vip", "master_name"), _info, is_info=True
    ),
    Family("cluster_tag", "1 for each tag of the inventory.", (*CLUSTER, "tag"), _tags),
    Family(
        "observed_timestamp_seconds",
        "When it was observed.",
        CLUSTER,
        of_cluster(lambda state: rounded(state.observed_at)),
        unit="seconds",
    ),
    Family(
        "survives_next_failure",
        "1 if the cluster fails over when its master fails, 0 if it does not. Absent: that is not known.",
        CLUSTER,
        of_cluster(_survives),
    ),
    Family(
        "masters",
        "Nodes whose Redis is a master. Absent: the role of a node is not known.",
        CLUSTER,
        of_cluster(lambda state: None if unread_redis(state) else len(state.masters)),
    ),
    Family(
        "loss_window_open",
        "1 while a running notify script makes a failure of the master lose writes.",
        CLUSTER,
        of_cluster(_window),
    ),
    Family("findings", "Findings that hold now, by severity.", (*CLUSTER, "severity"), _counts),
    Family(
        "finding",
        "1 for each finding that holds now. Its nodes are separated by commas.",
        (*CLUSTER, "code", "severity", "nodes"),
        _findings,
    ),
    Family(
        "vip_holders",
        "Nodes whose kernel has the virtual IP. Absent: it is not known of one of them.",
        CLUSTER,
        of_cluster(lambda state: len(state.vip_holders) if state.vip and not state.vip_unread else None),
    ),
    Family(
        "vip_read",
        "1 if it is known what answers at the virtual IP, 0 if that could not be read.",
        CLUSTER,
        of_cluster(lambda state: _was_read(state.vip_reach) if state.vip else None),
    ),
    Family("vip_reaches", "1 for the node whose Redis answers at the virtual IP.", NODE, _reaches),
    Family("holds_vip", "1 if the node's kernel has the virtual IP.", NODE, _holds_vip),
    Family("holds_read_vip", "1 if the node's kernel has the read VIP.", NODE, _holds_read_vip),
    Family(
        "kept_keys",
        "Keys that a run has written to a file on this machine, and that no replay has settled.",
        CLUSTER,
        lambda seen: [((seen.state.name,), counted_once(reminders(seen.kept)))],
    ),
    Family("run_armed", "1 while a run is armed that holds the lock of the node.", NODE, of_nodes(_armed)),
    Family(
        "read",
        "1 if this was read on the node, 0 if it could not be read. Absent: the node does not have it.",
        (*NODE, "reading"),
        _node_readings,
    ),
    Family(
        "watcher_read",
        "The same for a Sentinel, a director and Consul.",
        (*CLUSTER, "watcher", "reading"),
        _watcher_readings,
    ),
)
