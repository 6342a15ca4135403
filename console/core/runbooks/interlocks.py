"""What each verb requires by itself, whatever a runbook says or leaves out.

The engine adds these conditions to those of the step. A runbook cannot switch them off. `hazards` says which of them
an operator may override, by typing a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from console.core.runbooks.document import Condition, Step
from console.core.runbooks.verbs import VERBS

NODE = "node"
"""Means the step's own role. Any other name means the role that the verb's argument of that name holds."""


@dataclass(frozen=True, slots=True)
class Interlock:
    """A condition that a verb adds to every step that uses it."""

    predicate: str
    reason: str
    """What would happen without it."""
    subject: str = NODE
    arguments: Mapping[str, str] = field(default_factory=dict)
    """The predicate's arguments. Each value means a role, as `subject` does, or the verb's argument of that name."""


def _of_source(predicate: str, reason: str) -> Interlock:
    return Interlock(predicate, reason, subject="source")


def _towards_node(predicate: str, reason: str) -> Interlock:
    """The source is judged against the node that is to follow it."""
    return Interlock(predicate, reason, subject="source", arguments={"target": NODE})


def _towards_source(predicate: str, reason: str) -> Interlock:
    return Interlock(predicate, reason, arguments={"source": "source"})


_READABLE = Interlock("ssh-readable", "What cannot be read cannot be judged (H28).")
_REPLACEABLE = Interlock("clients-can-do-without", "Clients would lose the only node that serves them (H17).")
_SENTINELS = Interlock("not-under-sentinels", "Sentinels undo it, or treat it as a failure and act (H20).")
_CHECKS = Interlock(
    "checks-agree", "The check of a running keepalived would start or stop Redis at the same time (H10)."
)
_STARTS_KEEPALIVED = (
    _READABLE,
    Interlock("brings-no-stale-data", "It may get the VIP while its data is stale (H01, H14)."),
    Interlock("in-its-turn", "A replica whose keepalived hears no master takes the VIP and promotes itself (H16)."),
    Interlock("will-not-preempt", "A higher priority takes the VIP from a healthy master (H15)."),
    Interlock("scripts-agree", "Its notify scripts would at once change replication or restart servers (H10)."),
)

INTERLOCKS: Mapping[str, tuple[Interlock, ...]] = {
    "start-redis": (
        _READABLE,
        Interlock("redis-down", "A Redis that hangs or loads is not down, and must not be started again (H28)."),
        Interlock("comes-back-quietly", "Its check would succeed, and keepalived would give it the VIP (H01, H22)."),
        Interlock("starts-over-no-newer-data", "Its replica would drop the newest data for an old dump (H03)."),
        Interlock("comes-back-unresolved", "Consul's check would succeed, and the name would lead to two nodes (H24)."),
        Interlock("kept-from-sentinels", "Sentinels make it a replica, and its data could not be brought back (H25)."),
        _CHECKS,
    ),
    "stop-redis": (_READABLE, _REPLACEABLE, _CHECKS),
    "start-keepalived": _STARTS_KEEPALIVED,
    "stop-keepalived": (_READABLE, _REPLACEABLE),
    "reload-keepalived": (
        _READABLE,
        Interlock("will-not-preempt", "The priority in the file takes effect with the reload (H15)."),
    ),
    "restart-keepalived": (*_STARTS_KEEPALIVED, _REPLACEABLE),
    "remove-vip": (
        _READABLE,
        _REPLACEABLE,
        Interlock("keepalived-stopped", "A running keepalived removes the address itself, or sets it again (H17)."),
    ),
    "announce-vip": (
        _READABLE,
        Interlock("only-vip-holder", "Two nodes that announce the address get clients each (H17)."),
    ),
    "take-vip": (
        _READABLE,
        Interlock("redis-is-master", "Clients could not write there."),
        Interlock("sentinels-name", "The Sentinels protect and promote another node (H20, H21)."),
        Interlock("no-other-vip-holder", "The address would be on two nodes (H17)."),
    ),
    "sentinel-failover": (
        Interlock("redis-is-master", "The writes must be paused on the node that gives up the role."),
        Interlock("writes-paused", "Writes that it acknowledges before it is a replica would be lost (H18)."),
        Interlock("sentinels-name", "The failover would be that of another master (H21)."),
        Interlock("quorum-reachable", "Without a quorum the others do not accept the failover (H21)."),
        Interlock("no-failover-running", "Two failovers at once disturb each other (H21)."),
        Interlock("no-tilt", "What a Sentinel in TILT mode reports is not reliable (H21)."),
        Interlock("promotable-replica", "No replica could take over with all data (H21)."),
    ),
    "sentinel-forget": (
        Interlock("redis-down", "The Sentinels would learn it again while it runs (H20)."),
        Interlock("not-the-named-master", "They would forget that the master is down (H21)."),
        Interlock("no-failover-running", "A failover would be given up half-way (H21)."),
        Interlock("no-tilt", "What a Sentinel in TILT mode reports is not reliable (H21)."),
    ),
    "start-sentinels": (
        Interlock("one-master", "A Sentinel that finds two masters makes one a replica: its writes are lost (H18)."),
    ),
    "drain-readers": (Interlock("others-serve-readers", "Readers would reach no node (H23)."),),
    "serve-readers": (
        _READABLE,
        Interlock("fit-for-readers", "They would read old data (H23)."),
        Interlock("takes-read-vip", "It would drop their packets, or answer ARP instead of the director (H23)."),
    ),
    "replicate": (
        _READABLE,
        _SENTINELS,
        _of_source("ssh-readable", "What cannot be read cannot be judged (H28)."),
        Interlock("keepalived-stopped", "It could get the VIP with stale data or while it loads (H01, H14)."),
        Interlock("no-vip", "Clients would read and write data that is about to be dropped (H22)."),
        Interlock("no-script-running", "A script that still sleeps would undo it some seconds later (H09)."),
        _of_source("no-script-running", "The source may be about to become a replica (H09)."),
        Interlock("redis-up", "SLAVEOF needs a server that answers."),
        Interlock("lives-as-replica", "With a failed save it ends at the first write that its master sends (H30)."),
        _of_source("redis-up", "There is nothing to copy from a server that does not answer."),
        Interlock("redis-not-loading", "What it holds cannot be compared yet."),
        _of_source("redis-not-loading", "What it holds cannot be compared yet (H02)."),
        Interlock("redis-on-this-host", "The address may lead to another machine than the one shown (H07)."),
        _of_source("redis-on-this-host", "The address may lead to another machine than the one shown (H07)."),
        _of_source("redis-is-master", "A source that is a replica makes a chain or a loop (H05)."),
        _of_source("not-a-replica", "A source that is a replica makes a chain or a loop (H05)."),
        _of_source("behind-vip", "Clients write to another node: their writes would not be copied (H04)."),
        _towards_node("has-data-if", "An empty source empties the node (H02)."),
        _towards_node("not-older-than", "Data that only the node has would be lost (H03, H18)."),
        _towards_node("node-address-not-vip", "The VIP may be local to the node, and it moves (H06)."),
        _towards_source("version-not-older-than", "An older server cannot load a newer one's RDB (H19)."),
        _towards_source("maxmemory-fits", "A node with less memory evicts keys, or is killed (H19)."),
        _of_source("fork-headroom", "The fork for the copy would endanger the node that serves (H11)."),
        _towards_source("backed-up", "The data that is dropped here could not be brought back (H18, H25)."),
    ),
    "promote": (
        _SENTINELS,
        _READABLE,
        Interlock("may-be-promoted", "Two masters take different writes, and those of one of them are lost (H18)."),
    ),
    "save-dump": (
        _READABLE,
        Interlock("redis-not-loading", "It would replace a whole dump with half a data set."),
        Interlock("redis-on-this-host", "The address may lead to another machine than the one shown (H07)."),
        Interlock("no-save-running", "BGSAVE is refused while another save runs."),
        Interlock("backup-room", "A full disk makes the server refuse writes (H11, H30)."),
    ),
    "backup": (
        _READABLE,
        Interlock("backup-room", "A full disk makes the server refuse writes (H11, H30)."),
    ),
    "restore-dump": (
        _READABLE,
        Interlock("redis-down", "A running server would overwrite it with what it holds (H28)."),
        Interlock("keepalived-stopped", "It could get the VIP with old data as soon as its check passes (H01)."),
        Interlock("starts-as-master", "It would drop what is restored, and copy its master instead (H05)."),
        Interlock("loads-backup", "It would load something else (H25).", arguments={"backup": "backup"}),
        Interlock("no-vip", "Clients would reach the old data as soon as it is loaded (H22)."),
        Interlock("not-behind-vip", "Clients would lose what they wrote since the backup (H04)."),
        Interlock("no-script-running", "A script that still sleeps would start or promote something (H09)."),
    ),
    "copy-dump": (
        _READABLE,
        _of_source("ssh-readable", "What cannot be read cannot be judged (H28)."),
        Interlock("redis-down", "A running server would overwrite it with what it holds (H28)."),
        Interlock("keepalived-stopped", "It could get the VIP as soon as it runs and its check passes (H01)."),
        Interlock("no-vip", "Clients would reach it before its data is proved to be complete (H22)."),
        Interlock("not-behind-vip", "Clients would lose what they wrote to it (H04)."),
        Interlock("no-script-running", "A script that still sleeps would start or promote something (H09)."),
        Interlock("loads-dump", "With AOF on, Redis would not load it (H25)."),
        Interlock("dump-kept", "The dump that is replaced here could not be brought back (H25)."),
        _towards_source("copy-room", "A full disk makes the server refuse writes (H11, H30)."),
        _of_source("redis-is-master", "A replica may lack what its master has (H05)."),
        _of_source("redis-on-this-host", "The address may lead to another machine than the one shown (H07)."),
        _of_source("behind-vip", "Clients write to another node: their writes would not be copied (H04)."),
        _of_source("saved-for-good", "A dump that is older than the last acknowledged write loses it (H25)."),
        _of_source("no-save-running", "The dump would be replaced while it is copied."),
    ),
    "export-differences": (
        _READABLE,
        Interlock("redis-not-loading", "Its keys are not complete while it loads."),
    ),
    "export-disk-keys": (
        _READABLE,
        Interlock("redis-down", "What it holds in memory is not on its disk, and its files change (H28)."),
        Interlock("redis-not-loading", "Its keys are not complete while it loads.", subject="other"),
    ),
    "pause-writes": (
        _READABLE,
        Interlock("redis-is-master", "A replica takes no writes that could be paused."),
    ),
    "resume-writes": (
        _READABLE,
        Interlock("resumes-alone", "Its clients would write beside another master (H18)."),
    ),
    "set-priorities": (
        Interlock("ssh-readable", "What cannot be read cannot be judged (H28).", subject="master"),
        Interlock("ssh-readable", "What cannot be read cannot be judged (H28).", subject="replica"),
        Interlock("redis-is-master", "The higher number would belong to the wrong node (H15).", subject="master"),
    ),
    "set-replicaof": (
        _READABLE,
        _of_source("ssh-readable", "What cannot be read cannot be judged (H28)."),
        Interlock("takes-no-writes", "Writes that it takes before it is stopped would be lost (H18)."),
        _of_source("redis-is-master", "A source that is a replica makes a chain or a loop (H05)."),
        _of_source("sentinels-allow", "The Sentinels would make it a replica of another node (H20, H21)."),
        Interlock("dump-kept", "The data that its next start drops could not be brought back (H25)."),
        _of_source("fork-headroom", "The fork for the copy would endanger the node that serves (H11)."),
    ),
    "clear-replicaof": (
        _READABLE,
        Interlock("redis-down", "A running server would write the line again with its next CONFIG REWRITE."),
    ),
    "keep-replica": (
        _READABLE,
        _SENTINELS,
        Interlock("no-script-steers", "After a script has promoted it, its next start would make it a replica (H10)."),
        _of_source("redis-is-master", "A source that is a replica makes a chain or a loop (H05)."),
        _towards_node("node-address-not-vip", "The VIP may be local to the node, and it moves (H06)."),
        _towards_source("link-up", "Its next start would make it something else than it is now (H13)."),
    ),
    "keep-master": (
        _READABLE,
        _SENTINELS,
        Interlock("no-script-steers", "A script decides what it is after a start (H10)."),
        Interlock("only-master", "Two masters take different writes (H18)."),
    ),
    "hold-service": (Interlock("another-master", "The name would lead to no node (H24)."),),
    "release-service": (
        Interlock("check-agrees", "A check that passes by mistake puts the node into the name at once (H24)."),
        Interlock("alone-in-name", "Its check passes, and the name would lead to two nodes (H24)."),
    ),
    "write-proof": (Interlock("vip-reaches", "The write would prove something about another server (H04, H07)."),),
}

WITHOUT_INTERLOCKS: Mapping[str, str] = {
    # Verbs without conditions of their own, and why.
    "shell": "Its text is read: what it does takes on the interlocks of the verb that does the same.",
    "manual": "It sends nothing. The commands in its instruction take on interlocks as those of `shell` do.",
    "sentinels-by-hand": "It sends nothing.",
}


def interlocks(step: Step) -> tuple[Condition, ...]:
    """What the step's verb requires, with the roles of the step's runbook. Empty for a step that only looks."""
    if step.action is None or step.action.verb not in VERBS:
        return ()
    given = step.action.arguments
    roles = {NODE: step.role, **{name: str(given.get(name, "")) for name in VERBS[step.action.verb].roles}}
    return tuple(
        Condition(
            one.predicate,
            roles[one.subject],
            {name: roles.get(role) or str(given.get(role, "")) for name, role in one.arguments.items()},
        )
        for one in INTERLOCKS.get(step.action.verb, ())
    )
