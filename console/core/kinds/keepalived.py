"""A master and its replica behind a virtual IP that keepalived moves."""

from __future__ import annotations

from console.core.conditions.pair import protection_checks
from console.core.diagnosis import keepalived_files, reachability, roles, settings, virtual_ip, vrrp
from console.core.kinds.facts import virtual_ip_facts
from console.core.kinds.kind import Kind

KIND = Kind(
    name="keepalived",
    what="a pair behind a virtual IP that keepalived moves",
    rows=(
        *reachability.ROWS,
        *virtual_ip.ROWS,
        *roles.ROWS,
        *vrrp.ROWS,
        *keepalived_files.ROWS,
        *settings.ROWS,
    ),
    protection=protection_checks,
    protected="the replica is in sync, and both keepaliveds are in their places",
    facts=virtual_ip_facts,
)
