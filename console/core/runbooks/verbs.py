"""The closed vocabulary of actions: what a step may do. Documents are checked against it; the engine makes the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from console.core.runbooks import affected_predicates as affected
from console.core.runbooks.document import Action


class ArgumentKind(StrEnum):
    """What an argument of a verb holds."""

    ROLE = "role"
    """The name of a role of the runbook."""
    TEXT = "text"
    SECONDS = "seconds"
    """A whole number of seconds."""


@dataclass(frozen=True, slots=True)
class VerbArgument:
    """An argument of a verb. There are no optional ones: what is done must stand in the document."""

    name: str
    kind: ArgumentKind
    doc: str

    @property
    def is_role(self) -> bool:
        return self.kind is ArgumentKind.ROLE


@dataclass(frozen=True, slots=True)
class VerbSpec:
    """A verb: what it does on the step's role, and how much of a gate it needs."""

    name: str
    doc: str
    """What it does, in one sentence; `the node` is the node of the step's role."""
    arguments: tuple[VerbArgument, ...] = ()
    mutating: bool = True
    """Sends something that changes a server; only a verb that does not may stand behind gate `none`."""
    wipes_data: bool = False
    """Can destroy the data set of the node: needs gate `type-name`."""
    repeatable: bool = True
    """Once a server has answered that it was *not* carried out, the step may be asked again from its beginning."""
    twice_is_once: bool = True
    """Sent a second time it does no harm that the first time did not: where its answer was lost and looking does not
    tell, the operator may send it again, through its whole gate (H27)."""
    undo: str = ""
    """What takes it back: a runbook, a step, or what is done by hand. Empty: nothing has to be, or can be."""
    answer_is_proof: bool = False
    """Only its answer proves it: where that is lost, looking at the servers cannot tell whether it was carried out."""
    rest_unseen: bool = False
    """What it sends after its first command leaves nothing to be seen: there too only an answer is a proof."""
    affects: frozenset[str] = frozenset()
    """Predicates whose answer this verb can change: what fails before it may well hold after it (`plan` says so)."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the arguments that hold a role."""
        return tuple(one.name for one in self.arguments if one.is_role)


