"""Full or partial resync by the server's own rule, and what the target would lose (the loss preview)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ResyncKind(StrEnum):
    """What the source will answer to PSYNC."""

    PARTIAL = "partial"
    FULL = "full"
    NONE = "none"
    """The target already follows the source."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LossPreview:
    """What SLAVEOF would do to the target's data: shown at the gate, printed by `plan`, kept in the journal."""

    source: str
    target: str
    resync: ResyncKind
    reason: str
    """Why full or partial, in one sentence."""
    source_keys: Mapping[int, int] | None
    """Database → keys; None: could not be read."""
    target_keys: Mapping[int, int] | None
    lines: tuple[str, ...]
    """The preview in words and figures, in the order to read them."""
    warnings: tuple[str, ...] = ()
    """What should make the operator stop and think."""
