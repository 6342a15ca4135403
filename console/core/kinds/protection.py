"""Whether the cluster survives the next failure of its master, as one sentence for the first screen."""

from __future__ import annotations

from dataclasses import dataclass

from console.core.conditions.pair_protection import part_in_words
from console.core.kinds import kind_of
from console.core.model import ClusterState
from console.core.model.verdict import Verdict

SHOWN = 2
"""The number of missing conditions that the sentence names."""


@dataclass(frozen=True, slots=True)
class Protection:
    """HOLDS: the cluster fails over when its master fails. FAILS: it does not. UNKNOWN: not all could be read."""

    verdict: Verdict
    reason: str


def protection(state: ClusterState) -> Protection:
    """The verdict with a sentence that names the first missing conditions."""
    kind = kind_of(state.kind)
    checks = kind.protection(state)
    for verdict in (Verdict.FAILS, Verdict.UNKNOWN):
        found = [check for check in checks if check.verdict is verdict]
        if found:
            more = f" (and {len(found) - SHOWN} more)" if len(found) > SHOWN else ""
            return Protection(verdict, "; ".join(part_in_words(check) for check in found[:SHOWN]) + more)
    return Protection(Verdict.HOLDS, kind.protected)
