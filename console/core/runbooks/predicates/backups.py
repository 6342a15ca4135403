"""Dumps, backups, and the copy of one node's dump to another."""

from __future__ import annotations

from console.core.conditions import backups, disk_keys
from console.core.conditions import dump_copies as copies
from console.core.conditions.predicate import PredicateSpec
from console.core.runbooks.predicates.arguments import BACKUP, DUMP_SOURCE, UNLESS_SOURCE

ROWS: tuple[PredicateSpec, ...] = (
    PredicateSpec(
        "nothing-unsaved",
        "All that Redis on the node holds is in its dump: no change since its save or load, no keys, or Redis is down.",
        backups.nothing_unsaved,
        (UNLESS_SOURCE,),
        hazard="H25",
    ),
    PredicateSpec("no-save-running", "No save and no rewrite of an AOF runs on the node.", backups.no_save_running),
    PredicateSpec(
        "backup-room",
        "The disk of the node has room for a backup: for the copy, and for a new dump where it must be saved first.",
        backups.backup_room,
        hazard="H11",
    ),
    PredicateSpec(
        "backed-up",
        "A dated copy is beside the dump, and the dump is what Redis on the node holds. Or Redis holds no keys.",
        backups.backed_up,
        (UNLESS_SOURCE,),
        hazard="H25",
    ),
    PredicateSpec("has-backup", "The backup is beside the data of the node.", backups.has_backup, (BACKUP,)),
    PredicateSpec(
        "restore-room",
        "The disk of the node has room for the backup in the place of its data.",
        backups.restore_room,
        (BACKUP,),
    ),
    PredicateSpec(
        "restored", "What Redis on the node loads when it starts is this backup.", backups.restored, (BACKUP,)
    ),
    PredicateSpec(
        "loads-backup",
        "The configuration file of the node makes its Redis load this backup, once it is in place.",
        backups.loads_backup,
        (BACKUP,),
    ),
    PredicateSpec(
        "keys-as-in-backup",
        "Redis on the node holds as many keys as were counted in the backup.",
        backups.keys_as_in_backup,
        (BACKUP,),
    ),
    PredicateSpec(
        "loads-dump",
        "Redis on the node starts from its dump: AOF is off, by its configuration file where it is down.",
        copies.starts_from_dump,
    ),
    PredicateSpec(
        "not-behind-vip",
        "The node does not have the virtual IP, and the virtual IP does not reach it.",
        backups.not_behind_vip,
        hazard="H04",
    ),
    PredicateSpec(
        "saved-for-good",
        "The writes of the node are paused, and its dump holds all that it acknowledged.",
        copies.saved_for_good,
        hazard="H25",
    ),
    PredicateSpec(
        "dump-kept",
        "What a start of Redis would load, its dump or its append-only file, has a dated copy. Or there is certainly"
        " nothing.",
        copies.dump_kept,
        hazard="H25",
    ),
    PredicateSpec(
        "no-disk-keys",
        "There are no keys on the disk of the node to compare now: its Redis runs, or its disk has no data.",
        disk_keys.no_disk_keys,
        hazard="H25",
    ),
    PredicateSpec(
        "copy-room",
        "The disk of the node has room for the dump of the source.",
        copies.copy_room,
        (DUMP_SOURCE,),
        hazard="H11",
    ),
    PredicateSpec(
        "has-dump-of",
        "The dump of the node is that of the source, as `copy-dump` brought it. The source's has not changed since.",
        copies.has_dump_of,
        (DUMP_SOURCE,),
        hazard="H25",
    ),
    PredicateSpec(
        "runs-on-copy",
        "Redis on the node was started from the source's dump and was not changed since. The source had no change since"
        " that save. Each database has as many keys as the source's, without those that expire.",
        copies.runs_on_copy,
        (DUMP_SOURCE,),
        hazard="H25",
    ),
    PredicateSpec(
        "out-of-the-way",
        "Redis on the node does not run, or `runs-on-copy` holds already.",
        copies.out_of_the_way,
        (DUMP_SOURCE,),
    ),
)
