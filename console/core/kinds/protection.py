"""Whether the cluster survives the next failure of its master, as one sentence for the first screen."""

from __future__ import annotations

from console.core.conditions.pair_protection import part_in_words
from console.core.kept import kept_while_same
from console.core.kinds import kind_of
from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState
from console.core.model.verdict import Verdict
from console.core.quantities import counted

SHOWN = 2
"""The number of missing conditions that the sentence names."""


@dataclass(frozen=True, slots=True)
class Protection:
    """HOLDS: the cluster fails over when its master fails. FAILS: it does not. UNKNOWN: not all could be read."""

    verdict: Verdict
    reason: str
    """In one line."""
    sentences: tuple[str, ...] = ()
    """The same, one condition each."""


@kept_while_same(4)
def protection(state: ClusterState) -> Protection:
    """The verdict with a sentence that names the first conditions that do not hold."""
    kind = kind_of(state.kind)
    checks = kind.protection(state)
    for verdict in (Verdict.FAILS, Verdict.UNKNOWN):
        found = [check for check in checks if check.verdict is verdict]
        if found:
            parts = tuple(part_in_words(check) for check in found[:SHOWN])
            left = len(found) - SHOWN
            more = f" (and {left} more)" if left > 0 else ""
            verb = "does" if left == 1 else "do"
            word = f"{verb} not hold" if verdict is Verdict.FAILS else f"{'is' if left == 1 else 'are'} not known"
            rest = (f"{counted(left, 'more condition')} {word}",) if left > 0 else ()
            return Protection(verdict, "; ".join(parts) + more, (*parts, *rest))
    return Protection(Verdict.HOLDS, kind.protected, (kind.protected,))
