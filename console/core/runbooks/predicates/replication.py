"""Two servers compared: who follows whom, and who has what."""

from __future__ import annotations

from console.core.conditions import replication, switching
from console.core.conditions.predicate import PredicateSpec
from console.core.runbooks.predicates.arguments import SOURCE, TARGET, WITHIN_BYTES, role

ROWS: tuple[PredicateSpec, ...] = (
    PredicateSpec("replicates-from", "The node follows the source.", replication.replicates_from, (SOURCE,)),
    PredicateSpec("link-up", "The node follows the source and its link is up.", replication.link_up, (SOURCE,), "H13"),
    PredicateSpec(
        "in-sync",
        "The node follows the source, no sync is under way, and its offset is within some bytes of the source's.",
        replication.in_sync,
        (SOURCE, WITHIN_BYTES),
        hazard="H13",
    ),
    PredicateSpec(
        "has-data-if",
        "The node, which is the source, is not empty while the target holds keys.",
        replication.has_data_if,
        (TARGET,),
        hazard="H02",
    ),
    PredicateSpec(
        "not-older-than",
        "The target holds nothing that the node, which is the source, does not have.",
        replication.not_older_than,
        (TARGET,),
        hazard="H03",
    ),
    PredicateSpec(
        "node-address-not-vip",
        "The address by which the target will follow the node, which is the source, is not the virtual IP.",
        replication.node_address_not_vip,
        (TARGET,),
        hazard="H06",
    ),
    PredicateSpec(
        "version-not-older-than",
        "Redis on the node is not older than the source's, so that it can load its RDB.",
        replication.version_not_older_than,
        (SOURCE,),
        hazard="H19",
    ),
    PredicateSpec(
        "maxmemory-fits",
        "The source's data fits into the node's maxmemory or memory.",
        replication.maxmemory_fits,
        (SOURCE,),
        hazard="H19",
    ),
    PredicateSpec(
        "newest", "No other node holds anything that the node does not have.", switching.newest, hazard="H03"
    ),
    PredicateSpec("only-master", "The node is a master, and no other node is.", replication.only_master, hazard="H18"),
    PredicateSpec(
        "one-master",
        "At most one node is a master. Every other one was read, or is proved to be down.",
        replication.one_master,
        hazard="H18",
        subject=False,
    ),
    PredicateSpec("no-other-master", "No other node is a master.", replication.no_other_master, hazard="H18"),
    PredicateSpec(
        "writes-accepted",
        "The node is a master, and none of its settings refuses writes.",
        replication.writes_accepted,
        (),
        "H30",
    ),
    PredicateSpec(
        "would-accept-writes",
        "None of the node's settings refuses writes when it becomes the master and only the other replicas follow it.",
        replication.would_accept_writes,
        (),
        "H30",
    ),
    PredicateSpec(
        "lives-as-replica",
        "The last writes of Redis to its disk succeeded. Or it is older than 7.0, and follows a master all the same.",
        replication.lives_as_replica,
        (),
        "H30",
    ),
    PredicateSpec(
        "histories-compared",
        "Both nodes can be read. The evidence says what each would lose by following the other.",
        switching.histories_compared,
        (role("other", "The node to compare with."),),
        hazard="H18",
    ),
)
