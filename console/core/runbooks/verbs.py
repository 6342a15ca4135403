"""The closed vocabulary of actions: what a step may do. Documents are checked against it.

A verb is a row here, its interlocks in `interlocks`, and the function in `console.engine.actions` that makes its
commands.
"""

from __future__ import annotations

from collections.abc import Mapping

from console.core.runbooks.document import Action
from console.core.runbooks.verb import ArgumentKind, VerbArgument, VerbSpec
from console.core.runbooks.verb_effects import (
    DUMP,
    PAUSE,
    READERS,
    REDIS,
    REDIS_ROLE,
    SENTINELS,
    SERVICE_NAME,
    VIRTUAL_IP,
)

_ROWS: tuple[VerbSpec, ...] = (
    VerbSpec(
        "start-redis",
        "Starts the Redis service of the node.",
        affects=REDIS | SERVICE_NAME,
        undo="stop the Redis service of the node; no client reaches it while its keepalived is stopped",
        skipped="Redis stays down on that node, and the data has one copy less.",
    ),
    VerbSpec(
        "stop-redis",
        "Stops the Redis service of the node.",
        affects=REDIS | SERVICE_NAME | {"takes-no-writes"},
        undo="start the Redis service of the node: it loads the dump that it left",
    ),
    VerbSpec(
        "start-keepalived",
        "Starts the keepalived service of the node.",
        affects=VIRTUAL_IP,
        undo="stop the keepalived service of the node, if the other node can serve",
        skipped="keepalived stays stopped on that node: it takes no virtual IP, now or after the next failure.",
    ),
    VerbSpec(
        "stop-keepalived",
        "Stops the keepalived service of the node. A VIP that it holds is removed with it.",
        affects=VIRTUAL_IP,
        undo="one-shot-rebuild starts it again at the right time; repair-vip, if the virtual IP is on no node",
    ),
    VerbSpec(
        "reload-keepalived",
        "Makes the keepalived of the node read its configuration again.",
        answer_is_proof=True,
        affects=VIRTUAL_IP,
    ),
    VerbSpec(
        "restart-keepalived",
        "Stops the keepalived service of the node if it runs, and starts it.",
        affects=VIRTUAL_IP,
        undo="if it is stopped now, repair-vip starts it in the right order",
        skipped="The virtual IP is not brought to that node: clients go on reaching another server, or none.",
    ),
    VerbSpec(
        "remove-vip",
        "Removes the virtual IP from the interface of the node (ip addr del), where no keepalived manages it.",
        affects=VIRTUAL_IP,
        undo="repair-vip brings the virtual IP to the master",
    ),
    VerbSpec(
        "announce-vip",
        "Tells the neighbours of the node that the virtual IP is there (gratuitous ARP by arping, else by keepalived).",
        answer_is_proof=True,
        affects=VIRTUAL_IP,
        skipped="Clients whose neighbours remember the old place go on reaching no server there, until they forget it.",
    ),
    VerbSpec(
        "take-vip",
        "Sets the virtual IP on the interface of the node in whose network it is, and tells the neighbours (gratuitous"
        " ARP). It does what the script of the Sentinels should have done.",
        affects=VIRTUAL_IP | {"no-other-vip-holder", "handed-over"},
        undo="remove-vip on the same node",
    ),
    VerbSpec(
        "sentinel-failover",
        "Asks a Sentinel to make another node than this one the master (SENTINEL FAILOVER). Its script moves the VIP.",
        affects=REDIS_ROLE | VIRTUAL_IP | SENTINELS,
        undo="the same again, from the new master, once its replicas are in sync",
        twice_is_once=False,
    ),
    VerbSpec(
        "sentinel-forget",
        "Makes every Sentinel forget the node, whose Redis is down (SENTINEL RESET). They learn the other nodes and"
        " each other again within seconds, and fail over nothing meanwhile.",
        affects=SENTINELS | {"unknown-to-sentinels", "kept-from-sentinels", "promotable-replica", "set-protected"},
        undo="the Sentinels learn the node again as soon as it is a replica of the master",
    ),
    VerbSpec(
        "start-sentinels",
        "Starts every Sentinel that does not run and whose service the inventory names, each on its own host.",
        affects=SENTINELS,
        undo="stop the service of that Sentinel on its host",
        skipped="Those Sentinels stay down: with too few of them nobody takes over after the next failure.",
    ),
    VerbSpec(
        "drain-readers",
        "Sets the weight of the node to 0 on every director. No new reader is sent to it; connected ones stay.",
        affects=READERS,
        undo="serve-readers on the same node",
    ),
    VerbSpec(
        "serve-readers",
        "Sets the weight of the node to the one in keepalived.conf, on every director where it is 0.",
        affects=READERS,
        undo="drain-readers on the same node",
        skipped="No new reader is sent to that node.",
    ),
    VerbSpec(
        "replicate",
        "Sends SLAVEOF to the node. It drops its own data set and follows the source, by the source's own address.",
        (VerbArgument("source", ArgumentKind.ROLE, "The node to follow, never the virtual IP."),),
        wipes_data=True,
        affects=REDIS_ROLE | {"has-data-if", "not-older-than"},
        undo="restore-backup brings back what the node held, from the backup that was made before",
    ),
    VerbSpec(
        "promote",
        "Sends SLAVEOF NO ONE to the node. It becomes a master with the data that it has.",
        affects=REDIS_ROLE,
        undo="one-shot-rebuild makes it a replica again, if the other node is the master that serves",
    ),
    VerbSpec(
        "save-dump",
        "Sends BGSAVE to the node. It writes all that it holds to its dump, also where it has an AOF.",
        affects=DUMP,
    ),
    VerbSpec(
        "backup",
        "Copies what Redis on the node would load, its dump or its append-only file, to a dated name beside it."
        " Compares size, SHA-256, mode and owner, runs the check program, and loads the copy in a throw-away server"
        " where there is one, and room for it.",
        affects=frozenset(
            {"backup-room", "backed-up", "has-backup", "dump-kept", "loads-backup", "kept-from-sentinels"}
        ),
    ),
    VerbSpec(
        "restore-dump",
        "Sets the dump or the append-only file of the node aside and puts a copy of the backup in its place. With AOF"
        " on, a dump becomes the base of an append-only file. Its Redis must be stopped.",
        (VerbArgument("backup", ArgumentKind.TEXT, "`newest`, or the time in its name: 20261121T034000Z."),),
        wipes_data=True,
        affects=DUMP | {"restored", "restore-room"},
        twice_is_once=False,
        undo="what was there before is beside it, as its answer says: move it back while Redis is stopped",
    ),
    VerbSpec(
        "copy-dump",
        "Replaces the dump of the node, whose Redis is stopped, with the dump of the source. The file comes over this"
        " machine, and an interrupted copy is continued. Size and SHA-256 are compared on both nodes. The file gets"
        " the owner and mode of the dump that it replaces.",
        (
            VerbArgument(
                "source", ArgumentKind.ROLE, "The node whose dump is copied. It was saved while writes were paused."
            ),
        ),
        wipes_data=True,
        affects=DUMP | {"has-dump-of", "copy-room", "has-backup"},
        undo="the dump that was there before is beside it, as a backup: restore-backup brings it back",
    ),
    VerbSpec(
        "pause-writes",
        "Pauses the writes of the node. CLIENT PAUSE … WRITE makes clients wait (from 6.2 on). A min-replicas-to-write"
        " higher than the number of replicas keeps the node from acknowledging any write until they are resumed. Where"
        " Sentinels watch the node only the second is used: a pause would stop their PING.",
        (VerbArgument("seconds", ArgumentKind.SECONDS, "How long clients wait at most before they get NOREPLICAS."),),
        affects=PAUSE,
        undo="resume-writes takes it back at once",
    ),
    VerbSpec(
        "resume-writes",
        "Takes back what pause-writes did. Clients that still wait go on.",
        rest_unseen=True,
        affects=PAUSE,
        undo="pause-writes pauses them again",
        skipped="Writes stay paused there: if that node is the master, every client goes on being refused.",
    ),
    VerbSpec(
        "set-priorities",
        "Edits one keepalived.conf, by the smallest change that puts the master's priority above the replica's, by less"
        " than the weight of the check. Reloads keepalived if it runs there.",
        (
            VerbArgument("master", ArgumentKind.ROLE, "The node that is the master and is to hold the VIP."),
            VerbArgument("replica", ArgumentKind.ROLE, "The node that is to stand by."),
        ),
        rest_unseen=True,
        affects=frozenset({"priority-rule", "will-not-preempt", "pair-protected"}),
        undo="the file as it was is beside it, as its answer says: put it back and reload keepalived",
        skipped="The wrong node takes the virtual IP, or none does, when the master fails.",
    ),
    VerbSpec(
        "set-replicaof",
        "Edits the configuration file of the node's Redis, which does not run or is a replica. Its next start makes it"
        " a replica of the source, and it drops its own data set.",
        (VerbArgument("source", ArgumentKind.ROLE, "The node to follow, never the virtual IP."),),
        wipes_data=True,
        affects=frozenset({"starts-as-replica", "starts-as-master", "start-needs-no-edit", "comes-back-unresolved"}),
        undo="the file as it was is beside it, under the same name with the time of the run",
    ),
    VerbSpec(
        "clear-replicaof",
        "Takes slaveof and replicaof out of the configuration file of the node's Redis, which does not run. Its next"
        " start makes it a master of its own, with its own data.",
        affects=frozenset({"starts-as-replica", "starts-as-master", "start-needs-no-edit", "comes-back-unresolved"}),
        undo="the file as it was is beside it, under the same name with the time of the run",
    ),
    VerbSpec(
        "keep-replica",
        "Edits the configuration file of the node's Redis, a replica of the source. Its next start keeps that role.",
        (VerbArgument("source", ArgumentKind.ROLE, "The node that it follows, never the virtual IP."),),
        affects=frozenset({"starts-as-replica", "start-needs-no-edit"}),
        undo="the file as it was is beside it, under the same name with the time of the run",
    ),
    VerbSpec(
        "keep-master",
        "Takes slaveof and replicaof out of the configuration file of the node's Redis, a master. Its next start"
        " keeps that role.",
        affects=frozenset({"starts-as-master", "start-needs-no-edit"}),
        undo="the file as it was is beside it, under the same name with the time of the run",
        skipped="The next start of the master makes it a replica.",
    ),
    VerbSpec(
        "hold-service",
        "Puts the node's service in Consul into maintenance, at the agent that has it. The name does not lead there "
        "then.",
        affects=SERVICE_NAME | {"comes-back-unresolved"},
        undo="release-service, or `consul maint -disable -service=ID` on the agent's host",
    ),
    VerbSpec(
        "release-service",
        "Ends the maintenance of the node's service in Consul. Its own checks decide again.",
        affects=SERVICE_NAME | {"comes-back-unresolved"},
        undo="hold-service",
        skipped="The node stays out of the name, also after the next failover: then clients may find nobody.",
    ),
    VerbSpec(
        "export-differences",
        "Compares every key of the node with those of the other one. Writes the keys that differ, as RESTORE takes "
        "them,"
        " to a file in the folder of the run on this machine. It only reads on the servers.",
        (VerbArgument("other", ArgumentKind.ROLE, "The node whose data stays."),),
        answer_is_proof=True,
    ),
    VerbSpec(
        "export-disk-keys",
        "Compares every key on the disk of the node, whose Redis is down, with those of the other one. A copy of the"
        " data is loaded in a throw-away server on the node: no port, no replication, and gone afterwards. Writes the"
        " keys that the other one lacks, or has with another value, to a file in the folder of the run on this machine."
        " Of more than 1,000,000 keys it compares a sample and writes no file. Where it cannot be done, the step is"
        " skipped.",
        (VerbArgument("other", ArgumentKind.ROLE, "The node whose data stays."),),
        optional=True,
        answer_is_proof=True,
    ),
    VerbSpec(
        "write-proof",
        "Writes a key that expires after 60 seconds through the virtual IP and reads it back there.",
        answer_is_proof=True,
    ),
    VerbSpec(
        "shell",
        "Runs the runbook's own text in the node's shell. What the text does (replication, flush, shutdown, DEBUG,"
        " CONFIG, services, keepalived) requires what the verb that does the same requires. What is not understood"
        " needs a typed sentence, and is refused on a node that alone has its data, unless this run backed it up.",
        (VerbArgument("script", ArgumentKind.TEXT, "POSIX sh."),),
        wipes_data=True,
        repeatable=False,
        twice_is_once=False,
    ),
    VerbSpec(
        "manual",
        "Sends nothing. Shows what the operator must do by hand, and where. Looks again when that is confirmed. The"
        " command, and commands in the instruction, best in backticks, are judged as those of `shell`. Plain words"
        " without a command are not.",
        (
            VerbArgument("instruction", ArgumentKind.TEXT, "What to do, in plain words. {role} stands for its node."),
            VerbArgument("command", ArgumentKind.TEXT, "The exact command to type on the node.", required=False),
        ),
        mutating=False,
    ),
    VerbSpec(
        "sentinels-by-hand",
        "Sends nothing. Shows which Sentinels do not answer or do not agree, on which host, and the command to type"
        " there. Looks again when that is confirmed.",
        mutating=False,
        affects=SENTINELS,
    ),
)

VERBS: Mapping[str, VerbSpec] = {spec.name: spec for spec in _ROWS}


def changes_something(action: Action | None) -> bool:
    """Whether this action may change a server. An unknown verb counts as one that does."""
    if action is None:
        return False
    spec = VERBS.get(action.verb)
    return spec is None or spec.mutating


def verb_of(action: Action | None) -> VerbSpec:
    """The verb of an action. One that is not known counts as neither repeatable nor provable."""
    name = action.verb if action is not None else ""
    return VERBS.get(name) or VerbSpec(name, "", repeatable=False, twice_is_once=False, answer_is_proof=True)
