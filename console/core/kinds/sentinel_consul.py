"""A master that Sentinels choose; clients find it by a name in Consul that follows `role:master`."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.conditions.pair import answered
from console.core.conditions.sentinel_set import set_protection
from console.core.conditions.service_name import only_in_name
from console.core.conditions.spec import Ask
from console.core.diagnosis import consul, reachability, roles, settings
from console.core.kinds.facts import consul_facts, sentinel_facts
from console.core.kinds.kind import Kind
from console.core.model import ClusterState
from console.core.predicate import Check
from console.core.service_name import writable


def _facts(state: ClusterState) -> Mapping[str, str]:
    return {**sentinel_facts(state), **consul_facts(state)}


def _protection(state: ClusterState) -> tuple[Check, ...]:
    """What any set needs, and that clients find its master: the next one is found by the same checks."""
    master = writable(state)
    checks = set_protection(state)
    return checks if master is None else (*checks, answered(only_in_name, Ask(state, master, {})))


KIND = Kind(
    name="sentinel-consul",
    what="a master that Sentinels choose, found by a name in Consul",
    rows=(
        *reachability.ROWS,
        *consul.ROWS,
        *roles.ROWS,
        *settings.ROWS,
    ),
    protection=_protection,
    protected="a replica is in sync, the Sentinels can fail over, and the name leads to the master",
    facts=_facts,
)
