"""Arguments that predicates take."""

from __future__ import annotations

from console.core.conditions.spec import ArgumentSpec, ArgumentType


def role(name: str, doc: str) -> ArgumentSpec:
    """An argument that holds the name of a role."""
    return ArgumentSpec(name, ArgumentType.ROLE, doc)


SOURCE = role("source", "The node to follow.")
TARGET = role("target", "The node that is to follow the subject.")
MASTER = role("master", "The node that is the master.")
WITHIN_BYTES = ArgumentSpec("within_bytes", ArgumentType.INTEGER, "Bytes of the stream that may be in transit.", 16_384)
UNLESS_SOURCE = ArgumentSpec(
    "source", ArgumentType.ROLE, "A node. The condition also holds where following that node drops no data.", ""
)
DUMP_SOURCE = role("source", "The node whose dump is copied.")
UNLESS_SERVES = ArgumentSpec(
    "unless",
    ArgumentType.ROLE,
    "A node. The condition also holds where that node is the only master, behind the VIP.",
    "",
)
BACKUP = ArgumentSpec("backup", ArgumentType.TEXT, "`newest`, or the time in the name of a backup.", "newest")
VRRP_STATE = ArgumentSpec("is", ArgumentType.STATE, "MASTER, BACKUP, FAULT or STOP.")
