"""`status --format json`: an observation as JSON. This is a public interface: keys may be added, never renamed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from console.cli.status.scripts_json import pending_json, window_json
from console.cli.status.watchers import watchers_json
from console.core.diagnosis.finding import Finding, Health, ranked_as
from console.core.inventory import UnusableCluster
from console.core.kinds.diagnose import diagnose, health
from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, Keepalived, MasterLink, NodeState, Persistence, Reading, RunLock
from console.core.model.facts import bytes_behind, vip_reached_in_words
from console.core.runs.lock import holders, runs_on
from console.core.visible import json_text

if TYPE_CHECKING:  # few runs have kept keys, and a status loads what is about runs only then
    from console.core.runs.past.kept_keys import KeptKeys

VERSION = 1


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """An observation of a cluster, with its findings and its health."""

    state: ClusterState
    findings: tuple[Finding, ...]
    health: Health
    kept: tuple[KeptKeys, ...] = ()
    """Keys that a run has taken from its nodes and that are only in a file on this machine."""
    tags: tuple[str, ...] = ()
    """The tags that the inventory gives it."""

    @classmethod
    def of(cls, state: ClusterState, tags: tuple[str, ...], kept: tuple[KeptKeys, ...] = ()) -> ClusterStatus:
        """What the rules say of an observation."""
        findings = diagnose(state, state.observed_at)
        return cls(state, findings, health(state, findings), kept, tags)

    @property
    def ranked(self) -> Health:
        """The health by which it is sorted and selected."""
        return ranked_as(self.health, self.findings)


def as_json(seen: Sequence[ClusterStatus], now: float, unusable: Sequence[UnusableCluster] = ()) -> str:
    """The whole document, with a line end."""
    clusters = [*(_cluster(one) for one in seen), *(_unusable(one) for one in unusable)]
    document = {"version": VERSION, "observed_at": timestamp(now), "clusters": clusters}
    return json_text(document, 1) + "\n"


def timestamp(at: float | None) -> str | None:
    """The time as RFC 3339 in UTC with milliseconds. None stays None."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cluster(seen: ClusterStatus) -> dict[str, Any]:
    state = seen.state
    return {
        "name": state.name,
        "kind": state.kind,
        "tags": list(seen.tags),
        "observed_at": timestamp(state.observed_at),
        "health": seen.health.value,
        "problems": [],
        "vip": {
            "address": state.vip or None,
            "holders": list(state.vip_holders),
            "not_known_of": list(state.vip_unread),
            "reaches": state.vip_reaches,
            "error": _vip_error(state),
        },
        "window": window_json(state),
        "nodes": [_node(state, node) for node in state.nodes],
        **watchers_json(state),
        "runs": [_run(state, one) for one in runs_on(state)],
        "findings": [_finding(one) for one in seen.findings],
        "kept_keys": [_kept(one) for one in seen.kept],
    }


def _kept(kept: KeptKeys) -> dict[str, Any]:
    what = {"run": kept.run_id, "node": kept.node, "file": kept.file, "keys": kept.keys, "command": kept.command}
    flags = {"replaced": kept.replaced, "source_left_alone": kept.source_left_alone, "repeated": kept.repeated}
    return {**what, **flags, "of": kept.of, "why_left": list(kept.why), "dismiss": kept.dismiss_command}


def _unusable(one: UnusableCluster) -> dict[str, Any]:
    """A cluster that was not observed, because its part of the inventory is wrong, or a password is missing."""
    return {
        "name": one.name,
        "kind": None,
        "tags": None if one.tags is None else list(one.tags),
        "observed_at": None,
        "health": Health.UNKNOWN.value,
        "problems": list(one.problems),
        "vip": {"address": None, "holders": [], "reaches": None, "error": one.problems[0]},
        "window": None,
        "nodes": [],
        "runs": [],
        "findings": [],
        "kept_keys": [],
    }


def _vip_error(state: ClusterState) -> str | None:
    """Why it is not known which node answers at the virtual IP. None: it is known."""
    if state.vip_reach.value is None:
        return _error(state.vip_reach)
    if state.vip_reaches is None:
        return f"run_id {state.vip_reach.value.run_id} answers there: {vip_reached_in_words(state)}"
    return None


def _error(reading: Reading[Any]) -> str | None:
    return None if reading.problem is None else str(reading.problem)


