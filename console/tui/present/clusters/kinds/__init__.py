"""How each kind of cluster is shown: one module and one row for each kind."""

from __future__ import annotations

from collections.abc import Mapping

from console.tui.present.clusters.kinds import keepalived, sentinel_consul, sentinel_vip
from console.tui.present.clusters.kinds.kind_presentation import KindPane, KindPresentation

__all__ = ["PRESENTATIONS", "KindPane", "KindPresentation", "presentation_of"]

PRESENTATIONS: Mapping[str, KindPresentation] = {
    "keepalived": keepalived.PRESENTATION,
    "sentinel-vip": sentinel_vip.PRESENTATION,
    "sentinel-consul": sentinel_consul.PRESENTATION,
}


def presentation_of(kind: str) -> KindPresentation:
    """How the kind with this name in the inventory is shown. Raises KeyError where there is none."""
    return PRESENTATIONS[kind]
