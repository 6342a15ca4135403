"""Predicts a full or a partial resync, by the rule of the server."""

from __future__ import annotations

from enum import StrEnum

from console.core.model import ClusterState, NodeState
from console.core.model.facts import source_of


class ResyncKind(StrEnum):
    """The answer of the source to PSYNC."""

    PARTIAL = "partial"
    FULL = "full"
    NONE = "none"
    """The target already follows the source."""
    UNKNOWN = "unknown"


def resync_in_words(kind: str) -> str:
    """`full resync`, in the words of a sentence. `kind`: a value of ResyncKind, also as a journal has it."""
    if kind == ResyncKind.UNKNOWN.value:
        return "resync, full or partial is not known"
    return "no resync" if kind == ResyncKind.NONE.value else f"{kind} resync"


def predict_resync(state: ClusterState, source: NodeState, target: NodeState) -> tuple[ResyncKind, str]:
    """Full or partial, and why, by the rule of the source (replication.c, masterTryPartialResynchronization).

    From 4.0 on a master that becomes a replica asks with its own history (replicationCacheMasterUsingMyself). Before,
    only a replica that returns to the same master can continue where it was.
    """
    s, t = source.redis.value, target.redis.value
    if s is None or t is None:
        return ResyncKind.UNKNOWN, f"Redis on {source.name if s is None else target.name} could not be read"
    if source_of(state, target) is source:
        return ResyncKind.NONE, f"{target.name} follows {source.name} already: SLAVEOF to the same master does nothing"
    if s.replid is None or t.replid is None:
        return ResyncKind.FULL, "before Redis 4.0 a server that did not follow this master gets a full copy"
    if s.backlog is None or not s.backlog.active:
        return ResyncKind.FULL, f"{source.name} has no replication backlog"
    if t.offset is None:
        return ResyncKind.UNKNOWN, f"{target.name} does not report its offset"
    wanted = t.offset + 1
    if t.replid != s.replid:
        if t.replid != s.replid2:
            return ResyncKind.FULL, f"{source.name} does not know the history {t.replid[:8]} of {target.name}"
        if s.second_offset is None or wanted > s.second_offset:
            return (
                ResyncKind.FULL,
                f"{target.name} is at {t.offset}, past {s.second_offset}, where the histories diverged",
            )
    first, end = s.backlog.first_byte_offset, s.backlog.first_byte_offset + s.backlog.histlen
    if not first <= wanted <= end:
        return ResyncKind.FULL, f"byte {wanted} is not in the backlog of {source.name} ({first} to {end})"
    return ResyncKind.PARTIAL, f"the backlog of {source.name} ({first} to {end}) has all bytes from {wanted} on"
