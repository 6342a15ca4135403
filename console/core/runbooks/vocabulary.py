"""The closed vocabulary of conditions: what a runbook may require, skip on, verify, or bind a role by.

Every answer is HOLDS, FAILS or UNKNOWN; what could not be read is UNKNOWN, never down (H28).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from console.core.conditions import backups, replication, scripts, servers, switching, taking_over, virtual_ip, vrrp
from console.core.conditions import dump_copies as copies
from console.core.conditions import pair_protection as pair
from console.core.conditions.predicate import ArgumentSpec, ArgumentType, PredicateSpec, Question, UnreadError, Value
from console.core.conditions.sentinel_sets import service_name
from console.core.conditions.sentinel_sets import set_protection as sentinel_set
from console.core.model import ClusterState
from console.core.model.verdict import Check, Verdict
from console.core.runbooks import watcher_predicates as watchers
from console.core.runbooks.document import Condition

__all__ = ["VOCABULARY", "ArgumentSpec", "ArgumentType", "PredicateSpec", "evaluate"]


def _role(name: str, doc: str) -> ArgumentSpec:
    return ArgumentSpec(name, ArgumentType.ROLE, doc)


_SOURCE = _role("source", "The node to follow.")
_TARGET = _role("target", "The node that is to follow the subject.")
_MASTER = _role("master", "The node that is the master.")
_WITHIN = ArgumentSpec("within_bytes", ArgumentType.INTEGER, "Bytes of the stream that may be on their way.", 16_384)
_UNLESS = ArgumentSpec(
    "source", ArgumentType.ROLE, "A node: it holds as well where following that one throws nothing away.", ""
)
_COPIED = _role("source", "The node whose dump is copied.")
_SERVES = ArgumentSpec(
    "unless", ArgumentType.ROLE, "A node: it holds as well where that one is the only master, behind the VIP.", ""
)
_BACKUP = ArgumentSpec("backup", ArgumentType.TEXT, "`newest`, or the time in the name of a backup.", "newest")
_IS = ArgumentSpec("is", ArgumentType.STATE, "MASTER, BACKUP, FAULT or STOP.")

_ROWS: tuple[PredicateSpec, ...] = (
    # One node by itself
    PredicateSpec("ssh-readable", "SSH to the node works and was read.", servers.ssh_readable, hazard="H28"),
    PredicateSpec("redis-up", "Redis on the node answers.", servers.redis_up),
    PredicateSpec(
        "redis-down",
        "Redis on the node does not run: SSH sees no process of it, and its port refuses.",
        servers.redis_down,
        hazard="H28",
    ),
    PredicateSpec("redis-is-master", "Redis on the node says that it is a master.", servers.redis_is_master),
    PredicateSpec("redis-is-replica", "Redis on the node says that it is a replica.", servers.redis_is_replica),
    PredicateSpec("redis-not-loading", "Redis on the node has loaded its data.", servers.redis_not_loading),
    PredicateSpec(
        "redis-on-this-host",
        "The Redis that answers for the node is a process that SSH to the node sees.",
        servers.redis_on_this_host,
        hazard="H07",
    ),
    PredicateSpec("not-a-replica", "The node follows nobody.", servers.not_a_replica, hazard="H05"),
    PredicateSpec(
        "fork-headroom",
        "The node has the memory and the disk for the fork of a full sync.",
        servers.fork_headroom,
        hazard="H11",
    ),
    # The virtual IP
    PredicateSpec("holds-vip", "The node's kernel has the virtual IP.", virtual_ip.holds_vip),
    PredicateSpec("no-vip", "The node's kernel does not have the virtual IP.", virtual_ip.no_vip, hazard="H22"),
    PredicateSpec(
        "only-vip-holder",
        "The node has the virtual IP, and no other node has.",
        virtual_ip.only_vip_holder,
        hazard="H17",
    ),
    PredicateSpec("vip-reaches", "The server that answers at the virtual IP is the node's.", virtual_ip.vip_reaches),
    PredicateSpec(
        "behind-vip",
        "The virtual IP reaches the node, or no node holds it and nothing answers there.",
        virtual_ip.behind_vip,
        hazard="H04",
    ),
    # keepalived
    PredicateSpec("keepalived-running", "keepalived runs on the node.", vrrp.keepalived_running),
    PredicateSpec("keepalived-stopped", "No keepalived runs on the node.", vrrp.keepalived_stopped, hazard="H01"),
    PredicateSpec("vrrp-state", "keepalived on the node is in this state.", vrrp.vrrp_state, (_IS,)),
    PredicateSpec(
        "no-script-running",
        "No notify script of keepalived runs on the node.",
        vrrp.no_script_running,
        hazard="H09",
    ),
    PredicateSpec(
        "priority-rule",
        "s < m < s + abs(weight): the node is the replica s, and m is the master.",
        vrrp.priority_rule,
        (_MASTER,),
        hazard="H15",
    ),
    PredicateSpec(
        "master-first",
        "The master holds the virtual IP, is VRRP MASTER and none of its scripts run; the node is the replica.",
        vrrp.master_first,
        (_MASTER,),
        hazard="H16",
    ),
    PredicateSpec(
        "scripts-agree",
        "No notify script of BACKUP (every start begins there), nor of MASTER on a master, undoes the pair: makes a "
        "master follow, a replica a master or another's replica, restarts or stops servers, or deletes data. One that "
        "cannot be read blocks; what is not understood (other languages, variables, `notify`) is named and does not.",
        scripts.scripts_agree,
        hazard="H10",
    ),
    PredicateSpec(
        "takes-over-well",
        "The notify script of a new master, on the node, promotes it and lets it follow nobody but its present master.",
        scripts.takes_over_well,
        hazard="H10",
    ),
    PredicateSpec(
        "checks-agree",
        "No keepalived runs on the node, or no check of it restarts or stops Redis or keepalived by itself.",
        scripts.checks_agree,
        hazard="H10",
    ),
    # Two servers
    PredicateSpec("replicates-from", "The node follows the source.", replication.replicates_from, (_SOURCE,)),
    PredicateSpec("link-up", "The node follows the source and its link is up.", replication.link_up, (_SOURCE,), "H13"),
    PredicateSpec(
        "in-sync",
        "The node follows the source, no sync is under way, and its offset is within some bytes of the source's.",
        replication.in_sync,
        (_SOURCE, _WITHIN),
        hazard="H13",
    ),
    PredicateSpec(
        "has-data-if",
        "The node is not empty while the target holds keys; the node is the source.",
        replication.has_data_if,
        (_TARGET,),
        hazard="H02",
    ),
    PredicateSpec(
        "not-older-than",
        "The target holds nothing that the node has not; the node is the source.",
        replication.not_older_than,
        (_TARGET,),
        hazard="H03",
    ),
    PredicateSpec(
        "node-address-not-vip",
        "The address by which the target will follow the node is not the virtual IP; the node is the source.",
        replication.node_address_not_vip,
        (_TARGET,),
        hazard="H06",
    ),
    PredicateSpec(
        "version-not-older-than",
        "Redis on the node is not older than the source's, so that it can load its RDB.",
        replication.version_not_older_than,
        (_SOURCE,),
        hazard="H19",
    ),
    PredicateSpec(
        "maxmemory-fits",
        "The source's data fits into the node's maxmemory or memory.",
        replication.maxmemory_fits,
        (_SOURCE,),
        hazard="H19",
    ),
    PredicateSpec("newest", "No other node holds anything that the node has not.", switching.newest, hazard="H03"),
    PredicateSpec("only-master", "The node is a master, and no other node is.", replication.only_master, hazard="H18"),
    PredicateSpec("no-other-master", "No other node is a master.", replication.no_other_master, hazard="H18"),
    PredicateSpec(
        "writes-accepted",
        "The node is a master and no rule of it refuses writes.",
        replication.writes_accepted,
        (),
        "H30",
    ),
    # What clients would reach: verbs require these by themselves (console.core.runbooks.interlocks)
    PredicateSpec(
        "comes-back-quietly",
        "No other node is a master, or no keepalived runs on the node and it does not have the virtual IP.",
        taking_over.comes_back_quietly,
        hazard="H01",
    ),
    PredicateSpec(
        "brings-no-stale-data",
        "The node is the only master, or in sync with it, or has everything of another one whose writes are paused.",
        taking_over.brings_no_stale_data,
        hazard="H01",
    ),
    PredicateSpec(
        "in-its-turn",
        "The node is a master, or its master holds the virtual IP, is VRRP MASTER and none of its scripts run.",
        taking_over.in_its_turn,
        hazard="H16",
    ),
    PredicateSpec(
        "will-not-preempt",
        "The node is a master, or the priorities hold the rule with its master as the higher one.",
        taking_over.will_not_preempt,
        hazard="H15",
    ),
    PredicateSpec(
        "clients-can-do-without",
        "The node does not serve clients, or another one with all of its data and a running keepalived takes over.",
        taking_over.clients_can_do_without,
        hazard="H17",
    ),
    PredicateSpec(
        "may-be-promoted",
        "No other node is a master, or the node has every byte of it; and the node is not in the middle of a sync.",
        taking_over.may_be_promoted,
        hazard="H18",
    ),
    # What a node would lose for good
    PredicateSpec(
        "nothing-unsaved",
        "All that Redis on the node holds is in its dump: no change since its save or load, no keys, or it is down.",
        backups.nothing_unsaved,
        (_UNLESS,),
        hazard="H25",
    ),
    PredicateSpec("no-save-running", "No save and no rewrite of an AOF runs on the node.", backups.no_save_running),
    PredicateSpec(
        "backup-room",
        "The disk of the node has room for a backup: for the copy, and for a new dump where one has to be saved first.",
        backups.backup_room,
        hazard="H11",
    ),
    PredicateSpec(
        "backed-up",
        "A dated copy of the dump lies beside it, and the dump is what Redis on the node holds; or it holds no keys.",
        backups.backed_up,
        (_UNLESS,),
        hazard="H25",
    ),
    PredicateSpec("has-backup", "The backup lies beside the dump of the node.", backups.has_backup, (_BACKUP,)),
    PredicateSpec(
        "restore-room", "The disk of the node has room for its backup as its dump.", backups.restore_room, (_BACKUP,)
    ),
    PredicateSpec("restored", "The dump of the node is this backup.", backups.restored, (_BACKUP,)),
    PredicateSpec(
        "keys-as-in-backup",
        "Redis on the node holds as many keys as redis-check-rdb counted in the backup.",
        backups.keys_as_in_backup,
        (_BACKUP,),
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
    # Recovery from another node's dump
    PredicateSpec(
        "saved-for-good",
        "The writes of the node are paused, and its dump holds all that it acknowledged.",
        copies.saved_for_good,
        hazard="H25",
    ),
    PredicateSpec(
        "dump-kept",
        "A dated copy of the dump lies beside it, or the node has none; whether its Redis runs or not.",
        copies.dump_kept,
        hazard="H25",
    ),
    PredicateSpec(
        "copy-room",
        "The disk of the node has room for the dump of the source.",
        copies.copy_room,
        (_COPIED,),
        hazard="H11",
    ),
    PredicateSpec(
        "has-dump-of",
        "The dump of the node is that of the source, as `copy-dump` brought it; the source's has not changed since.",
        copies.has_dump_of,
        (_COPIED,),
        hazard="H25",
    ),
    PredicateSpec(
        "runs-on-copy",
        "Redis on the node was started from the source's dump and not changed since, the source had no change since"
        " that save, and each database has as many keys as the source's, those that expire apart.",
        copies.runs_on_copy,
        (_COPIED,),
        hazard="H25",
    ),
    PredicateSpec(
        "out-of-the-way",
        "Redis on the node does not run, or `runs-on-copy` holds already.",
        copies.out_of_the_way,
        (_COPIED,),
    ),
    PredicateSpec(
        "histories-compared",
        "Both nodes can be read; the evidence says what each would lose by following the other.",
        switching.histories_compared,
        (_role("other", "The node to compare with."),),
        hazard="H18",
    ),
    PredicateSpec(
        "writes-paused",
        "The node takes no writes until they are resumed (`pause-writes`).",
        switching.writes_paused,
        (_SERVES,),
    ),
    PredicateSpec(
        "writes-not-paused", "The node is not told to hold writes back (`resume-writes`).", switching.writes_not_paused
    ),
    PredicateSpec(
        "resumes-alone",
        "The node is a replica, which refuses writes anyway, or no other node is a master.",
        switching.resumes_alone,
        hazard="H18",
    ),
    PredicateSpec(
        "caught-up",
        "The writes of the source are paused, and the node follows it and has its very offset.",
        switching.caught_up,
        (_SOURCE,),
        hazard="H18",
    ),
    # The whole
    PredicateSpec(
        "pair-protected",
        "One master behind the VIP, a replica in sync, both keepaliveds in their places, priorities by the rule.",
        pair.pair_protected,
        subject=False,
    ),
    # A set that Sentinels steer, and the service name in Consul
    *sentinel_set.ROWS,
    *service_name.ROWS,
)

VOCABULARY: Mapping[str, PredicateSpec] = {spec.name: spec for spec in (*_ROWS, *watchers.ROWS)}


def evaluate(condition: Condition, state: ClusterState, roles: Mapping[str, str]) -> Check:
    """The condition's answer on this observation, `roles` being role → node. Never raises."""
    spec = VOCABULARY.get(condition.predicate)
    if spec is None:
        return Check(Verdict.UNKNOWN, condition.predicate, "no such predicate", "see `runbooks check`")
    asked = f"{condition.predicate} of {condition.subject}" if condition.subject else condition.predicate
    try:
        check = spec.rule(_ask(spec, condition, state, roles))
    except UnreadError as unread:
        check = Check(unread.verdict, _statement(spec, condition, roles), str(unread), unread.advice)
    except (KeyError, ValueError) as error:
        check = Check(Verdict.UNKNOWN, asked, f"the question cannot be asked: {error}", "see `runbooks check`")
    return replace(check, hazard=spec.hazard)


def _ask(spec: PredicateSpec, condition: Condition, state: ClusterState, roles: Mapping[str, str]) -> Question:
    subject = state.node(roles[condition.subject]) if spec.subject else None
    values: dict[str, Value] = {one.name: one.default for one in spec.arguments if one.default is not None}
    for argument in spec.arguments:
        if argument.name in condition.arguments:
            value = condition.arguments[argument.name]
            values[argument.name] = roles[str(value)] if argument.is_role else value
        elif argument.required:
            raise KeyError(argument.name)
    return Question(state, subject, values)


def _statement(spec: PredicateSpec, condition: Condition, roles: Mapping[str, str]) -> str:
    """What is asked, where the rule could not begin: the predicate with the names of the nodes."""
    words = [roles.get(condition.subject, condition.subject), spec.name] if spec.subject else [spec.name]
    words += [roles.get(str(condition.arguments.get(role, "")), "") for role in spec.roles]
    return " ".join(word for word in words if word)
