"""What replays have made of one file of kept keys: how many of its keys are only there still, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from console.core.runs.replays.batch import Left
from console.core.runs.replays.ending import OLDER

FileName = tuple[str, str]
"""A run, and the name of its file. A copy of the file has the same name elsewhere."""
SETTLES = frozenset({Left.EQUAL.value, Left.EXPIRED.value, Left.CHANGED_SINCE.value, OLDER})
"""Why a key was not brought that is not only in the file: nothing of it is left to bring."""
_WHY = {
    Left.NOT_CONFIRMED.value: "left by {who} on {day}",
    Left.APPEARED.value: "not brought, as a client wrote {them} meanwhile",
    Left.CHANGED.value: "not brought, as a client changed {them} meanwhile",
    Left.REFUSED.value: "refused by the server",
    Left.NOT_VERIFIED.value: "not found as sent",
    Left.NOT_REACHED.value: "not reached by the last replay",
    Left.UNKNOWN.value: "sent, and the answer was lost",
}


@dataclass(frozen=True, slots=True)
class FileFate:
    """What replays have made of one file."""

    settled: frozenset[int] = frozenset()
    """Its lines whose keys are settled."""
    left: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Why they were left → lines that a replay has looked at and that are not settled."""
    counts: Mapping[str, int] | None = None
    """The same as numbers, of the whole file: all that the journal of an older version tells."""
    operator: str = ""
    at: str = ""
    """Of the last replay that has left keys: who, and when it ended (RFC 3339, UTC)."""

    def keys_left(self, keys: int) -> int:
        """How many of so many keys of the file are only there."""
        return sum(self.counts.values()) if self.counts is not None else max(0, keys - len(self.settled))

    def why_left(self, keys: int) -> tuple[str, ...]:
        """Why keys are left: `left by ann@ops1 on 2026-11-21`. Empty: no replay has looked at them."""
        counts = self.counts if self.counts is not None else {why: len(lines) for why, lines in self.left.items()}
        counts = {why: counts[why] for why in (*_WHY, *(counts.keys() - _WHY.keys())) if counts.get(why)}
        remain = self.keys_left(keys)
        told = []
        for why, count in counts.items():
            them, day = "it" if count == 1 else "them", self.at[:10]
            words = _WHY.get(why, why).format(them=them, who=self.operator or "an operator", day=day)
            told.append(words if count == remain else f"{count:,} {words}")
        return tuple(told)


UNTOUCHED = FileFate()
"""No replay has looked at it."""
Fates = Mapping[FileName, FileFate]


def name_of(run_id: str, path: str) -> FileName:
    """The file of a run at this path, or at that of a copy."""
    return run_id, path.rpartition("/")[2]