def _node(state: ClusterState, node: NodeState) -> dict[str, Any]:
    return {
        "name": node.name,
        "address": node.address,
        "ssh": {"ok": node.ssh.ok, "error": _error(node.ssh), **_host(node)},
        "holds_vip": node.holds(state.vip),
        "holds_vip_error": _error(node.addresses),
        "redis": {"ok": node.redis.ok, "error": _error(node.redis), **_redis(state, node)},
        "keepalived": {"ok": node.keepalived.ok, "error": _error(node.keepalived), **_keepalived(state, node)},
    }


def _host(node: NodeState) -> dict[str, Any]:
    host, clock = node.ssh.value, node.clock.value
    return {
        "hostname": host.hostname if host else None,
        "boot_id": host.boot_id if host else None,
        "clock_offset_seconds": round(clock.offset, 3) if clock else None,
    }


def _redis(state: ClusterState, node: NodeState) -> dict[str, Any]:
    redis = node.redis.value
    if redis is None:
        return dict.fromkeys(_REDIS_KEYS)
    return {
        "version": redis.version,
        "flavour": redis.flavour,
        "run_id": redis.run_id,
        "config_file": redis.config_file,
        "uptime_seconds": redis.uptime,
        "role": redis.role.value,
        "master": _link(redis.master),
        "offset": redis.offset,
        "lag_bytes": bytes_behind(state, node),
        "replid": redis.replid,
        "replid2": redis.replid2,
        "second_offset": redis.second_offset,
        "replicas": [
            {"address": one.address, "state": one.state, "offset": one.offset, "lag_seconds": one.lag_seconds}
            for one in redis.replicas
        ],
        "keys": {str(number): count for number, count in sorted(redis.keys.items())},
        "used_memory": redis.used_memory,
        "maxmemory": redis.maxmemory,
        "ops_per_second": redis.ops_per_second,
        "clients": redis.clients,
        "persistence": _persistence(redis.persistence),
        "loading": redis.loading,
    }


_REDIS_KEYS = (
    *("version", "flavour", "run_id", "config_file", "uptime_seconds", "role", "master", "offset", "lag_bytes"),
    *("replid", "replid2", "second_offset", "replicas", "keys", "used_memory", "maxmemory", "ops_per_second"),
    *("clients", "persistence", "loading"),
)


def _link(link: MasterLink | None) -> dict[str, Any] | None:
    if link is None:
        return None
    return {
        "host": link.host,
        "port": link.port,
        "link": "up" if link.up else "down",
        "sync_in_progress": link.sync_in_progress,
        "last_io_seconds": link.last_io_seconds,
    }


def _persistence(persistence: Persistence) -> dict[str, Any]:
    return {
        "rdb_last_save": timestamp(persistence.rdb_last_save),
        "rdb_last_status": persistence.rdb_last_status,
        "aof": persistence.aof,
    }


def _keepalived(state: ClusterState, node: NodeState) -> dict[str, Any]:
    found: Keepalived | None = node.keepalived.value
    instance = found.instance if found else None
    return {
        "running": found.running if found else None,
        "state": found.state.value if found else None,
        "state_source": found.state_source if found else None,
        "since": timestamp(found.since) if found else None,
        "priority": instance.priority if instance else None,
        "effective_priority": found.effective_priority if found else None,
        "weight": instance.weight if instance else None,
        "vrid": instance.vrid if instance else None,
        "instance": instance.name if instance else None,
        "version": found.version if found else None,
        "config_error": _error(node.keepalived_config),
        "scripts": pending_json(state, node),
    }


def _run(state: ClusterState, lock: RunLock) -> dict[str, Any]:
    """An armed run that holds locks on these nodes."""
    return {
        "run": lock.run_id,
        "cluster": lock.cluster,
        "runbook": lock.runbook,
        "step": lock.step or None,
        "operator": lock.operator,
        "terminal": lock.terminal or None,
        "from": lock.origin or None,
        "since": timestamp(lock.since),
        "nodes": [name for name, held in holders(state).items() if held.run_id == lock.run_id],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    advice = {"runbook": finding.next.runbook, "advice": finding.next.advice}
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "nodes": list(finding.nodes),
        "summary": finding.summary,
        "why": finding.why,
        "evidence": list(finding.evidence),
        "next": {key: text for key, text in advice.items() if text is not None},
    }
