"""Whether this is a good moment for a full sync: how busy the master is, compared with its last minutes (H12).

A full sync forks the master and copies what is written meanwhile. It fails if that does not fit into the replica's
output buffer. So it is better done while little is written. The operator decides; this gives the numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from console.core.inventory import QuietHours
from console.core.model import ClusterState, Role
from console.core.previews.quiet_hours import quiet_words
from console.core.quantities import size, span

WINDOW = 300.0
"""Seconds of history that are kept and used for the median."""
LATEST = 10.0
"""Seconds that count as now."""
ENOUGH = 30.0
"""Seconds of history that are needed for a comparison."""
KEPT = 600
BUSY_OPS = 1_000
"""Operations a second. A master with at least this many is busy, whatever its median."""
IDLE_OPS = 20
"""Operations a second. A master with at most this many is quiet, whatever its median: this console makes some."""
IDLE_BYTES = 2_000.0
"""The same in bytes a second of the replication stream."""
MORE, LESS = 1.5, 0.5
"""Busy from the first number times the median on, and quiet up to the second number times the median."""


class Level(StrEnum):
    """How busy the master is."""

    QUIET = "quiet"
    USUAL = "usual"
    BUSY = "busy"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TrafficSample:
    """The traffic of the master that clients reach, by one observation."""

    at: float
    node: str
    run_id: str
    ops: int
    """Operations a second, measured by the server over its last 1.6 seconds."""
    clients: int
    offset: int | None
    """Of the replication stream. None: nothing is fed into the stream, so the offset does not move."""
    changes: int | None
    """Since the last save."""


@dataclass(frozen=True, slots=True)
class Quiescence:
    """How quiet the master is. The journal keeps it: its names are keys there."""

    level: Level
    words: str
    figures: tuple[str, ...] = ()
    advice: str = ""
    """Empty: nothing speaks against a sync now."""

    @property
    def lines(self) -> tuple[str, ...]:
        return (f"traffic: {self.words}", *self.figures)


def traffic_sample(state: ClusterState) -> TrafficSample | None:
    """Of the master behind the virtual IP, else of the only master. None: there is no master that can be read."""
    name = state.vip_reaches or (state.masters[0] if len(state.masters) == 1 else None)
    reading = state.node(name).redis if name is not None else None
    redis = reading.value if reading is not None else None
    if name is None or reading is None or redis is None or redis.role is not Role.MASTER:
        return None
    fed = redis.offset is not None and (redis.backlog is None or redis.backlog.active)
    return TrafficSample(
        at=reading.at,
        node=name,
        run_id=redis.run_id,
        ops=redis.ops_per_second,
        clients=redis.clients,
        offset=redis.offset if fed else None,
        changes=redis.persistence.changes_since_save,
    )


def add_sample(traffic_samples: Sequence[TrafficSample], state: ClusterState) -> tuple[TrafficSample, ...]:
    """The history with this observation. Samples that are too old, or of another server, are dropped."""
    new = traffic_sample(state)
    if new is None:
        return tuple(traffic_samples)
    if traffic_samples and new.at <= traffic_samples[-1].at:
        return tuple(traffic_samples)
    kept = [
        one
        for one in traffic_samples
        if one.run_id == new.run_id and one.node == new.node and new.at - one.at <= WINDOW
    ]
    return (*kept, new)[-KEPT:]


def quiescence(
    traffic_samples: Sequence[TrafficSample], now: float, quiet_hours: Iterable[QuietHours] = (), timezone: str = ""
) -> Quiescence:
    """The level with its numbers, from the samples so far and the quiet hours of the inventory."""
    hours, outside = quiet_words(tuple(quiet_hours), timezone, now)
    if not traffic_samples:
        return Quiescence(Level.UNKNOWN, "not known: no master behind the VIP could be read", hours)
    measures = _measures(traffic_samples)
    watched = traffic_samples[-1].at - traffic_samples[0].at
    figures = tuple(one.text(watched) for one in measures)
    if not _compared(watched):
        level = _by_figures(measures)
        seen = f"watched for {span(watched)}" if watched >= 1 else "looked at once"
        words = f"{_WORD[level]}; {traffic_samples[-1].node} was {seen} only, too short to know what is usual"
    else:
        level, words = _by_median(traffic_samples[-1].node, measures, watched)
    advice = ""
    if level is Level.BUSY:
        advice = f"{words}: wait for a quieter time if you can"
    elif outside:
        advice = f"{outside}: wait for them if you can"
    return Quiescence(level, words, (*figures, *hours), advice)


@dataclass(frozen=True, slots=True)
class _Measure:
    """One measured value: now, and its median of the last minutes."""

    name: str
    now: float
    usual: float
    unit: str
    idle: float
    """Up to this value the master is quiet, whatever the median."""

    @property
    def ratio(self) -> float | None:
        """Times the median. A value up to `idle` never counts as more than the median."""
        if self.now <= self.idle:
            return min(1.0, self.now / self.usual) if self.usual > 0 else 1.0
        return self.now / max(self.usual, self.idle) if max(self.usual, self.idle) > 0 else None

    def text(self, watched: float) -> str:
        shown = f"{self.name}: {self._show(self.now)} now"
        return f"{shown}, {self._show(self.usual)} is the median of {span(watched)}" if _compared(watched) else shown

    def _show(self, value: float) -> str:
        if self.unit == "bytes":
            return f"{size(round(value))}/s"
        return f"{value:,.0f}{self.unit}" if value >= 10 or value == round(value) else f"{value:.1f}{self.unit}"  # noqa: PLR2004


_WORD = {
    Level.QUIET: "next to nothing happens now",
    Level.BUSY: "much happens now",
    Level.USUAL: "as usual",
    Level.UNKNOWN: "whether this is much is not known",
}


def median(values: Iterable[float]) -> float:
    """The median. Importing `statistics` would make `status` too slow."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _compared(watched: float) -> bool:
    return watched >= ENOUGH


