"""Which predicates a command can change the answer of, by what it changes. `verbs` names the sets for each verb."""

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
        "comes-back-quietly",
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
"""A change of a Redis role: who is the master, who follows whom, whether they are in sync."""
VIP = frozenset(
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
"""A change of keepalived, or of the virtual IP."""
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
    ]
)
"""A start or stop of a Redis: its role, and what it has loaded."""

DUMP = frozenset(
    [
        "nothing-unsaved",
        "no-save-running",
        "backup-room",
        "backed-up",
        "keys-as-in-backup",
        "saved-for-good",
        "dump-kept",
    ]
)
"""A new dump on disk."""
WRITE_PAUSE = frozenset(
    [
        "writes-paused",
        "writes-not-paused",
        "writes-accepted",
        "caught-up",
        "replicas-caught-up",
        "acknowledges-nothing",
        "saved-for-good",
    ]
)
"""Writes held back, or let through again."""

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
"""What Consul says follows both the roles and its maintenance."""

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
    ]
)
"""A failover by Sentinels."""
READERS = frozenset(["serves-readers", "serves-no-readers", "others-serve-readers", "misleads-readers"])
"""The tables of the directors."""
