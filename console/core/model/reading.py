"""A reading: a value, or the reason why there is none, and when it was read."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Generic, TypeVar

from console.core.lazy_dataclass import dataclass

T = TypeVar("T")
U = TypeVar("U")


class ProblemKind(StrEnum):
    """Why a value could not be read. A problem is not a state: what cannot be read is not down (H28)."""

    NOT_READ = "not read yet"
    NOT_CONFIGURED = "not configured"
    CONNECTING = "connecting"
    UNREACHABLE = "unreachable"
    REFUSED = "connection refused"
    TIMEOUT = "no answer in time"
    HOST_KEY_UNKNOWN = "host key unknown"
    HOST_KEY_CHANGED = "host key changed"
    AUTH_FAILED = "authentication failed"
    NOT_PERMITTED = "not permitted"
    LOADING = "loading the dataset"
    CLOSED = "connection lost"
    BAD_ANSWER = "answer not understood"
    NOT_AVAILABLE = "not available on this node"
    TOO_LONG = "too long to be read"
    ABSENT = "does not exist"
    """Proved: the folder could be read, and it is not there."""


class ConnectStep(StrEnum):
    """The steps from a name to the first answer, in their order. A server passes only some of them."""

    NAME = "name"
    TCP = "TCP"
    HANDSHAKE = "SSH handshake"
    HOST_KEY = "host key"
    LOGIN = "login"
    SHELL = "shell"
    SUDO = "sudo"
    TLS = "TLS"
    AUTH = "AUTH"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no value, in one line for the screen. It never holds a secret."""

    kind: ProblemKind
    text: str
    step: ConnectStep | None = None
    """The step of connecting that failed. None: it is not about connecting, or not known."""
    change: str = ""
    """What to change, where that is known. The text has it too, at its end."""
    since: float | None = None
    """Epoch seconds of the first failure after the last answer. None: it has not answered before, or nobody counted."""

    @property
    def cause(self) -> str:
        """The text without what to change."""
        return self.text.removesuffix(f": {self.change}") if self.change else self.text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A value or a problem, and when it was read. Exactly one of `value` and `problem` is set."""

    value: T | None
    problem: Problem | None
    at: float
    """Epoch seconds on the operator's clock; 0.0: nothing was ever read."""

    @property
    def ok(self) -> bool:
        return self.problem is None

    def problem_of(self, subject: str) -> str:
        """`Redis: connection refused`. A text that begins with the subject stands alone. Empty: there is a value."""
        if self.problem is None:
            return ""
        text = str(self.problem)
        return text if text.startswith(f"{subject} ") else f"{subject}: {text}"

    def age(self, now: float) -> float | None:
        """Seconds since it was read; None: nothing was ever read."""
        return max(0.0, now - self.at) if self.at else None

    def map(self, change: Callable[[T], U]) -> Reading[U]:
        """The same reading with a changed value. A problem stays unchanged."""
        if self.value is None:
            return Reading(None, self.problem, self.at)
        return Reading(change(self.value), None, self.at)


def read(value: T, at: float) -> Reading[T]:
    """A reading that succeeded."""
    return Reading(value, None, at)


def unread(kind: ProblemKind, text: str = "", at: float = 0.0) -> Reading[T]:
    """A reading that failed, or was never made."""
    return Reading(None, Problem(kind, text or kind.value), at)


NOT_READ: Reading[Any] = unread(ProblemKind.NOT_READ)
