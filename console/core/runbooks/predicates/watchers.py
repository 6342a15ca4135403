"""Sentinels and the read VIP."""

from __future__ import annotations

from console.core.conditions.predicate import PredicateSpec
from console.core.conditions.sentinel_sets import read_vip as read_side
from console.core.conditions.sentinel_sets import sentinels

ROWS: tuple[PredicateSpec, ...] = (
    # Sentinels
    PredicateSpec(
        "not-under-sentinels",
        "No Sentinel of the inventory watches this cluster. So nobody else sends SLAVEOF.",
        sentinels.not_under_sentinels,
        hazard="H20",
    ),
    PredicateSpec(
        "sentinels-name",
        "More than half of the Sentinels could be read, and all of these name the node as the master.",
        sentinels.sentinels_name,
        hazard="H21",
    ),
    PredicateSpec(
        "quorum-reachable",
        "The Sentinels report that they can decide and authorize a failover (CKQUORUM).",
        sentinels.quorum_reachable,
        hazard="H21",
        subject=False,
    ),
    PredicateSpec(
        "no-failover-running",
        "No Sentinel is failing over.",
        sentinels.no_failover_running,
        hazard="H21",
        subject=False,
    ),
    PredicateSpec("no-tilt", "No Sentinel is in TILT mode.", sentinels.no_tilt, hazard="H21", subject=False),
    PredicateSpec(
        "promotable-replica",
        "A replica of the node is in sync, has a priority above 0, and no Sentinel counts it as down.",
        sentinels.promotable_replica,
        hazard="H21",
    ),
    PredicateSpec(
        "replicas-caught-up",
        "Every replica of the node that can be promoted has every byte of it.",
        sentinels.replicas_caught_up,
        hazard="H18",
    ),
    PredicateSpec(
        "handed-over",
        "The Sentinels agree on another master than the node. That one is a master, and it alone holds the virtual IP.",
        sentinels.handed_over,
    ),
    PredicateSpec(
        "follows-named-master",
        "The node follows the master that the Sentinels name, and is in sync with it.",
        sentinels.follows_named_master,
        hazard="H13",
    ),
    PredicateSpec(
        "replicas-follow", "Every other node follows the node and is in sync.", sentinels.replicas_follow, hazard="H13"
    ),
    PredicateSpec(
        "no-other-vip-holder",
        "No other node has the virtual IP; the node itself may have it.",
        sentinels.no_other_vip_holder,
        hazard="H17",
    ),
    PredicateSpec(
        "sentinels-complete",
        "Every Sentinel of the inventory answers, they name one master, and can fail over.",
        sentinels.sentinels_complete,
        hazard="H21",
        subject=False,
    ),
    PredicateSpec(
        "named-sentinels-answer",
        "Every Sentinel whose service the inventory names answers.",
        sentinels.named_sentinels_answer,
        hazard="H21",
        subject=False,
    ),
    PredicateSpec(
        "is-away",
        "The node is not the master that the Sentinels name. It is down, not in sync, or holds the virtual IP.",
        sentinels.is_away,
    ),
    PredicateSpec(
        "gives-vip-up",
        "The node is the first one that holds the virtual IP and is not the master that the Sentinels name. If there is"
        " none, it is the first node that is not that master.",
        sentinels.gives_vip_up,
    ),
    # The read VIP
    PredicateSpec(
        "in-read-tables", "Every director has the node in its table, with any weight.", read_side.in_read_tables
    ),
    PredicateSpec(
        "misleads-readers",
        "A director sends readers to the node, which is down, loading, without its master, or a second master.",
        read_side.misleads_readers,
        hazard="H23",
    ),
    PredicateSpec(
        "serves-readers", "Every director sends readers to the node, with a weight above 0.", read_side.serves_readers
    ),
    PredicateSpec(
        "serves-no-readers",
        "No director sends new readers to the node: it is not in their tables, or has weight 0.",
        read_side.serves_no_readers,
        hazard="H23",
    ),
    PredicateSpec(
        "others-serve-readers",
        "Another node, in sync, is in the table of every director.",
        read_side.others_serve_readers,
        hazard="H23",
    ),
    PredicateSpec(
        "fit-for-readers",
        "Redis on the node has loaded, and it is the master or has its link up.",
        read_side.fit_for_readers,
        hazard="H23",
    ),
    PredicateSpec(
        "takes-read-vip",
        "The node has the read VIP on its loopback, and answers no ARP for it.",
        read_side.takes_read_vip,
    ),
)
