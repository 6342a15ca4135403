"""How each kind of cluster looks. A kind is a module; this is the one place that chooses."""

from __future__ import annotations

from collections.abc import Mapping

from console.tui.present.clusters.kinds import keepalived, sentinel_consul, sentinel_vip
from console.tui.present.clusters.kinds.kind_presentation import KindPresentation, Side

__all__ = ["PRESENTATIONS", "KindPresentation", "Side", "presentation_of"]

PRESENTATIONS: Mapping[str, KindPresentation] = {
    "keepalived": keepalived.PRESENTATION,
    "sentinel-vip": sentinel_vip.PRESENTATION,
    "sentinel-consul": sentinel_consul.PRESENTATION,
}


def presentation_of(kind: str) -> KindPresentation:
    """The look of this kind, as `kind:` in the inventory has it. Raises KeyError where there is none."""
    return PRESENTATIONS[kind]
