"""What each verb requires by itself, whatever a runbook says or leaves out.

The engine adds these conditions to a step's own ones. A runbook cannot switch them off. Only `hazards`, next to it,
says which of them an operator may override, in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from console.core.runbooks.document import Condition, Step
from console.core.runbooks.verbs import VERBS

NODE = "node"
"""Stands for the step's own role; any other name stands for the role that the verb's argument of that name holds."""


@dataclass(frozen=True, slots=True)
class Interlock:
    """A condition that a verb adds to every step that uses it."""

    predicate: str
    reason: str
    """What would happen without it."""
    subject: str = NODE
    arguments: Mapping[str, str] = field(default_factory=dict)
    """The predicate's arguments: what each stands for, as `subject`."""


def _of_source(predicate: str, reason: str) -> Interlock:
    return Interlock(predicate, reason, subject="source")


def _towards_node(predicate: str, reason: str) -> Interlock:
    """The source is judged against the node that is to follow it."""
    return Interlock(predicate, reason, subject="source", arguments={"target": NODE})


def _towards_source(predicate: str, reason: str) -> Interlock:
    return Interlock(predicate, reason, arguments={"source": "source"})


_READABLE = Interlock("ssh-readable", "What cannot be looked at cannot be judged (H28).")
_REPLACEABLE = Interlock("clients-can-do-without", "Clients would lose the only node that serves them (H17).")
_SENTINELS = Interlock("not-under-sentinels", "Sentinels undo it, or take it for a failure and act (H20).")
_CHECKS = Interlock("checks-agree", "The check of a keepalived that runs would start or kill it meanwhile (H10).")
_STARTS_KEEPALIVED = (
    _READABLE,
    Interlock("brings-no-stale-data", "It may get the VIP, and with it writes that belong to newer data (H01, H14)."),
    Interlock("in-its-turn", "A replica that finds no master takes the VIP and promotes itself (H16)."),
    Interlock("will-not-preempt", "A priority that wins takes the VIP from a master that is well (H15)."),
    Interlock("scripts-agree", "Its notify scripts would change replication, or restart servers, at once (H10)."),
)

