"""What clients would reach. Verbs require these by themselves: `console.core.runbooks.interlocks`."""

from __future__ import annotations

from console.core.conditions import taking_over
from console.core.conditions.predicate import PredicateSpec

ROWS: tuple[PredicateSpec, ...] = (
    PredicateSpec(
        "comes-back-quietly",
        "No other node is a master, or no keepalived runs on the node and it does not have the virtual IP.",
        taking_over.comes_back_quietly,
        hazard="H01",
    ),
    PredicateSpec(
        "starts-over-no-newer-data",
        "No replica that follows the node, which is down, has data that is newer than what the node loads.",
        taking_over.starts_over_no_newer_data,
        hazard="H03",
    ),
    PredicateSpec(
        "brings-no-stale-data",
        "The node is the only master, or in sync with it, or has everything of a master whose writes are paused.",
        taking_over.brings_no_stale_data,
        hazard="H01",
    ),
    PredicateSpec(
        "in-its-turn",
        "The node is a master, or its master holds the virtual IP, is VRRP MASTER and none of its scripts run.",
        taking_over.in_its_turn,
        hazard="H16",
    ),
    PredicateSpec(
        "will-not-preempt",
        "The node is a master, or the priorities obey the rule with its master as the higher one.",
        taking_over.will_not_preempt,
        hazard="H15",
    ),
    PredicateSpec(
        "clients-can-do-without",
        "The node does not serve clients, or another one with all of its data and a running keepalived takes over.",
        taking_over.clients_can_do_without,
        hazard="H17",
    ),
    PredicateSpec(
        "may-be-promoted",
        "No sync of the node is under way, and no other node is a master, or the node has every byte of that one.",
        taking_over.may_be_promoted,
        hazard="H18",
    ),
)
