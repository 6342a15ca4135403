"""Watches the source of a replication until its replica is in sync: whether it is still the process that was shown.

Nothing is atomic across two servers. A source that crashes after the last look may be started again by its supervisor
with the data of an old dump. The replica then drops what it holds for that. No look before the command can see this. So
each look after it compares the run_id, and a difference is told at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from console.core.model import ClusterState
from console.core.model.facts import proved_down, source_of

FOLLOWS = "replicate"
"""The verb that makes a node drop its data for that of another one."""


@dataclass(slots=True)
class SourceWatch:
    """The replication that this run has begun last."""

    source: str = ""
    target: str = ""
    run_id: str = ""
    """Of the source, as the gate has shown it. Empty: nothing is watched."""
    found: str = ""
    """What is told, in sentences. Empty: the source is the one that was shown."""
    asked: bool = False
    """The operator has been asked about it."""

    def begin(self, source: str, target: str, run_id: str) -> None:
        """`run_id`: of the source, as it was shown."""
        self.source, self.target, self.run_id = source, target, run_id
        self.found, self.asked = "", False

    def look(self, state: ClusterState) -> None:
        """Takes an observation. The watch ends when the replica is in sync with the process that was shown."""
        if not self.run_id:
            return
        source, target = state.node(self.source), state.node(self.target)
        if source.redis.value is None:
            if proved_down(source) and not self.found:
                self.found = (
                    f"Redis on {self.source} has ended since it was shown as the source of {self.target}. When it"
                    f" starts, {self.target} takes over what it loads, which may be older, and drops its own data."
                    f" SLAVEOF NO ONE on {self.target} before that keeps it."
                )
            return
        if source.redis.value.run_id != self.run_id:
            self.run_id, self.asked = "", False
            self.found = (
                f"Redis on {self.source} was started again after it was shown as the source of {self.target}. It holds"
                f" what it has loaded, which may be older. {self.target} takes that over, and drops its own data. Until"
                f" the copy has arrived, SLAVEOF NO ONE on {self.target} keeps it. Compare the data of both."
            )
            return
        replica = target.redis.value
        in_sync = replica is not None and replica.master is not None and replica.master.up
        if in_sync and source_of(state, target) is source:
            self.run_id = ""

    @property
    def to_be_asked(self) -> bool:
        """Whether something was found that the operator was not asked about."""
        return bool(self.found) and not self.asked

    def ask(self) -> str:
        """What the operator is asked about now. Empty: nothing, or that was asked already."""
        if not self.to_be_asked:
            return ""
        self.asked = True
        return self.found
