"""A kind of cluster that nights are played with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from simulation.world.host import Host
from simulation.world.system import System
from simulation.world.world import World

from console.core.inventory import ClusterSpec
from console.core.runbooks.document import Runbook
from console.documents.runbooks.runbook import load_runbook

ROOT = Path(__file__).parents[4]


@dataclass(frozen=True)
class NightKind:
    """What its nights begin with, what may go wrong in them, and what a human does."""

    name: str
    system: System
    cluster: ClusterSpec
    scenarios: Mapping[str, Callable[[World], None]]
    fitting: Mapping[str, tuple[str, ...]]
    """Scenario → runbooks that a human would begin there. Others are begun now and then: they must refuse."""
    faults: tuple[str, ...]
    protected: str
    """The condition that tells whether the next failure is survived."""
    otherwise: str
    """The runbook that is begun where no finding names one."""
    hand_work: Mapping[str, Callable[[World, list[Host]], bool]]
    """Code → what its advice says, done by hand. False: there is nothing to do."""
    failover_seconds: Callable[[World], float]
    """If the master dies now, another node serves within this time."""
    notify_sleeps: tuple[float, float, float] = (1.0, 3.0, 8.0)
    """Seconds that the script of a new VRRP master sleeps: a night has one of them."""
    copy_seconds: tuple[float, float, float] = (1.0, 4.0, 12.0)
    """Seconds that a full sync takes until the copy has arrived: a night has one of them."""
    load_seconds: Callable[[float], float] = lambda _: 1.0
    """By those: seconds for which a Redis answers LOADING after its start, and after a copy has arrived."""
    next_failure: Callable[[Host], None] = lambda host: host.redis.kill("the next failure")
    """What a protected cluster survives, of its master."""

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self.system.addresses)

    @property
    def runbooks(self) -> dict[str, Runbook]:
        """The shipped runbooks for such a cluster."""
        return _runbooks(self.cluster.kind)


@cache
def _runbooks(kind: str) -> dict[str, Runbook]:
    found = [load_runbook(path) for path in sorted((ROOT / "runbooks").glob("*.yaml"))]
    return {one.name: one for one in found if one.kind == kind}
