"""How each kind of cluster looks. A kind is a module; this is the one place that chooses."""

from __future__ import annotations

from collections.abc import Mapping

from console.tui.present.kinds import keepalived, sentinel_consul, sentinel_vip
from console.tui.present.kinds.look import KindLook, Side

__all__ = ["LOOKS", "KindLook", "Side", "look_of"]

LOOKS: Mapping[str, KindLook] = {
    "keepalived": keepalived.LOOK,
    "sentinel-vip": sentinel_vip.LOOK,
    "sentinel-consul": sentinel_consul.LOOK,
}


def look_of(kind: str) -> KindLook:
    """The look of this kind, as `kind:` in the inventory has it. Raises KeyError where there is none."""
    return LOOKS[kind]
