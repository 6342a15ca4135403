"""What a verb is: its arguments, and how much of a gate it needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ArgumentKind(StrEnum):
    """What an argument of a verb holds."""

    ROLE = "role"
    """The name of a role of the runbook."""
    TEXT = "text"
    SECONDS = "seconds"
    """A whole number of seconds."""


@dataclass(frozen=True, slots=True)
class VerbArgument:
    """An argument of a verb."""

    name: str
    kind: ArgumentKind
    doc: str
    required: bool = True

    @property
    def is_role(self) -> bool:
        return self.kind is ArgumentKind.ROLE


@dataclass(frozen=True, slots=True)
class VerbSpec:
    """A verb: what it does on the step's role, and how much of a gate it needs."""

    name: str
    doc: str
    """What it does, in one sentence. `the node` is the node of the step's role."""
    arguments: tuple[VerbArgument, ...] = ()
    mutating: bool = True
    """It changes a server. Only a verb that does not may have the gate `none`."""
    wipes_data: bool = False
    """It can destroy the data set of the node, and needs the gate `type-name`."""
    repeatable: bool = True
    """Where a server has answered that it was *not* carried out, the step may be asked again from its beginning."""
    twice_is_once: bool = True
    """Sending it twice does no more harm than sending it once. Where its answer was lost and looking does not tell, the
    operator may send it again, through its whole gate (H27)."""
    undo: str = ""
    """What takes it back: a runbook, a step, or something done by hand. Empty: nothing needs to, or nothing can."""
    skipped: str = ""
    """What goes on where a step with this verb is skipped. Empty: nothing that a client or the next failure meets."""
    optional: bool = False
    """Nothing relies on it. Where it fails, the step counts as skipped with that reason, and the run goes on."""
    answer_is_proof: bool = False
    """Only its answer proves it. Where that is lost, looking at the servers cannot tell whether it was carried out."""
    rest_unseen: bool = False
    """The commands after its first one have no visible effect. Only an answer proves those."""
    affects: frozenset[str] = frozenset()
    """Predicates whose answer it can change: groups of `verb_effects`. `plan` marks what may hold after it."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the arguments that hold a role."""
        return tuple(one.name for one in self.arguments if one.is_role)
