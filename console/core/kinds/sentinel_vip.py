"""A master that Sentinels choose, behind a virtual IP that their client-reconfig-script moves; readers come by LVS."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.conditions.sentinel_set import set_protection
from console.core.diagnosis import reachability, roles, settings, virtual_ip
from console.core.kinds.facts import sentinel_facts, virtual_ip_facts
from console.core.kinds.kind import Kind
from console.core.model import ClusterState


def _facts(state: ClusterState) -> Mapping[str, str]:
    return {**virtual_ip_facts(state), **sentinel_facts(state)}


KIND = Kind(
    name="sentinel-vip",
    what="a master that Sentinels choose, behind a virtual IP that their script moves",
    rows=(
        *reachability.ROWS,
        *virtual_ip.ROWS,
        *roles.ROWS,
        *settings.ROWS,
    ),
    protection=set_protection,
    protected="a replica is in sync, and the Sentinels can fail over",
    facts=_facts,
)
