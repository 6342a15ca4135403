"""What the console knows of one cluster: one frozen value, replaced after each observation. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from console.core.changes.timeline import Event, Told, tell
from console.core.diagnosis.finding import Finding, Health
from console.core.inventory import ClusterSpec
from console.core.kinds.diagnose import diagnose, health
from console.core.kinds.protection import Protection, protection
from console.core.model import ClusterState, Role
from console.core.model.carried import carried, carried_sources
from console.core.model.facts import bytes_behind
from console.core.previews.quiescence import Quiescence, TrafficSample, add_sample, quiescence

T = TypeVar("T")
SAMPLES_KEPT = 600
EVENTS_KEPT = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """One point of the history plot."""

    at: float
    lag: int | None
    """Bytes that the slowest replica is behind; None: no replica could be compared."""
    written: float | None
    """Bytes that the master writes to its replication stream per second; None: not known."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster as the screens show it. `state` is None before the first observation."""

    spec: ClusterSpec
    state: ClusterState | None = None
    """The last observation, with the old readings of sources that have been silent for a moment (`carried`)."""
    old: Mapping[str, float] = field(default_factory=dict)
    """The silent sources whose old readings are shown → when they answered last, in epoch seconds."""
    told: Told | None = None
    """What the timeline knows."""
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
    """How busy the master is, compared with its own last minutes; None before the first observation."""
    trouble: str = ""
    """Why the last observation failed as a whole; empty: it did not."""

    @property
    def name(self) -> str:
        return self.spec.name

    def age(self, now: float) -> float | None:
        """Seconds since the newest observation; None before the first."""
        return max(0.0, now - self.state.observed_at) if self.state else None


def absorb(view: ClusterView, state: ClusterState, now: float) -> ClusterView:
    """The view after an observation: findings, health, new events, and one more sample for the plot."""
    before = view.state
    if before is not None and state.observed_at < before.observed_at:
        return view
    shown = carried(before, state)
    findings = _same_if_equal(view.findings, diagnose(shown, now))
    traffic_samples = add_sample(view.traffic_samples, state)
    told, new_events = tell(view.told, shown)
    return replace(
        view,
        state=shown,
        old=carried_sources(shown, state),
        told=told,
        findings=findings,
        health=health(shown, findings),
        protection=_same_if_equal(view.protection, protection(shown)),
        events=(view.events + new_events)[-EVENTS_KEPT:],
        samples=(*view.samples, _sample(before, state))[-SAMPLES_KEPT:],
        traffic_samples=traffic_samples,
        traffic=quiescence(traffic_samples, now, view.spec.quiet_hours, view.spec.timezone),
        trouble="",
    )


def _same_if_equal(before: T, now: T) -> T:
    """The same object as long as it is equal: whoever shows it then sees at once that nothing has changed."""
    return before if before == now else now


def _sample(before: ClusterState | None, state: ClusterState) -> Sample:
    behind = [one for node in state.nodes if (one := bytes_behind(state, node)) is not None]
    return Sample(state.observed_at, max(behind, default=None), _write_rate(before, state))


def _write_rate(before: ClusterState | None, state: ClusterState) -> float | None:
    """By the offset of the only master, while its run_id stays the same."""
    if before is None or len(state.masters) != 1:
        return None
    then, now = before.node(state.masters[0]).redis, state.node(state.masters[0]).redis
    if then.value is None or now.value is None or then.value.role is not Role.MASTER:
        return None
    if then.value.run_id != now.value.run_id or then.value.offset is None or now.value.offset is None:
        return None
    passed = now.at - then.at
    return max(0.0, (now.value.offset - then.value.offset) / passed) if passed > 0 else None
