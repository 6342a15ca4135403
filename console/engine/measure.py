"""What is measured for a loss preview alone: a sample of keys, the target's clients, the traffic of the last minutes.

It costs more than a poll, so it is done when the preview is about to be read: at a gate and in a plan.
"""

from __future__ import annotations

from dataclasses import replace

from console.core.inventory import ClusterSpec
from console.core.loss import LossPreview, preview
from console.core.model import ClusterState
from console.core.quiescence import quiescence
from console.core.resync import ResyncKind
from console.engine.plan import RunPlan
from console.engine.ports import Clock, Inspector

SECOND_LOOK = 1.0
"""Seconds after the first one; the server's own figure for operations is an average of 1.6."""


def measured(shown: LossPreview, state: ClusterState, inspector: Inspector, cluster: ClusterSpec) -> LossPreview:
    """The preview with everything that is measured for it. Where nothing is lost nothing is measured."""
    if shown.resync is ResyncKind.NONE:
        return shown
    readable = all(state.node(name).redis.ok for name in (shown.source, shown.target))
    comparison = inspector.compare(shown.source, shown.target) if readable else None
    traffic = quiescence(inspector.pulses, state.observed_at, cluster.quiet_hours, cluster.timezone)
    return preview(state, shown.source, shown.target, comparison=comparison, traffic=traffic)


def measured_plan(
    made: RunPlan, state: ClusterState, inspector: Inspector, cluster: ClusterSpec, clock: Clock
) -> RunPlan:
    """The plan with its previews measured, each pair of nodes once. A second look tells how much is written."""
    shown = {(one.preview.source, one.preview.target): one.preview for one in made.steps if one.preview is not None}
    if any(one.resync is not ResyncKind.NONE for one in shown.values()):
        clock.sleep(max(0.0, SECOND_LOOK - (clock.now() - state.observed_at)))
        inspector.observe()
    found = {pair: measured(one, state, inspector, cluster) for pair, one in shown.items()}
    steps = tuple(
        replace(one, preview=found[one.preview.source, one.preview.target]) if one.preview is not None else one
        for one in made.steps
    )
    return replace(made, steps=steps)
