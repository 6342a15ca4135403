"""The result of a command. There are four kinds, because "no answer" is neither done nor failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AnswerKind(StrEnum):
    """What happened to a command."""

    DONE = "done"
    """The server answered that it was carried out."""
    FAILED = "failed"
    """The server answered that it was not."""
    NOT_SENT = "not sent"
    """Nothing left this machine: another server answered, or there was no connection. It is safe to try again."""
    UNKNOWN = "unknown"
    """The answer was lost, and the command may have arrived. It is never sent again automatically (H27)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one command. The journal keeps it: its names are keys there."""

    kind: AnswerKind
    text: str
    """What the server said, or why there is no answer. Secrets are masked."""
    exit_status: int | None = None
