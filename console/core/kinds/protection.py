"""Whether the cluster can survive the next failure: the sentence that the first screen owes its reader."""

from __future__ import annotations

from dataclasses import dataclass

from console.core.conditions.pair_protection import part_in_words
from console.core.kinds import kind_of
from console.core.model import ClusterState
from console.core.model.verdict import Verdict

SHOWN = 2
"""Missing parts that fit into the sentence."""


@dataclass(frozen=True, slots=True)
class Protection:
    """HOLDS: the next failure of the master fails over. FAILS: it does not. UNKNOWN: not everything could be read."""

    verdict: Verdict
    reason: str


def protection(state: ClusterState) -> Protection:
    """The verdict in one sentence, with the first things that are missing."""
    kind = kind_of(state.kind)
    checks = kind.protection(state)
    for verdict in (Verdict.FAILS, Verdict.UNKNOWN):
        found = [check for check in checks if check.verdict is verdict]
        if found:
            more = f" (and {len(found) - SHOWN} more)" if len(found) > SHOWN else ""
            return Protection(verdict, "; ".join(part_in_words(check) for check in found[:SHOWN]) + more)
    return Protection(Verdict.HOLDS, kind.protected)
