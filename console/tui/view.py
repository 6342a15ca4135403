"""What the console knows of one cluster: one frozen value, replaced with each observation. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from console.core.diagnosis.finding import Finding, Health
from console.core.inventory import ClusterSpec
from console.core.kinds.diagnose import diagnose, health
from console.core.kinds.protection import Protection, protection
from console.core.model import ClusterState, NodeState, Role
from console.core.model.facts import source_of
from console.core.previews.quiescence import Quiescence, TrafficSample, add_sample, quiescence
from console.tui.timeline import Event, changes, told_by_logs

SAMPLES_KEPT = 600
EVENTS_KEPT = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """One point of the history plot."""

    at: float
    lag: int | None
    """Bytes that the replica furthest behind has still to get; None: no replica could be compared."""
    written: float | None
    """Bytes a second that the master's replication stream grew by; None: not known."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster as the screens show it. `state` is None until the first observation came back."""

    spec: ClusterSpec
    state: ClusterState | None = None
    findings: tuple[Finding, ...] = ()
    health: Health = Health.UNKNOWN
    protection: Protection | None = None
    events: tuple[Event, ...] = ()
    """Oldest first."""
    samples: tuple[Sample, ...] = ()
    """Oldest first."""
    traffic_samples: tuple[TrafficSample, ...] = ()
    """The master's traffic of the last minutes, oldest first."""
    traffic: Quiescence | None = None
    """How busy the master is, against its own last minutes; None before the first observation."""
    asked_at: float | None = None
    """When the observation under way was asked for; None: none is under way."""
    trouble: str = ""
    """Why the last observation as a whole failed; empty: it did not."""

    @property
    def name(self) -> str:
        return self.spec.name

    def age(self, now: float) -> float | None:
        """Seconds since the newest observation; None before the first."""
        return max(0.0, now - self.state.observed_at) if self.state else None


def absorb(view: ClusterView, state: ClusterState, now: float) -> ClusterView:
    """The view after an observation: findings, health, what changed since the one before, a point for the plot."""
    before = view.state
    if before is not None and state.observed_at < before.observed_at:
        return view
    findings = diagnose(state, now)
    traffic_samples = add_sample(view.traffic_samples, state)
    seen = told_by_logs(state) if before is None else changes(before, state)
    return replace(
        view,
        state=state,
        findings=findings,
        health=health(state, findings),
        protection=protection(state),
        events=(view.events + seen)[-EVENTS_KEPT:],
        samples=(*view.samples, _sample(before, state))[-SAMPLES_KEPT:],
        traffic_samples=traffic_samples,
        traffic=quiescence(traffic_samples, now, view.spec.quiet_hours, view.spec.timezone),
        trouble="",
    )


def bytes_behind(state: ClusterState, node: NodeState) -> int | None:
    """What the replica has still to get, by both offsets of this observation; None: cannot be told."""
    source = source_of(state, node)
    redis = node.redis.value
    if source is None or redis is None or source.redis.value is None:
        return None
    here, there = redis.offset, source.redis.value.offset
    return max(0, there - here) if here is not None and there is not None else None


def _sample(before: ClusterState | None, state: ClusterState) -> Sample:
    behind = [one for node in state.nodes if (one := bytes_behind(state, node)) is not None]
    return Sample(state.observed_at, max(behind, default=None), _written(before, state))


def _written(before: ClusterState | None, state: ClusterState) -> float | None:
    """By the one master's offset, as long as it is the same process with the same history."""
    if before is None or len(state.masters) != 1:
        return None
    then, now = before.node(state.masters[0]).redis, state.node(state.masters[0]).redis
    if then.value is None or now.value is None or then.value.role is not Role.MASTER:
        return None
    if then.value.run_id != now.value.run_id or then.value.offset is None or now.value.offset is None:
        return None
    passed = now.at - then.at
    return max(0.0, (now.value.offset - then.value.offset) / passed) if passed > 0 else None
