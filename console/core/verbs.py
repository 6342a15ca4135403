"""The closed vocabulary of actions: what a step may do. Documents check runbooks against it, the engine turns it into text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from console.core.runbook import Action


class ArgumentKind(StrEnum):
    """What an argument of a verb holds."""

    ROLE = "role"
    """The name of a role of the runbook."""
    TEXT = "text"


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

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the arguments that hold a role."""
        return tuple(one.name for one in self.arguments if one.is_role)


_ROWS: tuple[VerbSpec, ...] = (
    VerbSpec("start-redis", "Starts the Redis service of the node."),
    VerbSpec("stop-redis", "Stops the Redis service of the node."),
    VerbSpec("start-keepalived", "Starts the keepalived service of the node."),
    VerbSpec("stop-keepalived", "Stops the keepalived service of the node; a VIP that it holds goes away with it."),
    VerbSpec("reload-keepalived", "Makes the keepalived of the node read its configuration again."),
    VerbSpec(
        "replicate",
        "Sends SLAVEOF to the node: it drops its own data set and follows the source, by the source's node address.",
        (VerbArgument("source", ArgumentKind.ROLE, "The node to follow; never the virtual IP."),),
        wipes_data=True,
    ),
    VerbSpec(
        "promote", "Sends SLAVEOF NO ONE to the node: it follows nobody and becomes a master with the data it has."
    ),
    VerbSpec(
        "set-priorities",
        "Edits one keepalived.conf by the smallest change that makes s < m < s + abs(weight), and reloads a running one.",
        (
            VerbArgument("master", ArgumentKind.ROLE, "The node that is the master and is to hold the VIP."),
            VerbArgument("replica", ArgumentKind.ROLE, "The node that is to stand by."),
        ),
    ),
    VerbSpec(
        "write-proof", "Writes a key that expires after 60 seconds through the virtual IP and reads it back there."
    ),
    VerbSpec(
        "shell",
        "Runs the runbook's own text in the node's shell; it always counts as changing something.",
        (VerbArgument("script", ArgumentKind.TEXT, "POSIX sh."),),
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
