"""Hazards of every rebuild: two servers and, in a pair, keepalived and the virtual IP."""

from __future__ import annotations

from console.core.runbooks.hazards.hazard import Hazard

PAIR_HAZARDS: tuple[Hazard, ...] = (
    Hazard(
        "H01",
        "keepalived runs on the returning node when its Redis comes back, and takes the VIP with stale data",
        "Redis does not start beside another master unless its keepalived is proved to be stopped and its VIP is gone. "
        "keepalived starts only where Redis has what clients wrote.",
        ("comes-back-quietly", "brings-no-stale-data", "keepalived-stopped"),
        findings=("would-preempt-stale",),
        proofs=(
            "lab/test_hazards.py::test_h01_redis_is_not_started_beside_a_running_keepalived",
            "lab/test_interlocks.py::test_verbs_that_start_something_require_what_their_runbook_leaves_out",
        ),
    ),
    Hazard(
        "H02",
        "SLAVEOF of a node with data to an empty master wipes the data",
        "A source without keys is refused while the target holds any. A source that still loads is refused too.",
        ("has-data-if", "redis-not-loading"),
        findings=("empty-master",),
        proofs=(
            "lab/test_hazards.py::test_h02_an_empty_master_wipes_nobody",
            "lab/test_interlocks.py::test_a_runbook_that_requires_nothing_wipes_nothing",
            "lab/test_interlocks.py::test_the_text_of_a_shell_step_meets_the_interlocks_of_the_verb",
        ),
    ),
    Hazard(
        "H03",
        "SLAVEOF in the wrong direction: the target has what the source has not",
        "Both histories are compared by offset, replid and last save. Only the operator can know that the target's "
        "writes are not needed. So a whole sentence overrides the refusal, with the loss preview on the screen. A "
        "Redis is not started under a replica that has newer data than its disk: that replica would drop it.",
        ("not-older-than", "starts-over-no-newer-data"),
        findings=("histories-diverged",),
        override="I accept that {node} loses what {source} does not have",
        proofs=(
            "lab/test_hazards.py::test_h03_a_target_that_took_writes_of_its_own_is_not_wiped",
            "lab/test_interlocks.py::test_h03_only_the_whole_sentence_takes_the_loss",
            "lab/test_safe_return.py::test_writes_that_a_second_failure_left_on_the_dead_node_are_found_again",
        ),
    ),
    Hazard(
        "H04",
        "The source is not the node behind the VIP: clients write elsewhere",
        "The run_id that answers at the VIP must be the source's.",
        ("behind-vip", "vip-reaches"),
        findings=("vip-on-replica", "vip-reaches-stranger"),
        proofs=("lab/test_hazards.py::test_h04_a_source_that_is_not_behind_the_vip_is_refused",),
    ),
    Hazard(
        "H05",
        "The source is a replica itself, or becomes one: a chain or a loop",
        "It must be a master when it is shown, and again when SLAVEOF is sent.",
        ("redis-is-master", "not-a-replica"),
        findings=("mutual-replication", "chained-replica"),
        proofs=(
            "lab/test_hazards.py::test_h05_a_source_that_becomes_a_replica_is_refused",
            "lab/test_safe_return.py::test_a_loop_that_the_scripts_left_is_broken",
        ),
    ),
    Hazard(
        "H06",
        "SLAVEOF to the VIP: it may be local to the target, and it moves",
        "A source is a role bound to a node, never an address. A node whose address is the VIP is refused too.",
        ("node-address-not-vip",),
        engine="SLAVEOF is made from the address of a node of the inventory, and from nothing else.",
        findings=("replica-of-vip",),
        proofs=("lab/test_interlocks.py::test_h06_h12_the_source_is_an_address_of_its_own_and_its_load_is_shown",),
    ),
    Hazard(
        "H07",
        "The node that answers is not the one that was shown",
        "Redis must be a process that SSH sees. Host name, boot_id, run_id and config_file are read again on the "
        "connection that sends, right before it sends.",
        ("redis-on-this-host",),
        engine="The actuator sends nothing if the identity differs from the one that was shown.",
        proofs=(
            "lab/test_hazards.py::test_h07_h08_another_server_under_the_same_address_is_noticed_before_anything_is_sent",
        ),
    ),
    Hazard(
        "H08",
        "The state changed between the gate and the send",
        "Everything is observed again after the answer. If anything differs, it is shown and nothing is sent.",
        engine="A step sends only commands that were made from the facts that were shown.",
        proofs=("lab/test_hazards.py::test_h08_a_vip_that_moves_while_the_gate_is_open_closes_it",),
    ),
    Hazard(
        "H09",
        "A notify script still sleeps, and will change replication in some seconds",
        "No script of keepalived may run on either node. The console waits for its end.",
        ("no-script-running", "in-its-turn"),
        findings=("notify-in-progress",),
        proofs=(
            "lab/test_interlocks.py::test_h09_a_notify_script_that_still_sleeps_blocks_until_it_has_ended",
            "lab/test_safe_return.py::test_the_race_is_counted_down_as_it_goes_and_a_second_failure_in_it_loses_writes",
        ),
    ),
    Hazard(
        "H10",
        "Notify or check scripts that change replication or restart Redis by themselves",
        "The scripts are read, and what they will do is named with its line. keepalived is not started where its "
        "notify scripts would at once undo the pair. Redis is not started or stopped by hand where a check does so "
        "too.",
        ("scripts-agree", "checks-agree", "no-script-running", "no-script-steers"),
        findings=("script-fights-operator",),
        proofs=(
            "lab/test_interlocks.py::test_h10_keepalived_is_not_started_where_its_script_would_promote_the_replica",
            "lab/test_findings.py::test_mishaps_of_keepalived",
        ),
    ),
    Hazard(
        "H11",
        "The fork for the full sync kills the source",
        "Memory, overcommit, disk and the last background save are checked. Below the margin it is refused.",
        ("fork-headroom",),
        findings=("fork-headroom",),
        proofs=("lab/test_interlocks.py::test_h11_h19_a_source_or_target_without_room_is_refused",),
    ),
    Hazard(
        "H12",
        "The full sync at a busy time",
        "The loss preview at the gate says how busy the source is. The operator decides; nothing is refused.",
        engine="A gate that wipes always shows the preview.",
        proofs=("lab/test_interlocks.py::test_h06_h12_the_source_is_an_address_of_its_own_and_its_load_is_shown",),
    ),
    Hazard(
        "H13",
        "`+OK` from SLAVEOF is not completion",
        "A step ends with its proof: link up, sync done, offsets equal. The server's answer proves nothing.",
        ("link-up", "in-sync"),
        engine="A step that changes something is done only when an observation shows that its conditions hold.",
        findings=("replica-link-down", "masterauth-mismatch"),
        proofs=("lab/test_hazards.py::test_h13_ok_from_slaveof_is_not_completion",),
    ),
    Hazard(
        "H14",
        "A second failover while the target is being loaded",
        "keepalived stays stopped on the target until it is in sync. SLAVEOF and the start of keepalived both require "
        "it.",
        ("keepalived-stopped", "brings-no-stale-data"),
        findings=("failover-unprotected",),
        proofs=(
            "lab/test_interlocks.py::test_h14_a_survivor_that_dies_during_the_sync_does_not_promote_half_a_data_set",
            "lab/test_safe_return.py::test_given_back_or_stopped_half_way_nothing_is_lost_by_a_second_failure",
        ),
    ),
    Hazard(
        "H15",
        "Priorities that let the returning node preempt, or let the survivor keep the VIP when its check fails",
        "The priority rule, s < m < s + abs(weight), is computed from both files before keepalived starts or reloads.",
        ("priority-rule", "will-not-preempt"),
        findings=("priority-rule-broken", "priority-equal"),
        proofs=(
            "lab/test_hazards.py::test_h15_keepalived_is_not_started_with_a_priority_that_would_preempt",
            "lab/test_hazards.py::test_h15_the_smallest_change_is_made_where_keepalived_is_stopped",
        ),
    ),
    Hazard(
        "H16",
        "keepalived is started on the replica first, or on both nodes at once",
        "It starts on a replica only when the master holds the VIP, is VRRP MASTER and runs no script.",
        ("master-first", "in-its-turn"),
        proofs=(
            "lab/test_hazards.py::test_h16_the_replicas_keepalived_does_not_start_before_the_master_holds_the_vip",
            "lab/test_interlocks.py::test_verbs_that_start_something_require_what_their_runbook_leaves_out",
        ),
    ),
    Hazard(
        "H17",
        "Both nodes hold the VIP, or none",
        "The only node that serves is not stopped unless another one with all of its data takes over. No rebuild "
        "begins "
        "with two holders.",
        ("only-vip-holder", "clients-can-do-without", "behind-vip"),
        findings=("vip-duplicate", "vip-missing"),
        proofs=("lab/test_interlocks.py::test_h17_h18_two_holders_and_two_masters_are_named_and_nothing_is_wiped",),
    ),
    Hazard(
        "H18",
        "Both Redis are masters and both took writes",
        "Neither is made a replica of the other while it has writes of its own. No node is promoted beside a master "
        "that "
        "takes writes.",
        ("not-older-than", "may-be-promoted", "no-other-master", "only-master"),
        findings=("dual-master", "histories-diverged"),
        proofs=("lab/test_interlocks.py::test_h17_h18_two_holders_and_two_masters_are_named_and_nothing_is_wiped",),
    ),
    Hazard(
        "H19",
        "The replica is older than the master, or smaller",
        "Versions and sizes of both are compared before SLAVEOF.",
        ("version-not-older-than", "maxmemory-fits"),
        findings=("version-skew", "maxmemory-mismatch"),
        proofs=(
            "lab/test_interlocks.py::test_h11_h19_a_source_or_target_without_room_is_refused",
            "lab/test_interlocks.py::test_h19_a_server_that_cannot_load_the_copy_is_not_made_a_replica",
        ),
    ),
)
