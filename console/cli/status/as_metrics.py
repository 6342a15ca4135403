"""`status --format openmetrics`: an observation for a monitoring system. A value that was not read has no sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from console.cli.status.as_json import ClusterStatus, lag_bytes
from console.core.diagnosis.finding import Health
from console.core.inventory import UnusableCluster
from console.core.model import ClusterState, NodeState, Role, VrrpState
from console.core.model.facts import reaches_stranger

PREFIX = "redis_ha"


@dataclass(slots=True)
class _Family:
    """One metric family. The format requires that its samples stand together."""

    name: str
    help: str
    kind: str = "gauge"
    unit: str = ""
    samples: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield f"# TYPE {self.name} {self.kind}"
        if self.unit:
            yield f"# UNIT {self.name} {self.unit}"
        yield f"# HELP {self.name} {self.help}"
        yield from self.samples


@dataclass(slots=True)
class _Families:
    found: dict[str, _Family] = field(default_factory=dict)

    def add(self, name: str, help_text: str, value: float | None, labels: dict[str, str], unit: str = "") -> None:
        """Adds a gauge sample, unless the value is None."""
        if value is None:
            return
        family = self.found.setdefault(name, _Family(f"{PREFIX}_{name}", help_text, unit=unit))
        number = int(value) if float(value).is_integer() else value
        family.samples.append(f"{family.name}{_labels(labels)} {number}")

    def add_state(
        self, name: str, help_text: str, value: str | None, known: Sequence[str], labels: dict[str, str]
    ) -> None:
        """Adds a stateset: one sample for each known state, 1 for the current one. Adds none if the value is None."""
        if value is None:
            return
        family = self.found.setdefault(name, _Family(f"{PREFIX}_{name}", help_text, kind="stateset"))
        for one in known:
            family.samples.append(f"{family.name}{_labels({**labels, family.name: one})} {int(one == value)}")


def as_openmetrics(seen: Sequence[ClusterStatus], unusable: Sequence[UnusableCluster] = ()) -> str:
    """The whole exposition, `# EOF` included."""
    families = _Families()
    for one in seen:
        _cluster(families, one)
    for wrong in unusable:
        _health(families, wrong.name, Health.UNKNOWN)
    lines = [line for family in families.found.values() for line in family.lines()]
    return "\n".join((*lines, "# EOF", ""))


def _cluster(families: _Families, seen: ClusterStatus) -> None:
    state = seen.state
    labels = {"cluster": state.name}
    _health(families, state.name, seen.health)
    families.add(
        "observed_timestamp_seconds", "When it was observed.", round(state.observed_at, 3), labels, unit="seconds"
    )
    holders = len(state.vip_holders) if not state.vip_unread else None
    families.add("vip_holders", "Nodes whose kernel has the virtual IP.", holders, labels)
    if state.vip_reaches is not None or reaches_stranger(state):
        for node in state.nodes:
            families.add(
                "vip_reaches",
                "1 for the node whose Redis answers at the virtual IP.",
                int(state.vip_reaches == node.name),
                {**labels, "node": node.name},
            )
    for node in state.nodes:
        _node(families, state, node)
    for finding in seen.findings:
        where = {"code": finding.code, "severity": finding.severity.value, "nodes": ",".join(finding.nodes)}
        families.add("finding", "1 for each finding that holds now.", 1, {**labels, **where})


def _health(families: _Families, cluster: str, health: Health) -> None:
    families.add_state("cluster_health", "Health of the cluster.", health, list(Health), {"cluster": cluster})


def _node(families: _Families, state: ClusterState, node: NodeState) -> None:
    labels = {"cluster": state.name, "node": node.name}
    holds = node.holds(state.vip)
    families.add("ssh_up", "1 if the node answers over SSH.", int(node.ssh.ok), labels)
    families.add("redis_up", "1 if the node's Redis answers.", int(node.redis.ok), labels)
    families.add(
        "holds_vip", "1 if the node's kernel has the virtual IP.", None if holds is None else int(holds), labels
    )
    if node.clock.value is not None:
        offset = round(node.clock.value.offset, 3)
        families.add("clock_offset_seconds", "Seconds that the node's clock is ahead.", offset, labels, unit="seconds")
    _redis(families, state, node, labels)
    _keepalived(families, node, labels)


def _redis(families: _Families, state: ClusterState, node: NodeState, labels: dict[str, str]) -> None:
    redis = node.redis.value
    if redis is None:
        return
    families.add_state("redis_role", "Role of the node's Redis.", redis.role, list(Role), labels)
    families.add("redis_loading", "1 while it loads its data set.", int(redis.loading), labels)
    if redis.master is not None:
        families.add("redis_link_up", "1 if the replica's link is up.", int(redis.master.up), labels)
    families.add("redis_replicas", "Replicas attached to it.", len(redis.replicas), labels)
    families.add("redis_offset_bytes", "Replication offset.", redis.offset, labels, unit="bytes")
    families.add("redis_lag_bytes", "How far a replica is behind.", lag_bytes(state, node), labels, unit="bytes")
    for number, count in sorted(redis.keys.items()):
        families.add("redis_keys", "Keys in a database.", count, {**labels, "db": str(number)})
    families.add("redis_used_memory_bytes", "Memory that it uses.", redis.used_memory, labels, unit="bytes")
    families.add("redis_ops_per_second", "Commands a second.", redis.ops_per_second, labels)


def _keepalived(families: _Families, node: NodeState, labels: dict[str, str]) -> None:
    found = node.keepalived.value
    if found is None:
        return
    families.add("keepalived_up", "1 if keepalived is running.", int(found.running), labels)
    families.add_state("keepalived_state", "VRRP state.", found.state, list(VrrpState), labels)
    if found.instance is not None:
        families.add("keepalived_priority", "Configured priority.", found.instance.priority, labels)
    families.add(
        "keepalived_effective_priority", "Priority with the weight of its check.", found.effective_priority, labels
    )


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