def _measures(traffic_samples: Sequence[TrafficSample]) -> tuple[_Measure, ...]:
    latest = [one for one in traffic_samples if traffic_samples[-1].at - one.at <= LATEST]
    found = [
        _Measure(
            "operations",
            median(one.ops for one in latest),
            median(one.ops for one in traffic_samples),
            "/s",
            float(IDLE_OPS),
        )
    ]
    if written := _writes(traffic_samples):
        found.append(written)
    found.append(
        _Measure(
            "clients",
            float(traffic_samples[-1].clients),
            float(median(one.clients for one in traffic_samples)),
            "",
            float("inf"),
        )
    )
    return tuple(found)


def _writes(traffic_samples: Sequence[TrafficSample]) -> _Measure | None:
    """By the offset. Where that does not move (a master without replicas, before 7.0): by changes since the save."""
    by_offset = [one for one in traffic_samples if one.offset is not None]
    if len(by_offset) == len(traffic_samples):
        points, unit, idle = [(one.at, float(one.offset or 0)) for one in traffic_samples], "bytes", IDLE_BYTES
    else:
        points = [(one.at, float(one.changes)) for one in traffic_samples if one.changes is not None]
        unit, idle = "/s", float(IDLE_OPS)
    rates = [
        (later[0], (later[1] - earlier[1]) / (later[0] - earlier[0]))
        for earlier, later in pairwise(points)
        if later[0] > earlier[0] and later[1] >= earlier[1]
    ]
    if not rates:
        return None
    latest = [rate for at, rate in rates if points[-1][0] - at < LATEST] or [rates[-1][1]]
    return _Measure("writes", sum(latest) / len(latest), median(rate for _, rate in rates), unit, idle)


def _by_figures(measures: Sequence[_Measure]) -> Level:
    """Without a history only extreme values can be judged."""
    ops = measures[0].now
    if ops >= BUSY_OPS:
        return Level.BUSY
    if all(one.now <= one.idle for one in measures):
        return Level.QUIET
    return Level.UNKNOWN


def _by_median(node: str, measures: Sequence[_Measure], watched: float) -> tuple[Level, str]:
    rated = [(one.ratio, one) for one in measures if one.ratio is not None and one.idle != float("inf")]
    top, most = max(rated, key=lambda pair: pair[0], default=(1.0, measures[0]))
    usual = f"the median of the last {span(watched)}"
    if top >= MORE:
        return Level.BUSY, f"{most.name} on {node} are at {top:.1f} times {usual}"
    if measures[0].now >= BUSY_OPS and top > LESS:
        return Level.BUSY, f"{node} serves {measures[0].now:,.0f} operations/s, as usual"
    if all(one.now <= one.idle for _, one in rated):
        return Level.QUIET, f"{node} has next to nothing to do"
    if top <= LESS:
        return Level.QUIET, f"{most.name} on {node} are at {top:.1f} times {usual}"
    return Level.USUAL, f"{node} is as busy as usual: {most.name} at {top:.1f} times {usual}"
