"""Whether a recorded run was on a cluster of this inventory: other inventories may have clusters of the same name."""

from __future__ import annotations

from collections.abc import Iterable

from console.core.inventory import ClusterSpec, Inventory
from console.core.runs.past.kept_keys import KeptKeys
from console.core.runs.past.past_run import PastRun, in_laboratory
from console.engine.sessions.resumption import moved


def is_of(past: PastRun, inventory: Inventory) -> bool:
    """Whether name and addresses are those of a cluster of this inventory.

    The addresses of all laboratories are the same, so there the inventory's path decides.
    """
    try:
        spec = inventory.cluster(past.cluster)
    except KeyError:
        return False
    return not _is_another_laboratory(past.inventory, str(inventory.path)) and not moved(past, spec)


def kept_here(kept: Iterable[KeptKeys], inventory: Inventory) -> tuple[KeptKeys, ...]:
    """Those that runs on clusters of this inventory have kept.

    Another inventory may have a cluster of the same name: then no node has a name or an address in common. One that
    has is enough: an address that was changed must not hide kept keys. Older journals have no nodes: the name decides.
    """
    clusters = {one.name: one for one in inventory.clusters}
    return tuple(
        one
        for one in kept
        if (spec := clusters.get(one.cluster)) is not None
        and not _is_another_laboratory(one.inventory, str(inventory.path))
        and _has_node_of(one, spec)
    )


def _has_node_of(kept: KeptKeys, spec: ClusterSpec) -> bool:
    names, hosts = {node.name for node in spec.nodes}, {node.address for node in spec.nodes}
    return not kept.nodes or any(name in names or at.rpartition(":")[0] in hosts for name, at in kept.nodes)


def _is_another_laboratory(was: str, now: str) -> bool:
    """Whether either inventory is that of a laboratory, and they are not the same one."""
    return was != now and (in_laboratory(was) or in_laboratory(now))
