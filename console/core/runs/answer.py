"""What became of a command: four outcomes, because "no answer" is neither done nor failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AnswerKind(StrEnum):
    """What became of a command that was sent, or was not."""

    DONE = "done"
    """The server answered that it was carried out."""
    FAILED = "failed"
    """The server answered that it was not."""
    NOT_SENT = "not sent"
    """Nothing left this machine: identity differs, no connection. Safe to try again."""
    UNKNOWN = "unknown"
    """It may have arrived: the answer was lost. Never sent again by itself (H27)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one command. `text` is what the server said, or why there is no answer; secrets masked."""

    kind: AnswerKind
    text: str
    exit_status: int | None = None