_ROWS: tuple[VerbSpec, ...] = (
    VerbSpec(
        "start-redis",
        "Starts the Redis service of the node.",
        affects=affected.REDIS | affected.SERVICE_NAME,
        undo="stop the Redis service of the node; while its keepalived is stopped, no client reaches it",
    ),
    VerbSpec(
        "stop-redis",
        "Stops the Redis service of the node.",
        affects=affected.REDIS | affected.SERVICE_NAME | {"takes-no-writes"},
        undo="start the Redis service of the node: it loads the dump that it left",
    ),
    VerbSpec(
        "start-keepalived",
        "Starts the keepalived service of the node.",
        affects=affected.VIP,
        undo="stop the keepalived service of the node, where the other node can serve",
    ),
    VerbSpec(
        "stop-keepalived",
        "Stops the keepalived service of the node; a VIP that it holds goes away with it.",
        affects=affected.VIP,
        undo="one-shot-rebuild starts it again in its turn; repair-vip, where the virtual IP is on no node",
    ),
    VerbSpec(
        "reload-keepalived",
        "Makes the keepalived of the node read its configuration again.",
        answer_is_proof=True,
        affects=affected.VIP,
    ),
    VerbSpec(
        "restart-keepalived",
        "Stops the keepalived service of the node where it runs, and starts it.",
        affects=affected.VIP,
        undo="where it is stopped now, repair-vip starts it in the right order",
    ),
    VerbSpec(
        "remove-vip",
        "Takes the virtual IP off the interface of the node (ip addr del): for one that no keepalived looks after.",
        affects=affected.VIP,
        undo="repair-vip brings the virtual IP to the master",
    ),
    VerbSpec(
        "announce-vip",
        "Tells the neighbours of the node that the virtual IP is there (gratuitous ARP by arping, else by keepalived).",
        answer_is_proof=True,
        affects=affected.VIP,
    ),
    VerbSpec(
        "take-vip",
        "Sets the virtual IP on the interface of the node in whose network it is, and tells the neighbours (gratuitous"
        " ARP): for one that the script of the Sentinels should have moved.",
        affects=affected.VIP | {"no-other-vip-holder", "handed-over"},
        undo="remove-vip on the same node",
    ),
    VerbSpec(
        "sentinel-failover",
        "Asks a Sentinel to make another node than this one the master (SENTINEL FAILOVER); its script moves the VIP.",
        affects=affected.REDIS_ROLE | affected.VIP | affected.SENTINELS,
        undo="the same again, from the new master, once its replicas are in sync",
        twice_is_once=False,
    ),
    VerbSpec(
        "drain-readers",
        "Sets the weight of the node to 0 on every director: no new reader is sent to it, connected ones stay.",
        affects=affected.READERS,
        undo="serve-readers on the same node",
    ),
    VerbSpec(
        "serve-readers",
        "Gives the node back the weight that keepalived.conf has for it, on every director where it is 0.",
        affects=affected.READERS,
        undo="drain-readers on the same node",
    ),
    VerbSpec(
        "replicate",
        "Sends SLAVEOF to the node: it drops its own data set and follows the source, by the source's node address.",
        (VerbArgument("source", ArgumentKind.ROLE, "The node to follow; never the virtual IP."),),
        wipes_data=True,
        affects=affected.REDIS_ROLE | {"has-data-if", "not-older-than"},
        undo="restore-backup brings back what the node held, from the backup that was made before",
    ),
    VerbSpec(
        "promote",
        "Sends SLAVEOF NO ONE to the node: it follows nobody and becomes a master with the data it has.",
        affects=affected.REDIS_ROLE,
        undo="one-shot-rebuild makes it a replica again, where the other node is the master that serves",
    ),
    VerbSpec(
        "save-dump",
        "Sends BGSAVE to the node: it writes all that it holds to its dump, beside an AOF too.",
        affects=affected.DUMP,
    ),
    VerbSpec(
        "backup",
        "Copies the dump of the node beside it under a dated name, and compares size, SHA-256, mode and owner.",
        affects=frozenset({"backup-room", "backed-up", "has-backup", "dump-kept"}),
    ),
    VerbSpec(
        "restore-dump",
        "Sets the dump of the node aside and puts a copy of the backup in its place; its Redis must be stopped.",
        (VerbArgument("backup", ArgumentKind.TEXT, "`newest`, or the time in its name: 20261121T034000Z."),),
        wipes_data=True,
        affects=affected.DUMP | {"restored", "restore-room"},
        twice_is_once=False,
        undo="the dump that stood there is beside it, as its answer says: move it back while Redis is stopped",
    ),
    VerbSpec(
        "copy-dump",
        "Puts the dump of the source in the place of the node's, whose Redis is stopped. It comes over this machine,"
        " and goes on where it was cut; size and SHA-256 are compared at both ends, and it gets the owner and mode of"
        " the dump that it replaces.",
        (VerbArgument("source", ArgumentKind.ROLE, "The node whose dump is copied, saved while it takes no writes."),),
        wipes_data=True,
        affects=affected.DUMP | {"has-dump-of", "copy-room", "has-backup"},
        undo="the dump that stood there is beside it, as the backup made before: restore-backup brings it back",
    ),
    VerbSpec(
        "pause-writes",
        "Holds the writes of the node back: CLIENT PAUSE … WRITE lets clients wait (from 6.2 on), a demand for more"
        " replicas than there are (min-replicas-to-write) keeps it from acknowledging any until they are resumed. Where"
        " Sentinels watch it there is that demand alone: a pause would stop their PING.",
        (VerbArgument("seconds", ArgumentKind.SECONDS, "How long clients wait at most before they get NOREPLICAS."),),
        affects=affected.WRITE_PAUSE,
        undo="resume-writes takes it back at once",
    ),
    VerbSpec(
        "resume-writes",
        "Takes back what pause-writes did; clients that still wait go on.",
        rest_unseen=True,
        affects=affected.WRITE_PAUSE,
        undo="pause-writes holds them back again",
    ),
    VerbSpec(
        "set-priorities",
        "Edits one keepalived.conf: the smallest change that makes s < m < s + abs(weight); reloads it where it runs.",
        (
            VerbArgument("master", ArgumentKind.ROLE, "The node that is the master and is to hold the VIP."),
            VerbArgument("replica", ArgumentKind.ROLE, "The node that is to stand by."),
        ),
        rest_unseen=True,
        affects=frozenset({"priority-rule", "will-not-preempt", "pair-protected"}),
        undo="the file that stood there is beside it, as its answer says: put it back and reload keepalived",
    ),
    VerbSpec(
        "set-replicaof",
        "Edits the configuration file of the node's Redis, which does not run or is a replica: it then starts as"
        " a replica of the source, and drops its own data set.",
        (VerbArgument("source", ArgumentKind.ROLE, "The node to follow; never the virtual IP."),),
        wipes_data=True,
        affects=frozenset({"starts-as-replica", "comes-back-unresolved"}),
        undo="the file as it was lies beside it, under the same name and the time of the run",
    ),
    VerbSpec(
        "hold-service",
        "Puts the node's service in Consul into maintenance, at the agent that has it: its name does not lead there.",
        affects=affected.SERVICE_NAME | {"comes-back-unresolved"},
        undo="release-service, or `consul maint -disable -service=ID` on the agent's host",
    ),
    VerbSpec(
        "release-service",
        "Ends the maintenance of the node's service in Consul: its own checks decide again.",
        affects=affected.SERVICE_NAME | {"comes-back-unresolved"},
        undo="hold-service",
    ),
    VerbSpec(
        "export-differences",
        "Compares every key of the node with the other one's and writes those that differ, as RESTORE takes them, to a"
        " file in the folder of the run on this machine. It only reads on the servers.",
        (VerbArgument("other", ArgumentKind.ROLE, "The node whose data stays."),),
        answer_is_proof=True,
    ),
    VerbSpec(
        "write-proof",
        "Writes a key that expires after 60 seconds through the virtual IP and reads it back there.",
        answer_is_proof=True,
    ),
    VerbSpec(
        "shell",
        "Runs the runbook's own text in the node's shell; it counts as something that can destroy data.",
        (VerbArgument("script", ArgumentKind.TEXT, "POSIX sh."),),
        wipes_data=True,
        repeatable=False,
        twice_is_once=False,
    ),
    VerbSpec(
        "manual",
        "Sends nothing: shows what the operator is to do by hand, and goes on when it is confirmed.",
        (VerbArgument("instruction", ArgumentKind.TEXT, "What to do, in plain words."),),
        mutating=False,
    ),
)

VERBS: Mapping[str, VerbSpec] = {spec.name: spec for spec in _ROWS}


def changes_something(action: Action | None) -> bool:
    """Whether this action may change a server. An unknown verb counts as one that does."""
    if action is None:
        return False
    spec = VERBS.get(action.verb)
    return spec is None or spec.mutating
