"""Hazards of a set under Sentinels: their failover, the read VIP, and the name in Consul."""

from __future__ import annotations

from console.core.runbooks.hazards.hazard import Hazard

SET_HAZARDS: tuple[Hazard, ...] = (
    Hazard(
        "H20",
        "SLAVEOF by hand on a set under Sentinels: they undo it, or treat it as a failure",
        "Neither SLAVEOF nor a promotion is sent where the inventory names Sentinels, whatever a runbook says. A "
        "Sentinel is asked for a failover instead. A node that comes back starts as a replica of the master they name.",
        ("not-under-sentinels", "sentinels-name"),
        findings=("sentinel-disagree",),
        proofs=("lab/test_sentinel_hazards.py::test_h20_slaveof_is_the_sentinels_own",),
    ),
    Hazard(
        "H21",
        "Sentinels without a quorum, in TILT, in a failover, or that disagree",
        "Each Sentinel is asked by itself. No failover is requested while one of these is true or not known.",
        ("quorum-reachable", "no-tilt", "no-failover-running", "sentinels-name", "promotable-replica"),
        findings=("sentinel-no-quorum", "sentinel-tilt", "sentinel-failover-in-progress", "sentinel-disagree"),
        proofs=("lab/test_sentinel_hazards.py::test_h21_no_failover_is_asked_of_sentinels_that_cannot",),
    ),
    Hazard(
        "H22",
        "The old master returns with the virtual IP still on its interface",
        "Redis does not start beside another master before an observation shows that the address is gone from its "
        "node.",
        ("no-vip", "comes-back-quietly"),
        findings=("vip-duplicate", "sentinel-master-not-vip"),
        proofs=("lab/test_sentinel_hazards.py::test_h22_redis_is_not_started_where_the_address_is_left",),
    ),
    Hazard(
        "H23",
        "The read VIP sends readers to a replica that has lost its master",
        "The replica is named with its weight on each director. A confirmed step takes it out, but never the last one "
        "that "
        "serves. It is brought back only with the master's data, the address on its loopback and no ARP answers for "
        "it.",
        ("others-serve-readers", "fit-for-readers", "takes-read-vip", "serves-no-readers"),
        findings=("lvs-serves-stale", "read-vip-not-on-node", "arp-not-suppressed"),
        proofs=("lab/test_sentinel_hazards.py::test_h23_readers_are_sent_to_nobody_who_misleads_them",),
    ),
    Hazard(
        "H24",
        "Consul resolves to no node, to two, or to one that is not writable",
        "A node does not start beside another master unless its service is in maintenance, or its file makes it a "
        "replica. The only master is not kept out of the name. No node is let in again whose check would pass beside "
        "another master. Catalog, check, DNS answer and role are shown side by side, and the time in which the name "
        "was wrong is measured.",
        (
            "comes-back-unresolved",
            "held-from-name",
            "not-in-name",
            "only-in-name",
            "check-agrees",
            "alone-in-name",
            "another-master",
        ),
        engine="A run on such a cluster watches the name all the time. Its report says how long the name was wrong.",
        findings=(
            "consul-none-passing",
            "consul-several-passing",
            "consul-disagrees",
            "consul-replica-held",
            "consul-dns-disagrees",
            "consul-unreachable",
        ),
        proofs=(
            "lab/test_consul.py::test_started_as_it_was_it_is_in_the_name_beside_the_master",
            "lab/test_consul.py::test_the_old_master_comes_back_and_is_never_in_the_name",
            "lab/test_consul.py::test_what_consul_says_otherwise_than_the_servers_is_named",
        ),
    ),
)
