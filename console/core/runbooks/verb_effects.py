"""Which predicates a verb can change, grouped by what the verb acts on.

A verb names these groups in `VerbSpec.affects`. A condition that fails before such a step may hold after it: a plan
marks it with the step, and a resumed run does not take it for undone.
"""

from __future__ import annotations

REDIS_ROLE = frozenset(
    [
        "caught-up",
        "resumes-alone",
        "redis-is-master",
        "redis-is-replica",
        "replicates-from",
        "link-up",
        "in-sync",
        "not-a-replica",
        "only-master",
        "no-other-master",
        "one-master",
        "comes-back-quietly",
        "starts-over-no-newer-data",
        "brings-no-stale-data",
        "in-its-turn",
        "will-not-preempt",
        "scripts-agree",
        "clients-can-do-without",
        "may-be-promoted",
        "pair-protected",
        "set-protected",
        "replicas-caught-up",
        "promotable-replica",
        "fit-for-readers",
        "acknowledges-nothing",
    ]
)
"""Who is master, who follows whom, and all that is judged by it."""

VIRTUAL_IP = frozenset(
    [
        "holds-vip",
        "no-vip",
        "only-vip-holder",
        "vip-reaches",
        "behind-vip",
        "keepalived-running",
        "keepalived-stopped",
        "vrrp-state",
        "no-script-running",
        "checks-agree",
        "master-first",
        "writes-accepted",
        "comes-back-quietly",
        "in-its-turn",
        "clients-can-do-without",
        "gives-vip-up",
        "pair-protected",
        "set-protected",
    ]
)
"""Where the virtual IP is, which keepalived runs in which state, and all that is judged by it."""

REDIS = REDIS_ROLE | frozenset(
    [
        "redis-up",
        "redis-down",
        "redis-not-loading",
        "redis-on-this-host",
        "has-data-if",
        "not-older-than",
        "newest",
        "version-not-older-than",
        "maxmemory-fits",
        "fork-headroom",
        "writes-accepted",
        "would-accept-writes",
        "lives-as-replica",
        "no-pause-known",
        "vip-reaches",
        "behind-vip",
        "nothing-unsaved",
        "no-save-running",
        "backup-room",
        "backed-up",
        "keys-as-in-backup",
        "loads-dump",
        "not-behind-vip",
        "out-of-the-way",
        "runs-on-copy",
        "survives-stop",
        "kept-from-sentinels",
        "dump-kept",
        "restored",
        "no-disk-keys",
    ]
)
"""Whether Redis on the node runs, and what it holds. Its role, too: it is read when it runs."""

DUMP = frozenset(
    [
        "nothing-unsaved",
        "no-save-running",
        "backup-room",
        "backed-up",
        "keys-as-in-backup",
        "saved-for-good",
        "dump-kept",
        "survives-stop",
        "lives-as-replica",
    ]
)
"""The dump of a node: how new it is, and the room beside it."""

PAUSE = frozenset(
    [
        "writes-paused",
        "writes-not-paused",
        "writes-accepted",
        "no-pause-known",
        "would-accept-writes",
        "promotable-replica",
        "pair-protected",
        "set-protected",
        "caught-up",
        "replicas-caught-up",
        "acknowledges-nothing",
        "saved-for-good",
    ]
)
"""Whether writes are paused."""

SERVICE_NAME = frozenset(
    [
        "held-from-name",
        "not-held",
        "not-in-name",
        "only-in-name",
        "alone-in-name",
        "check-agrees",
        "another-master",
        "set-protected",
    ]
)
"""What Consul says of the name. It follows both the roles and the maintenance."""

SENTINELS = frozenset(
    [
        "handed-over",
        "sentinels-name",
        "sentinels-allow",
        "sentinels-complete",
        "no-failover-running",
        "follows-named-master",
        "replicas-follow",
        "is-away",
        "not-the-named-master",
        "named-sentinels-answer",
        "quorum-reachable",
        "set-protected",
    ]
)
"""Which master the Sentinels name, and whether a failover of theirs is running."""

READERS = frozenset(["serves-readers", "serves-no-readers", "others-serve-readers", "misleads-readers"])
"""To which nodes the directors send readers."""
