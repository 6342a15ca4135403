"""Whether a recorded run was on a cluster of this inventory: other inventories may have clusters of the same name."""

from __future__ import annotations

from console.core.inventory import Inventory
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
    if (in_laboratory(past.inventory) or in_laboratory(str(inventory.path))) and past.inventory != str(inventory.path):
        return False
    return not moved(past, spec)
