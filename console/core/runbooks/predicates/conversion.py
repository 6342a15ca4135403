"""A node with data of its own under Sentinels."""

from __future__ import annotations

from console.core.conditions.predicate import PredicateSpec
from console.core.conditions.sentinel_sets import conversion
from console.core.runbooks.predicates.arguments import UNLESS_SOURCE

ROWS: tuple[PredicateSpec, ...] = (
    PredicateSpec(
        "unknown-to-sentinels",
        "Every Sentinel of the inventory was read, and none names the node as the master or as a replica.",
        conversion.unknown_to_sentinels,
        hazard="H20",
    ),
    PredicateSpec(
        "kept-from-sentinels",
        "What a start of Redis on the node would load has a dated copy, or no Sentinel can make it a replica.",
        conversion.kept_from_sentinels,
        hazard="H25",
    ),
    PredicateSpec(
        "survives-stop",
        "Redis on the node is down, has an AOF whose last write succeeded, or has nothing unsaved (`nothing-unsaved`).",
        conversion.survives_stop,
        (UNLESS_SOURCE,),
        hazard="H25",
    ),
    PredicateSpec(
        "unused-by-directors",
        "No director has the node in its table or in its keepalived.conf. So it gets no reader when its Redis starts.",
        conversion.unused_by_directors,
        hazard="H23",
    ),
    PredicateSpec(
        "not-the-named-master",
        "The Sentinels name another node than this one as the master, and that one is a master.",
        conversion.not_the_named_master,
        hazard="H21",
    ),
)
