"""Hazards of copies, of the console itself, and of a survivor that refuses writes."""

from __future__ import annotations

from console.core.runbooks.hazards.hazard import Hazard

OPERATION_HAZARDS: tuple[Hazard, ...] = (
    Hazard(
        "H25",
        "A copy of the RDB that is older than the last acknowledged write",
        "A backup is of what a start of Redis would load: its dump, or its append-only file. What may be hidden is not "
        "taken for nothing. Under Sentinels it is made while Redis is down. "
        "A backup counts only where nothing changed since the save that it is a copy of. Its size and checksum are "
        "compared. No node that holds keys is wiped without one. A dump is copied to another node only while writes "
        "are "
        "paused and there is no change since the save. Keys are counted by database before the copy serves.",
        (
            "nothing-unsaved",
            "backed-up",
            "keys-as-in-backup",
            "saved-for-good",
            "dump-kept",
            "has-dump-of",
            "runs-on-copy",
            "survives-stop",
            "kept-from-sentinels",
            "loads-backup",
        ),
        proofs=(
            "lab/test_append_only.py::test_under_sentinels_it_is_kept_while_redis_is_down_and_comes_back_unseen_by_them",
            "lab/test_lost_writes.py::test_what_never_left_a_dead_master_is_found_named_and_kept",
            "lab/test_append_only.py::test_outside_the_consul_name_it_is_kept_and_comes_back_unseen",
            "unit/engine/test_aof_backup.py::test_a_cut_end_is_kept_as_it_is_and_loads_as_it_would_have",
            "unit/engine/test_aof_backup.py::test_a_disk_that_fills_during_the_copy_leaves_nothing_behind",
            "lab/test_recover_from_rdb.py::test_nothing_is_lost_and_the_role_is_where_it_is_wanted",
            "lab/test_recover_from_rdb.py::test_whatever_dump_lies_there_loses_what_was_written_since",
            "lab/test_recover_from_rdb.py::test_a_runbook_that_requires_nothing_copies_no_old_dump",
            "lab/test_backup.py::test_what_the_rebuild_wipes_is_backed_up_and_can_be_brought_back",
            "lab/test_backup.py::test_what_was_written_is_saved_first_and_never_put_at_risk_on_a_serving_node",
            "lab/test_interlocks.py::test_a_text_that_is_not_understood_needs_a_backup_of_this_run_and_a_sentence",
        ),
    ),
    Hazard(
        "H26",
        "Two operators run a runbook on the same cluster",
        "Arming takes a lock on every node that SSH reaches, for as long as the console's connection lives. The second "
        "operator is told who runs what, and since when. Only a typed sentence takes the lock over.",
        engine="The lock on each node is checked before every send. A run that has lost its lock sends nothing.",
        proofs=(
            "lab/test_run_lock.py::test_the_second_operator_is_told_of_the_first_and_takes_over_by_a_sentence",
            "lab/test_run_lock.py::test_of_two_who_arm_at_once_exactly_one_gets_every_node",
            "lab/test_run_lock.py::test_no_lock_outlives_its_console",
        ),
    ),
    Hazard(
        "H27",
        "The console dies between sending and recording",
        "The intent is on disk before the send. A resumed run looks first. A command that may have arrived is UNKNOWN "
        "until an observation or the operator decides. Nothing is sent again automatically.",
        engine="Intent, send, result: in this order, each entry synced. A resumed run begins with an observation.",
        proofs=(
            "lab/test_crash.py::test_a_console_that_is_killed_at_every_moment_of_a_rebuild",
            "lab/test_crash.py::test_a_console_that_dies_at_slaveof",
            "lab/test_crash.py::test_a_console_that_dies_in_a_switchover",
            "lab/test_crash.py::test_a_node_that_reboots_while_the_console_is_dead",
        ),
    ),
    Hazard(
        "H28",
        "What cannot be read is taken for down",
        "A condition that could not be evaluated is neither true nor false. Everything that is not true blocks.",
        ("ssh-readable", "redis-down"),
        engine="Every condition has three values. No rule turns an error into a state.",
        findings=("ssh-unreachable", "redis-hung"),
        proofs=(
            "lab/test_interlocks.py::test_h28_a_node_that_hangs_is_not_down",
            "lab/test_faults.py::test_a_live_screen",
        ),
    ),
    Hazard(
        "H29",
        "Secrets in a command line, a file or on a screen",
        "A password never becomes text. It is masked wherever it would be written, and given only to the library that "
        "logs in.",
        engine="Secret has no text form. auth_pass is masked when the file is read.",
        proofs=("lab/test_interlocks.py::test_h29_no_secret_is_written_or_shown_anywhere",),
    ),
    Hazard(
        "H30",
        "The survivor refuses writes: min-replicas-to-write, or a save that failed",
        "It is named with the error that clients get. A node that cannot take writes is not made the source of a pair. "
        "From 7.0 on a server whose save has failed ends as soon as a master sends it a write: it saves first.",
        ("writes-accepted", "would-accept-writes", "lives-as-replica"),
        findings=("writes-refused",),
        proofs=(
            "lab/test_interlocks.py::test_h30_a_survivor_that_refuses_writes_is_named_and_not_built_upon",
            "lab/test_interlocks.py::test_h30_a_node_whose_save_failed_follows_only_after_one_that_succeeded",
        ),
    ),
)
