"""Writes that are paused for a switchover."""

from __future__ import annotations

from console.core.conditions import switching
from console.core.conditions.predicate import PredicateSpec
from console.core.runbooks.predicates.arguments import SOURCE, UNLESS_SERVES

ROWS: tuple[PredicateSpec, ...] = (
    PredicateSpec(
        "writes-paused",
        "The node takes no writes until they are resumed (`pause-writes`).",
        switching.writes_paused,
        (UNLESS_SERVES,),
    ),
    PredicateSpec(
        "writes-not-paused", "The writes of the node are not paused (`resume-writes`).", switching.writes_not_paused
    ),
    PredicateSpec(
        "no-pause-known",
        "No pause of the node's writes is known. Where CONFIG cannot be read, this console cannot have paused them.",
        switching.no_pause_known,
    ),
    PredicateSpec(
        "resumes-alone",
        "The node is a replica, which refuses writes anyway. Or no other node is a master.",
        switching.resumes_alone,
        hazard="H18",
    ),
    PredicateSpec(
        "caught-up",
        "The writes of the source are paused. The node follows it and has exactly its offset.",
        switching.caught_up,
        (SOURCE,),
        hazard="H18",
    ),
)
