"""The console on so many clusters whose nodes answer at once, in their processes: what it costs to show them.

python benchmarks/screens/fleet.py CLUSTERS
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

import samples
import tui_stage
from past_runs import FakeArchive

from console.core.inventory import Inventory
from console.core.model import ClusterState
from console.engine.ports import ConsoleContext
from console.transport.clock import SystemClock
from console.tui.app import ConsoleApp

CLOCK = SystemClock()


@dataclass
class Changing:
    """An inspector whose figures change each time, as those of a busy pair do."""

    cluster: str
    count: int = 0

    def observe(self, *, fresh: bool = False) -> ClusterState:
        del fresh
        self.count += 1
        state = samples.healthy_pair(CLOCK.now())
        for node in (samples.A, samples.B):
            state = samples.with_redis(state, node, offset=9000 + self.count * 700, uptime=1000 + self.count)
        return replace(state, name=self.cluster)

    def reconnect(self) -> None: ...


def main(count: int) -> None:
    names = [f"pair-{number:04}" for number in range(count)]
    specs = tuple(replace(tui_stage.spec_of(samples.healthy_pair()), name=name) for name in names)
    inspectors = {name: Changing(name) for name in names}
    context = ConsoleContext(
        Inventory("inventory.yaml", specs), (), lambda name: inspectors[name], CLOCK, FakeArchive([]), ()
    )
    ConsoleApp(context, None).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
