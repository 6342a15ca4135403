"""A master and its replica behind a virtual IP that keepalived moves."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.conditions.pair_protection import protection_checks
from console.core.diagnosis import keepalived_files, races, reachability, roles, settings, virtual_ip, vrrp
from console.core.diagnosis.finding import NextAction
from console.core.diagnosis.row import RECOVER, SAFE_RETURN
from console.core.keepalived.running_scripts import follows_by_itself, promotes_one_way
from console.core.kinds.gate_facts import virtual_ip_facts
from console.core.kinds.kind import Kind
from console.core.model import ClusterState


def _of_scripts(state: ClusterState) -> Mapping[str, NextAction]:
    """Where scripts change replication by themselves, the runbook that keeps them from it.

    Where no script could make the returning node a master again, the one that gives it the role by hand.
    """
    if not follows_by_itself(state):
        return {}
    return {"one-shot-rebuild": RECOVER if promotes_one_way(state) else SAFE_RETURN}


KIND = Kind(
    name="keepalived",
    what="a pair behind a virtual IP that keepalived moves",
    rows=(
        *reachability.ROWS,
        *races.ROWS,
        *virtual_ip.ROWS,
        *roles.ROWS,
        *vrrp.ROWS,
        *keepalived_files.ROWS,
        *settings.ROWS,
    ),
    protection=protection_checks,
    protected="the replica is in sync, and both keepaliveds are in their places",
    facts=virtual_ip_facts,
    here=_of_scripts,
)
