"""The hazards of a manual rebuild: what keeps each one away, whether an operator may override it, and who proves it.

Rows in order. `docs/hazards.md` is written from them, and a test holds that every predicate, verb and proof exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from console.core.model.verdict import Check
from console.core.runbooks.document import Step


@dataclass(frozen=True, slots=True)
class Hazard:
    """One way to destroy data or service."""

    id: str
    what: str
    reason: str
    """How it is kept away, and why so."""
    predicates: tuple[str, ...] = ()
    """Conditions that refuse it. Those that a verb requires by itself are in `console.core.runbooks.interlocks`."""
    engine: str = ""
    """What of the program itself refuses it, where no condition is needed: nothing of a document can change that."""
    findings: tuple[str, ...] = ()
    """Codes under which inspection names it."""
    override: str = ""
    """The sentence by which an operator may take it all the same; empty: there is none, and nothing forces it."""
    proofs: tuple[str, ...] = ()
    """Tests on real servers that walk into it: `file::function`, beneath tests/."""


HAZARDS: tuple[Hazard, ...] = (
    Hazard(
        "H01",
        "keepalived on the returning node runs when its Redis comes back, and takes the VIP with stale data",
        "A Redis does not start beside another master unless its keepalived is proved stopped and its VIP gone; and "
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
        "A source without keys is refused while the target holds any, and while it still loads nothing is known of it.",
        ("has-data-if", "redis-not-loading"),
        findings=("empty-master",),
        proofs=(
            "lab/test_hazards.py::test_h02_an_empty_master_wipes_nobody",
            "lab/test_interlocks.py::test_a_runbook_that_requires_nothing_wipes_nothing",
        ),
    ),
    Hazard(
        "H03",
        "SLAVEOF in the wrong direction: the target has what the source has not",
        "Both histories are compared by offset, replid and last save. Only the operator can know that the target's "
        "writes are worth nothing, so a whole sentence overrides it, with the loss preview in sight.",
        ("not-older-than",),
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
        "The source is itself a replica, or becomes one: a chain or a loop",
        "It must be a master when it is shown and when SLAVEOF is sent.",
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
        engine="The only text that SLAVEOF is made from is the address of a node of the inventory.",
        findings=("replica-of-vip",),
        proofs=("lab/test_interlocks.py::test_h06_h12_the_source_is_an_address_of_its_own_and_its_load_is_shown",),
    ),
    Hazard(
        "H07",
        "The node at the other end is not the one that was shown",
        "Redis must be a process that SSH sees, and hostname, boot_id, run_id and config_file are read again on the "
        "channel that sends, right before it sends.",
        ("redis-on-this-host",),
        engine="The actuator sends nothing where the identity differs from the one that was shown.",
        proofs=(
            "lab/test_hazards.py::test_h07_h08_another_server_under_the_same_address_is_noticed_before_anything_is_sent",
        ),
    ),
    Hazard(
        "H08",
        "The state changed between the gate and the send",
        "Everything is observed again after the answer; what differs is shown, and nothing is sent.",
        engine="A step sends only what was made from the same facts as were shown.",
        proofs=("lab/test_hazards.py::test_h08_a_vip_that_moves_while_the_gate_is_open_closes_it",),
    ),
    Hazard(
        "H09",
        "A notify script still sleeps, and will change replication in some seconds",
        "No script of keepalived may run on either node; the console waits for its end.",
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
        "notify scripts would undo the pair at once, nor Redis started or stopped beside a check that does so too.",
        ("scripts-agree", "checks-agree", "no-script-running"),
        findings=("script-fights-operator",),
        proofs=(
            "lab/test_interlocks.py::test_h10_keepalived_is_not_started_where_its_script_would_promote_the_replica",
            "lab/test_findings.py::test_mishaps_of_keepalived",
        ),
    ),
    Hazard(
        "H11",
        "The fork for the full sync kills the source",
        "Memory, overcommit, disk and the last background save are looked at; below the margin it is refused.",
        ("fork-headroom",),
        findings=("fork-headroom",),
        proofs=("lab/test_interlocks.py::test_h11_h19_a_source_or_target_without_room_is_refused",),
    ),
    Hazard(
        "H12",
        "The full sync at a busy time",
        "How busy the source is stands in the loss preview at the gate: the operator decides, nothing is refused.",
        engine="A gate that wipes always shows the preview.",
        proofs=("lab/test_interlocks.py::test_h06_h12_the_source_is_an_address_of_its_own_and_its_load_is_shown",),
    ),
    Hazard(
        "H13",
        "`+OK` from SLAVEOF is not completion",
        "A step ends with its proof: link up, sync done, offsets equal. The answer of the server proves nothing.",
        ("link-up", "in-sync"),
        engine="A step that changes something is done only when its conditions are seen to hold.",
        findings=("replica-link-down", "masterauth-mismatch"),
        proofs=("lab/test_hazards.py::test_h13_ok_from_slaveof_is_not_completion",),
    ),
    Hazard(
        "H14",
        "A second failover while the target is being loaded",
        "keepalived stays stopped on the target until it is in sync: neither SLAVEOF nor keepalived goes without that.",
        ("keepalived-stopped", "brings-no-stale-data"),
        findings=("failover-unprotected",),
        proofs=(
            "lab/test_interlocks.py::test_h14_a_survivor_that_dies_during_the_sync_does_not_promote_half_a_data_set",
            "lab/test_safe_return.py::test_given_back_or_stopped_half_way_nothing_is_lost_by_a_second_failure",
        ),
    ),
    Hazard(
        "H15",
        "Priorities that make the returning node preempt, or the survivor keep the VIP when its check fails",
        "s < m < s + abs(weight), computed from both files, before keepalived starts or reads them again.",
        ("priority-rule", "will-not-preempt"),
        findings=("priority-rule-broken", "priority-equal"),
        proofs=(
            "lab/test_hazards.py::test_h15_keepalived_is_not_started_with_a_priority_that_would_preempt",
            "lab/test_hazards.py::test_h15_the_smallest_change_is_made_where_keepalived_is_stopped",
        ),
    ),
    Hazard(
        "H16",
        "keepalived started on the replica first, or on both at once",
        "On a replica it starts only when its master holds the VIP, is VRRP MASTER and runs no script.",
        ("master-first", "in-its-turn"),
        proofs=(
            "lab/test_hazards.py::test_h16_the_replicas_keepalived_does_not_start_before_the_master_holds_the_vip",
            "lab/test_interlocks.py::test_verbs_that_start_something_require_what_their_runbook_leaves_out",
        ),
    ),
    Hazard(
        "H17",
        "Both nodes hold the VIP, or none",
        "The only node that serves is not stopped unless another one with all of its data takes over; two holders are "
        "no place to start from.",
        ("only-vip-holder", "clients-can-do-without", "behind-vip"),
        findings=("vip-duplicate", "vip-missing"),
        proofs=("lab/test_interlocks.py::test_h17_h18_two_holders_and_two_masters_are_named_and_nothing_is_wiped",),
    ),
    Hazard(
        "H18",
        "Both Redis are masters and both took writes",
        "The one is not made to follow the other while it has writes of its own, and nobody is promoted beside a "
        "master that takes writes.",
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
    Hazard(
        "H20",
        "SLAVEOF by hand on a set that Sentinels steer: they revert it, or fight it",
        "Neither SLAVEOF nor a promotion is sent where the inventory names Sentinels, whatever a runbook says; a "
        "failover is asked of them, and a node that comes back starts as a replica of the master that they name.",
        ("not-under-sentinels", "sentinels-name"),
        findings=("sentinel-disagree",),
        proofs=("lab/test_sentinel_hazards.py::test_h20_slaveof_is_the_sentinels_own",),
    ),
    Hazard(
        "H21",
        "Sentinels without a quorum, in TILT, in a failover, or that disagree",
        "Each of them is asked for itself. No failover is asked for while one of these is so, or is not known.",
        ("quorum-reachable", "no-tilt", "no-failover-running", "sentinels-name", "promotable-replica"),
        findings=("sentinel-no-quorum", "sentinel-tilt", "sentinel-failover-in-progress", "sentinel-disagree"),
        proofs=("lab/test_sentinel_hazards.py::test_h21_no_failover_is_asked_of_sentinels_that_cannot",),
    ),
    Hazard(
        "H22",
        "The old master returns with the virtual IP still on its interface",
        "Redis does not start beside another master before the address is seen to be gone from its node.",
        ("no-vip", "comes-back-quietly"),
        findings=("vip-duplicate", "sentinel-master-not-vip"),
        proofs=("lab/test_sentinel_hazards.py::test_h22_redis_is_not_started_where_the_address_is_left",),
    ),
    Hazard(
        "H23",
        "The read VIP sends readers to a replica that has lost its master",
        "It is named with the weights on each director; it is taken out by a confirmed step, never the last one that "
        "serves, and brought back only with the master's data, the address on its loopback and ARP kept quiet.",
        ("others-serve-readers", "fit-for-readers", "takes-read-vip", "serves-no-readers"),
        findings=("lvs-serves-stale", "read-vip-not-on-node", "arp-not-suppressed"),
        proofs=("lab/test_sentinel_hazards.py::test_h23_readers_are_sent_to_nobody_who_misleads_them",),
    ),
    Hazard(
        "H24",
        "Consul resolves to no node, to two, or to one that is not writable",
        "A node does not start beside another master unless its service is in maintenance, or its file makes it a "
        "replica; the only master is not kept out of the name; nobody is let in again whose check would pass beside "
        "another master. Catalog, check, DNS answer and role stand side by side, and how long the name was wrong is "
        "measured.",
        (
            "comes-back-unresolved",
            "held-from-name",
            "not-in-name",
            "only-in-name",
            "check-agrees",
            "alone-in-name",
            "another-master",
        ),
        engine="A run on such a cluster watches the name from its beginning to its end, and its report says for how "
        "long it was wrong.",
        findings=(
            "consul-none-passing",
            "consul-several-passing",
            "consul-disagrees",
            "consul-dns-disagrees",
            "consul-unreachable",
        ),
        proofs=(
            "lab/test_consul.py::test_started_as_it_was_it_is_in_the_name_beside_the_master",
            "lab/test_consul.py::test_the_old_master_comes_back_and_is_never_in_the_name",
            "lab/test_consul.py::test_what_consul_says_otherwise_than_the_servers_is_named",
        ),
    ),
    Hazard(
        "H25",
        "A copy of the RDB that is older than the last acknowledged write",
        "A backup counts only where nothing changed since the save that it is a copy of; its size and checksum are "
        "compared, and nothing that holds keys is wiped without one. A dump is carried to another node only while its "
        "writes are held back and it counts no change since the save; keys are counted by database before it serves.",
        (
            "nothing-unsaved",
            "backed-up",
            "keys-as-in-backup",
            "saved-for-good",
            "dump-kept",
            "has-dump-of",
            "runs-on-copy",
        ),
        proofs=(
            "lab/test_recover_from_rdb.py::test_nothing_is_lost_and_the_role_is_where_it_is_wanted",
            "lab/test_recover_from_rdb.py::test_whatever_dump_lies_there_loses_what_was_written_since",
            "lab/test_recover_from_rdb.py::test_a_runbook_that_requires_nothing_copies_no_old_dump",
            "lab/test_backup.py::test_what_the_rebuild_wipes_is_backed_up_and_can_be_brought_back",
            "lab/test_backup.py::test_what_was_written_is_saved_first_and_never_put_at_risk_on_a_serving_node",
        ),
    ),
    Hazard(
        "H26",
        "Two operators run a runbook on the same cluster",
        "Arming takes a lock on every node that SSH reaches, held as long as the console's connection lives; who comes "
        "second is told who runs what since when. It is taken over by a typed sentence only.",
        engine="Every send asks the lock on each node first; a run whose lock is lost or taken sends nothing more.",
        proofs=(
            "lab/test_run_lock.py::test_the_second_operator_is_told_of_the_first_and_takes_over_by_a_sentence",
            "lab/test_run_lock.py::test_of_two_who_arm_at_once_exactly_one_gets_every_node",
            "lab/test_run_lock.py::test_no_lock_outlives_its_console",
        ),
    ),
    Hazard(
        "H27",
        "The console dies between sending and recording",
        "The intent is on disk before the send. Going on with the run looks first: what may have arrived is UNKNOWN, "
        "looking decides, or the operator; nothing is sent again by itself.",
        engine="Intent, send, result: in this order, each entry synced; a resumed run begins with an observation.",
        proofs=(
            "lab/test_crash.py::test_a_console_that_is_killed_at_every_moment_of_a_rebuild",
            "lab/test_crash.py::test_a_console_that_dies_at_slaveof",
            "lab/test_crash.py::test_a_console_that_dies_in_a_switchover",
            "lab/test_crash.py::test_a_node_that_reboots_while_the_console_is_dead",
        ),
    ),
    Hazard(
        "H28",
        "Unreadable is taken for down",
        "A condition that could not be looked at is neither true nor false, and what is not true blocks.",
        ("ssh-readable", "redis-down"),
        engine="Every answer has three values; no rule makes a state of an error.",
        findings=("ssh-unreachable", "redis-hung"),
        proofs=(
            "lab/test_interlocks.py::test_h28_a_node_that_hangs_is_not_down",
            "lab/test_faults.py::test_a_live_screen",
        ),
    ),
    Hazard(
        "H29",
        "Secrets in a command line, a file or on a screen",
        "A password is a value that no text is made of: it is masked wherever it is written, and handed to the library "
        "that logs in.",
        engine="Secret has no text form; auth_pass is masked where the file is read.",
        proofs=("lab/test_interlocks.py::test_h29_no_secret_is_written_or_shown_anywhere",),
    ),
    Hazard(
        "H30",
        "The survivor refuses writes: min-replicas-to-write, or a save that failed",
        "It is named with what the client sees, and what cannot take writes is not made the source of a pair.",
        ("writes-accepted",),
        findings=("writes-refused",),
        proofs=("lab/test_interlocks.py::test_h30_a_survivor_that_refuses_writes_is_named_and_not_built_upon",),
    ),
)

_BY_ID: Mapping[str, Hazard] = {one.id: one for one in HAZARDS}


def override_sentence(step: Step, checks: Iterable[Check], roles: Mapping[str, str]) -> str:
    """The sentence by which an operator may take what fails; empty: nothing fails, or something of it stands firm."""
    failing = [check.hazard for check in checks if not check.holds]
    sentences = {_BY_ID[hazard].override if hazard in _BY_ID else "" for hazard in failing}
    source = roles.get(str(step.action.arguments.get("source", ""))) if step.action else None
    if len(sentences) != 1 or source is None or step.role not in roles:
        return ""
    return sentences.pop().format(node=roles[step.role], source=source)
