"""Watches the source of a replication until its replica is in sync: whether it is still the process that was shown.

Nothing is atomic across two servers. A source that crashes after the last look may be started again by its supervisor
with the data of an old dump. The replica then drops what it holds for that. No look before the command can see this. So
each look after it compares the run_id, and a difference is told at once. After a failover by Sentinels the node that
they promoted is such a source: they make the old master follow it, some seconds later. Until then the old master must
not start again either: its writes were paused in memory only, and what it takes after the start is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from console.core.model import ClusterState, Role
from console.core.model.facts import proved_down, source_of
from console.core.watchers.sentinels import agreed_master

FOLLOWS = "replicate"
"""The verb that makes a node drop its data for that of another one."""
FAILS_OVER = "sentinel-failover"
"""The verb after which the Sentinels do that."""
_BY_HAND = "Until the copy has arrived, SLAVEOF NO ONE on {target} keeps it. Compare the data of both."
_BY_SENTINELS = (
    "Until the copy has arrived, a stop of Redis on {target} keeps it: it saves as it ends. sentinel-return-old-master"
    " compares that before {target} follows."
)


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
    keeps: str = _BY_HAND
    """What keeps the data of the target."""
    candidates: Mapping[str, str] = field(default_factory=dict)
    """Before a failover: node → run_id. One of them becomes the source."""
    paused: str = ""
    """run_id of the old master of a failover, whose writes were paused. Empty: it is not watched."""

    def begin(self, source: str, target: str, run_id: str) -> None:
        """`run_id`: of the source, as it was shown."""
        self.source, self.target, self.run_id = source, target, run_id
        self.found, self.asked = "", False
        self.keeps, self.candidates, self.paused = _BY_HAND, {}, ""

    def begin_failover(self, target: str, run_ids: Mapping[str, str]) -> None:
        """The Sentinels were asked to promote another node than the target. `run_ids`: of all nodes, as shown."""
        self.begin("", target, "")
        self.keeps, self.candidates, self.paused = _BY_SENTINELS, run_ids, run_ids.get(target, "")

    def look(self, state: ClusterState) -> None:
        """Takes an observation. The watch ends when the replica is in sync with the process that was shown."""
        self._look_at_old_master(state)
        promoted = agreed_master(state) if self.candidates else None
        if promoted is not None and promoted.name != self.target:
            self.source, self.run_id, self.candidates = promoted.name, self.candidates.get(promoted.name, ""), {}
        if not self.run_id:
            return
        source, target = state.node(self.source), state.node(self.target)
        if source.redis.value is None:
            if proved_down(source) and not self.found:
                self.found = (
                    f"Redis on {self.source} has ended since it was shown as the source of {self.target}. When it"
                    f" starts, {self.target} takes over what it loads, which may be older, and drops its own data."
                    f" {self.keeps.format(target=self.target)}"
                )
            return
        if source.redis.value.run_id != self.run_id:
            self.run_id, self.asked = "", False
            self.found = (
                f"Redis on {self.source} was started again after it was shown as the source of {self.target}. It holds"
                f" what it has loaded, which may be older. {self.target} takes that over, and drops its own data."
                f" {self.keeps.format(target=self.target)}"
            )
            return
        replica = target.redis.value
        in_sync = replica is not None and replica.master is not None and replica.master.up
        if in_sync and source_of(state, target) is source:
            self.run_id = ""

    def _look_at_old_master(self, state: ClusterState) -> None:
        redis = state.node(self.target).redis.value if self.paused else None
        if redis is None:
            return
        if redis.role is Role.REPLICA:
            self.paused = ""
        elif redis.run_id != self.paused:
            self.paused, self.asked = "", False
            self.found = (
                f"Redis on {self.target} was started again while the Sentinels replaced it, and took writes: their"
                f" pause ended with the process. It drops these when it follows the new master."
                f" {self.keeps.format(target=self.target)}"
            )

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
