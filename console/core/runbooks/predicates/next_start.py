"""The role that the next start of a node's Redis gives it. `starts-as-replica` is in the rows of the service name."""

from __future__ import annotations

from console.core.conditions import next_start
from console.core.conditions.predicate import ArgumentSpec, ArgumentType, PredicateSpec

ROWS: tuple[PredicateSpec, ...] = (
    PredicateSpec(
        "starts-as-master",
        "The configuration file of the node's Redis makes it a replica of nobody.",
        next_start.starts_as_master,
    ),
    PredicateSpec(
        "start-needs-no-edit",
        "The configuration file of the node's Redis gives it this role at its next start. Or no edit can be offered:"
        " scripts of keepalived or Sentinels decide, or the file is not known or includes others.",
        next_start.start_needs_no_edit,
        (ArgumentSpec("source", ArgumentType.ROLE, "The node to follow. Left out: the node is to be a master.", ""),),
    ),
    PredicateSpec(
        "no-script-steers",
        "No script of keepalived on any node makes Redis a master or a replica, as far as the scripts can be read.",
        next_start.no_script_steers,
        hazard="H10",
    ),
)
