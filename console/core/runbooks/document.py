"""A runbook as values. `console.documents.runbooks.runbook` makes them from YAML documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

CANDIDATE = "node"
"""Subject of a role's conditions: the node that is considered for the role."""


class GateKind(StrEnum):
    """How the operator confirms a step."""

    NONE = "none"
    """Runs without a question when its preconditions hold. Only for steps that change nothing."""
    CONFIRM = "confirm"
    """`Run this step? [y/N/skip/abort]`. The safe answer is the default."""
    TYPE_NAME = "type-name"
    """The operator types the target's name."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A predicate of the closed vocabulary with its arguments.

    `subject` is a role of the runbook, or "" where the predicate is about the whole cluster. An argument that is a role
    has the role's name, not the node's.
    """

    predicate: str
    subject: str = ""
    arguments: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """A verb of the closed vocabulary with its arguments."""

    verb: str
    arguments: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """A role, and how its node is found: the only node for which all conditions hold, else the operator chooses."""

    name: str
    description: str
    where: tuple[Condition, ...] = ()
    other_than: str = ""
    """Name of a role bound before. This role is the other node of the pair."""
    operator_may_choose: bool = False
    """If the conditions find no node: ask the operator (`--bind ROLE=NODE`, or a choice on the screen)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: why it is needed, its role, its conditions, what it does, and how it is proved."""

    id: str
    title: str
    why: str
    role: str
    skip_if: tuple[Condition, ...] = ()
    """If all hold, the step is done already. Empty: it is never skipped."""
    require: tuple[Condition, ...] = ()
    gate: GateKind = GateKind.CONFIRM
    action: Action | None = None
    """None: the step only observes until `verify` holds."""
    verify: tuple[Condition, ...] = ()
    within: float = 30.0
    """Seconds for `verify`."""
    on_failure: str = ""
    if_skipped: str = ""
    """What follows if the operator skips it. Empty: the screen says what is true of every step that can be skipped."""


@dataclass(frozen=True, slots=True)
class Runbook:
    """A whole document."""

    name: str
    title: str
    summary: str
    kind: str
    """The kind of cluster it is for."""
    roles: tuple[RoleSpec, ...]
    steps: tuple[Step, ...]
    require: tuple[Condition, ...] = ()
    """Must hold before the first step."""
    done_if: tuple[Condition, ...] = ()
    """If all hold before the first step, there is nothing to do and every step is skipped. Empty: never."""
    digest: str = ""
    """SHA-256 of the document, for the journal."""
    path: str = ""


@dataclass(frozen=True, slots=True)
class UnusableRunbook:
    """A runbook file that cannot be used. The other ones can."""

    path: str
    problems: tuple[str, ...]
    """`FILE:LINE: KEY: what is wrong`, in the order of the document; a line each."""

    @property
    def file_name(self) -> str:
        return self.path.rsplit("/", 1)[-1]
