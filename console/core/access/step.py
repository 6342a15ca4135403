"""One step of reaching a server, and how it went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a step went."""

    WORKS = "works"
    NOTE = "note"
    """It works, but something is to be looked at."""
    FAILS = "fails"
    NOT_TRIED = "not tried"
    """It depends on a step that failed, or on something that is not known."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step and how it went."""

    name: str
    outcome: Outcome
    seen: str
    """What was seen, or why it was not tried."""
    change: str = ""
    """What to change: a command, a file, an ACL line or a key of the inventory. Empty: nothing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whatever was tried: a node, a watcher, the virtual IP."""

    name: str
    kind: str
    """`node`, `virtual IP`, `Sentinel`, `director` or `Consul`."""
    address: str
    steps: tuple[Step, ...]


@dataclass(slots=True)
class Steps:
    """Collects the steps of one subject, in order."""

    taken: list[Step] = field(default_factory=list)

    def works(self, name: str, seen: str) -> None:
        self.taken.append(Step(name, Outcome.WORKS, seen))

    def note(self, name: str, seen: str, change: str) -> None:
        self.taken.append(Step(name, Outcome.NOTE, seen, change))

    def fails(self, name: str, seen: str, change: str) -> None:
        self.taken.append(Step(name, Outcome.FAILS, seen, change))

    def not_tried(self, names: Iterable[str], reason: str) -> None:
        self.taken += [Step(name, Outcome.NOT_TRIED, reason) for name in names]