INTERLOCKS: Mapping[str, tuple[Interlock, ...]] = {
    "start-redis": (
        _READABLE,
        Interlock("redis-down", "A Redis that hangs or loads is not down, and is not to be started again (H28)."),
        Interlock("comes-back-quietly", "Its check would succeed, and keepalived would give it the VIP (H01, H22)."),
        Interlock("comes-back-unresolved", "Consul's check would succeed, and the name would be two nodes (H24)."),
        _CHECKS,
    ),
    "stop-redis": (_READABLE, _REPLACEABLE, _CHECKS),
    "start-keepalived": _STARTS_KEEPALIVED,
    "stop-keepalived": (_READABLE, _REPLACEABLE),
    "reload-keepalived": (
        _READABLE,
        Interlock("will-not-preempt", "The numbers in the file count from the reload on (H15)."),
    ),
    "restart-keepalived": (*_STARTS_KEEPALIVED, _REPLACEABLE),
    "remove-vip": (
        _READABLE,
        _REPLACEABLE,
        Interlock("keepalived-stopped", "A keepalived that runs gives the address up itself, or sets it again (H17)."),
    ),
    "announce-vip": (
        _READABLE,
        Interlock("only-vip-holder", "Two that announce the address send clients to both (H17)."),
    ),
    "take-vip": (
        _READABLE,
        Interlock("redis-is-master", "Clients could not write there."),
        Interlock("sentinels-name", "The Sentinels would protect, and promote, another one (H20, H21)."),
        Interlock("no-other-vip-holder", "The address would be on two (H17)."),
    ),
    "sentinel-failover": (
        Interlock("redis-is-master", "The node whose writes are held back must be the one that gives the role away."),
        Interlock("writes-paused", "What it acknowledges until it is a replica would be lost (H18)."),
        Interlock("sentinels-name", "They would fail another one over (H21)."),
        Interlock("quorum-reachable", "A Sentinel alone would not be believed by the others (H21)."),
        Interlock("no-failover-running", "Two at once fight each other (H21)."),
        Interlock("no-tilt", "A Sentinel in TILT mode sees less than it says (H21)."),
        Interlock("promotable-replica", "There would be nobody to take over with all data (H21)."),
    ),
    "drain-readers": (Interlock("others-serve-readers", "Readers would reach nothing (H23)."),),
    "serve-readers": (
        _READABLE,
        Interlock("fit-for-readers", "They would read old data (H23)."),
        Interlock("takes-read-vip", "It would drop their packets, or answer ARP in place of the director (H23)."),
    ),
    "replicate": (
        _READABLE,
        _SENTINELS,
        _of_source("ssh-readable", "What cannot be looked at cannot be judged (H28)."),
        Interlock("keepalived-stopped", "It could get the VIP with stale data, or while it loads (H01, H14)."),
        Interlock("no-vip", "Clients would be reading and writing what is about to be thrown away (H22)."),
        Interlock("no-script-running", "A script that still sleeps would undo it some seconds later (H09)."),
        _of_source("no-script-running", "The source may be about to become a replica (H09)."),
        Interlock("redis-up", "SLAVEOF needs a server to take it."),
        _of_source("redis-up", "There is nothing to copy from a server that is not there."),
        Interlock("redis-not-loading", "What it holds cannot be compared yet."),
        _of_source("redis-not-loading", "What it holds cannot be compared yet (H02)."),
        Interlock("redis-on-this-host", "The address may lead to another machine than the one shown (H07)."),
        _of_source("redis-on-this-host", "The address may lead to another machine than the one shown (H07)."),
        _of_source("redis-is-master", "A source that follows somebody makes a chain or a loop (H05)."),
        _of_source("not-a-replica", "A source that follows somebody makes a chain or a loop (H05)."),
        _of_source("behind-vip", "Clients write to another node: their writes would not be copied (H04)."),
        _towards_node("has-data-if", "An empty source empties the node (H02)."),
        _towards_node("not-older-than", "What only the node has would be lost (H03, H18)."),
        _towards_node("node-address-not-vip", "The VIP may be local to the node, and it moves (H06)."),
        _towards_source("version-not-older-than", "An older server cannot load a newer one's RDB (H19)."),
        _towards_source("maxmemory-fits", "A node with less room evicts, or dies of it (H19)."),
        _of_source("fork-headroom", "The fork for the copy would endanger the node that serves (H11)."),
        _towards_source("backed-up", "What is thrown away here could not be brought back (H18, H25)."),
    ),
    "promote": (
        _SENTINELS,
        _READABLE,
        Interlock("may-be-promoted", "Two masters take different writes, and one set of them is lost (H18)."),
    ),
    "save-dump": (
        _READABLE,
        Interlock("redis-not-loading", "It would save half a data set over a whole one."),
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
        Interlock("keepalived-stopped", "With the old data and a passing check it could get the VIP (H01)."),
        Interlock("no-vip", "Clients would reach the old data as soon as it is loaded (H22)."),
        Interlock("not-behind-vip", "Clients would lose what they wrote since the backup (H04)."),
        Interlock("no-script-running", "A script that still sleeps would start or promote something (H09)."),
    ),
    "copy-dump": (
        _READABLE,
        _of_source("ssh-readable", "What cannot be looked at cannot be judged (H28)."),
        Interlock("redis-down", "A running server would overwrite it with what it holds (H28)."),
        Interlock("keepalived-stopped", "With a passing check it could get the VIP as soon as it runs (H01)."),
        Interlock("no-vip", "Clients would reach it before it is proved to be whole (H22)."),
        Interlock("not-behind-vip", "Clients would lose what they wrote to it (H04)."),
        Interlock("no-script-running", "A script that still sleeps would start or promote something (H09)."),
        Interlock("loads-dump", "With AOF on, Redis would not load it (H25)."),
        Interlock("dump-kept", "What is replaced here could not be brought back (H25)."),
        _towards_source("copy-room", "A full disk makes the server refuse writes (H11, H30)."),
        _of_source("redis-is-master", "A replica may lack what its master has (H05)."),
        _of_source("redis-on-this-host", "The address may lead to another machine than the one shown (H07)."),
        _of_source("behind-vip", "Clients write to another node: their writes would not be copied (H04)."),
        _of_source("saved-for-good", "A dump that is older than the last acknowledged write loses it (H25)."),
        _of_source("no-save-running", "The file would be replaced while it is copied."),
    ),
    "export-differences": (
        _READABLE,
        Interlock("redis-not-loading", "Half of its keys would be taken for all of them."),
    ),
    "pause-writes": (
        _READABLE,
        Interlock("redis-is-master", "A replica takes no writes that could be held back."),
    ),
    "resume-writes": (
        _READABLE,
        Interlock("resumes-alone", "Its clients would write beside another master (H18)."),
    ),
    "set-priorities": (
        Interlock("ssh-readable", "What cannot be looked at cannot be judged (H28).", subject="master"),
        Interlock("ssh-readable", "What cannot be looked at cannot be judged (H28).", subject="replica"),
        Interlock("redis-is-master", "The higher number would belong to the wrong node (H15).", subject="master"),
    ),
    "set-replicaof": (
        _READABLE,
        _of_source("ssh-readable", "What cannot be looked at cannot be judged (H28)."),
        Interlock("takes-no-writes", "What it takes until it is stopped would be lost (H18)."),
        _of_source("redis-is-master", "A source that follows somebody makes a chain or a loop (H05)."),
        _of_source("sentinels-allow", "The Sentinels would make it follow somebody else (H20, H21)."),
        _of_source("fork-headroom", "The fork for the copy would endanger the node that serves (H11)."),
    ),
    "hold-service": (Interlock("another-master", "A name without an address serves nobody (H24)."),),
    "release-service": (
        Interlock("check-agrees", "What a check lets in by mistake is in the name at once (H24)."),
        Interlock("alone-in-name", "Its check passes, and the name would be two nodes (H24)."),
    ),
    "write-proof": (Interlock("vip-reaches", "The write would prove something about another server (H04, H07)."),),
}

FREE: Mapping[str, str] = {
    # Verbs without conditions of their own, and why.
    "shell": "Nothing is known of what its text does: so it stands behind a typed name, like what wipes data.",
    "manual": "It sends nothing.",
}


def interlocks(step: Step) -> tuple[Condition, ...]:
    """What the step's verb requires, in the words and roles of the step's runbook; nothing where it only looks."""
    if step.action is None or step.action.verb not in VERBS:
        return ()
    given = step.action.arguments
    roles = {NODE: step.role, **{name: str(given.get(name, "")) for name in VERBS[step.action.verb].roles}}
    return tuple(
        Condition(one.predicate, roles[one.subject], {name: roles[meant] for name, meant in one.arguments.items()})
        for one in INTERLOCKS.get(step.action.verb, ())
    )
