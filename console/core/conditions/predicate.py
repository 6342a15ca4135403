"""The parts of a predicate: its specification, the question that it answers, and helpers for its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, Keepalived, NodeState, Reading, Redis
from console.core.model.facts import proved_down
from console.core.model.verdict import Check, Verdict

T = TypeVar("T")
Value = str | int | float | bool


class ArgumentType(StrEnum):
    """The type of an argument of a predicate."""

    ROLE = "role"
    """The name of a role of the runbook."""
    INTEGER = "integer"
    STATE = "state"
    """A state of keepalived: MASTER, BACKUP or FAULT."""
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class ArgumentSpec:
    """An argument of a predicate. One without a default is required."""

    name: str
    type: ArgumentType
    doc: str
    default: Value | None = None

    @property
    def is_role(self) -> bool:
        return self.type is ArgumentType.ROLE

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one observation. Its roles are already bound to nodes."""

    state: ClusterState
    subject: NodeState | None
    arguments: Mapping[str, Value]
    """Role arguments hold the name of the node."""

    @property
    def node(self) -> NodeState:
        assert self.subject is not None
        return self.subject

    @property
    def name(self) -> str:
        return self.node.name

    def node_of(self, argument: str) -> NodeState:
        return self.state.node(str(self.arguments[argument]))

    def integer(self, argument: str) -> int:
        return int(self.arguments[argument])


@dataclass(frozen=True, slots=True)
class PredicateSpec:
    """A predicate of the vocabulary."""

    name: str
    doc: str
    """When it holds, in one sentence; `the node` is the subject."""
    rule: Callable[[Question], Check]
    arguments: tuple[ArgumentSpec, ...] = ()
    hazard: str = ""
    subject: bool = True
    """Whether it is about a node; False: about the whole cluster."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the arguments that hold a role."""
        return tuple(one.name for one in self.arguments if one.is_role)


def holds(statement: str, evidence: str) -> Check:
    return Check(Verdict.HOLDS, statement, evidence)


def fails(statement: str, evidence: str, advice: str = "") -> Check:
    return Check(Verdict.FAILS, statement, evidence, advice)


def unknown(statement: str, evidence: str, advice: str = "try again once it can be read") -> Check:
    """The answer for what could not be read: it neither holds nor fails (H28)."""
    return Check(Verdict.UNKNOWN, statement, evidence, advice)


def holds_if(answer: bool, statement: str, evidence: str, advice: str = "") -> Check:
    return holds(statement, evidence) if answer else fails(statement, evidence, advice)


class UnreadError(Exception):
    """A reading that the rule needs is missing. The answer is UNKNOWN, with this text as evidence."""

    verdict = Verdict.UNKNOWN
    advice = "try again once it can be read"


class DownError(UnreadError):
    """A server that the rule needs is proved to be down. The answer is FAILS."""

    verdict = Verdict.FAILS
    advice = "start it first"


def value_of(reading: Reading[T], what: str) -> T:
    """The value of a reading. Raises UnreadError with its problem."""
    if reading.value is None:
        raise UnreadError(f"{what} could not be read: {reading.problem}")
    return reading.value


def redis_of(node: NodeState) -> Redis:
    """The Redis of the node. Raises UnreadError if it could not be read, DownError if it is proved to be down."""
    if proved_down(node):
        raise DownError(f"Redis on {node.name} does not run: {node.redis.problem}, and SSH shows no process")
    return value_of(node.redis, f"Redis on {node.name}")


def keepalived_of(node: NodeState) -> Keepalived:
    """The keepalived of the node. Raises UnreadError if it could not be read."""
    return value_of(node.keepalived, f"keepalived on {node.name}")
