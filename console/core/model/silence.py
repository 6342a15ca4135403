"""Silence: a source that gives no answer at the moment, which says nothing about the server behind it."""

from __future__ import annotations

from typing import Any

from console.core.model.cluster import ClusterState
from console.core.model.reading import Problem, ProblemKind, Reading

SILENCE = frozenset({ProblemKind.TIMEOUT, ProblemKind.CLOSED, ProblemKind.CONNECTING})
"""Problems after which an answer may still come. A refused connection is an answer."""


def silent_sources(state: ClusterState) -> dict[str, Problem]:
    """What gives no answer at the moment: `redis-a, SSH` → the problem that says since when."""
    sources: list[tuple[str, Reading[Any]]] = []
    for node in state.nodes:
        sources += [(f"{node.name}, SSH", node.ssh), (f"{node.name}, Redis", node.redis)]
    sources += [(f"{one.name}, SSH", one.ssh) for one in state.directors]
    sources += [(one.name, one.sentinel) for one in state.sentinels]
    sources += [("Consul", state.consul.instances)] if state.consul is not None else []
    return {name: one.problem for name, one in sources if one.problem and one.problem.kind in SILENCE}


def fell_silent(before: ClusterState, now: ClusterState) -> dict[str, Problem]:
    """What gave an answer in the observation before, and gives none at the moment."""
    silent_before = silent_sources(before)
    return {name: problem for name, problem in silent_sources(now).items() if name not in silent_before}


def failing_for(reading: Reading[Any]) -> float | None:
    """Seconds that a source has brought no answer, by its last look. None: it answers, or since when is not known."""
    if reading.problem is None or reading.problem.since is None:
        return None
    return max(0.0, reading.at - reading.problem.since)
