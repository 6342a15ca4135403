"""What is tried on a Redis beside its observation, to tell what to change. Trying changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Permission(StrEnum):
    """Whether a command can be used."""

    GIVEN = "given"
    THERE = "there"
    """The server has the command. It does not tell whether this user may send it."""
    MISSING = "no such command"
    REFUSED = "refused by the ACL"
    NOT_KNOWN = "not known"


_KEY = "redis-ha-console:proof:check"
"""Like the keys that runs write to prove that a master takes writes."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "SLAVEOF": ("NO", "ONE"),
    "CONFIG SET": ("min-replicas-to-write", "0"),
    "CONFIG REWRITE": (),
    "BGSAVE": (),
    "CLIENT LIST": (),
    "CLIENT PAUSE": ("1000", "WRITE"),
    "CLIENT UNPAUSE": (),
    "SET": (_KEY, "1"),
    "GET": (_KEY,),
    "SELECT": ("0",),
    "SCAN": ("0",),
    "EXISTS": (_KEY,),
    "TYPE": (_KEY,),
    "PTTL": (_KEY,),
    "MGET": (_KEY,),
    "DUMP": (_KEY,),
}
"""The commands that runbooks send, and their previews, each with arguments for a question about it.

None is sent: `COMMAND INFO` tells whether the server has it, and `ACL DRYRUN` whether the user may send it.
"""


@dataclass(frozen=True, slots=True)
class RedisTrial:
    """What was tried on one Redis."""

    answers_at: str = ""
    """The address at which it answers its own node, where it does not answer as the inventory says; empty: none."""
    permissions: Mapping[str, Permission] = field(default_factory=dict)
    """A command of `NEEDED` → whether it can be used. Empty: the server could not be asked."""
