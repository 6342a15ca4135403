"""Measures what only a loss preview needs: a sample of keys, the target's clients, the traffic of the last minutes.

This costs more than an observation. It is done when the preview is about to be read: at a gate and in a plan.
"""

from __future__ import annotations

from console.core.inventory import ClusterSpec
from console.core.model import ClusterState
from console.core.previews.loss_preview import NOTHING_FOUND, LossPreview, RunFindings, preview
from console.core.previews.quiescence import quiescence
from console.core.replication.resync import ResyncKind
from console.engine.ports import Inspector


def measure_preview(
    shown: LossPreview,
    state: ClusterState,
    inspector: Inspector,
    cluster: ClusterSpec,
    found: RunFindings = NOTHING_FOUND,
) -> LossPreview:
    """The preview with its measurements. Where nothing would be lost, nothing is measured.

    `found`: what the run has found of the target's data before.
    """
    if shown.resync is ResyncKind.NONE:
        return shown
    readable = all(state.node(name).redis.ok for name in (shown.source, shown.target))
    comparison = inspector.compare(shown.source, shown.target) if readable else None
    traffic = quiescence(inspector.traffic_samples, state.observed_at, cluster.quiet_hours, cluster.timezone)
    return preview(state, shown.source, shown.target, comparison=comparison, traffic=traffic, found=found)
