"""From a key to the screen: with hanging clusters, while 200 nodes are polled, and in a storm of reconnections.

    python benchmarks/key_latency.py

Goals: the 95th percentile under 50 ms with hanging clusters; at most 2.5 times the unloaded figure while 200 nodes are
polled; at most 4 times in a storm. The screen is drawn in full, without a terminal at its end. The nodes are those of a
rig: they are polled by the console's own inspectors, and handshakes and logins are real ones, at most four at a time.
Their servers run on the same processors.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import samples
import tui_stage
from measure import verdict
from rich.console import RenderableType
from rig import in_a_room, rig
from textual import events
from textual.screen import Screen

from console.cli.closing import close_side_by_side
from console.cli.context import MAX_HANDSHAKES_WITH_SCREEN
from console.core.inventory import ClusterSpec, NodeSpec
from console.core.model import ClusterState
from console.documents.inventories.inventory import load_inventory
from console.engine.ports import Inspector
from console.transport.clock import SystemClock
from console.transport.inspector import make_inspector
from console.transport.ssh import connection, route
from console.tui.app import ConsoleApp
from console.tui.navigation import routes
from console.tui.threads.messages import ClusterObserved

GOAL, POLLED_GOAL, STORM_GOAL = 0.050, 2.5, 4.0
"""Seconds; times the unloaded figure."""
HANDSHAKES, STORM = 2, 4
CLUSTERS = 100
"""Clusters that are polled, as often as the screen asks for them."""
KEYS = (("2", "timeline"), ("3", "history"), ("4", "logs"), ("1", "findings"))
ROUNDS = 20


@dataclass
class Reconnecting:
    """Nodes that are connected to without an end: TCP, handshake, login, and again."""

    nodes: Sequence[NodeSpec]
    stop: threading.Event = field(default_factory=threading.Event)
    turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MAX_HANDSHAKES_WITH_SCREEN))
    made: int = 0

    def start(self, at_once: int) -> None:
        for place in range(at_once):
            threading.Thread(target=self._connect, args=(self.nodes[place::at_once],), daemon=True).start()

    def _connect(self, nodes: Sequence[NodeSpec]) -> None:
        for node in itertools.cycle(nodes):
            if self.stop.is_set():
                return
            connection.connect(route.resolve(node.ssh, node.address), 60.0, self.turns).close()
            self.made += 1


@dataclass
class Polling(tui_stage.FakeInspector):
    """An inspector that looks at a pair of the rig, and then tells what the stage wants it to tell."""

    real: Inspector | None = None

    def observe(self, *, fresh: bool = False) -> ClusterState:
        assert self.real is not None
        seen = self.real.observe()
        self.answered = all(node.ssh.ok and node.redis.ok for node in seen.nodes)
        return super().observe(fresh=fresh)


class Watched(ConsoleApp):
    """Notes when the screen was drawn for the first time with the focus where a key should bring it."""

    wanted = ""
    drawn_at: float | None = None

    def _display(self, screen: Screen, renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if self.drawn_at is None and self.focused is not None and self.focused.id == self.wanted:
            self.drawn_at = time.perf_counter()

    def tick(self) -> None:
        self._tick()


async def key_times(app: Watched) -> list[float]:
    """Seconds from each key to the drawing that shows what it did."""
    times = []
    for key, name in KEYS * ROUNDS:
        app.wanted, app.drawn_at = name, None
        start = time.perf_counter()
        app.post_message(events.Key(key, key))
        await asyncio.sleep(0.1)  # nobody types faster
        times.append((app.drawn_at or time.perf_counter()) - start)
    return times


async def tick_cost(app: Watched) -> float:
    """Seconds of this process for an observation that changes figures on every card, drawing included."""
    start = time.process_time()
    for tick in range(50):
        now = samples.NOW + tick
        state = samples.with_redis(samples.healthy_pair(now), samples.B, offset=9000 + tick * 700)
        app.post(ClusterObserved(state))
        await asyncio.sleep(0.02)
    return (time.process_time() - start) / 50


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


async def hanging(nodes: Sequence[NodeSpec]) -> tuple[list[float], float, list[float]]:
    """Key times with nothing else going on, what a tick costs, and key times with two hanging clusters."""
    names = ("cache", "sessions", "queue", "carts")
    on = tui_stage.stage(*(replace(samples.healthy_pair(), name=name) for name in names), app=Watched)
    async with on.app.run_test(size=(120, 40)) as pilot:
        await tui_stage.seen(pilot, on)
        on.app.open_screen(routes.CLUSTER, "cache")
        await pilot.pause()
        quiet = await key_times(on.app)
        cost = await tick_cost(on.app)
        for name in ("sessions", "queue"):
            on.inspectors[name].open.clear()
        reconnecting = Reconnecting(nodes)
        reconnecting.start(HANDSHAKES)
        ticking = on.app.set_interval(0.25, on.app.tick)
        loaded = await key_times(on.app)
        ticking.stop()
        reconnecting.stop.set()
        print(f"{reconnecting.made} logins meanwhile")
        for one in on.inspectors.values():
            one.close()
    return quiet, cost, loaded


async def polled(clusters: Sequence[ClusterSpec]) -> tuple[list[float], list[float]]:
    """Key times while all clusters are polled, and while nodes are reconnected to as well."""
    states = [replace(samples.healthy_pair(), name=one.name) for one in clusters]
    clock, on = SystemClock(), tui_stage.stage(*states, app=Watched)
    real = [make_inspector(one, {}, clock, parallel=MAX_HANDSHAKES_WITH_SCREEN) for one in clusters]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda one: one.observe(fresh=True), real))
    polling = {state.name: Polling(state, real=one) for state, one in zip(states, real, strict=True)}
    on.inspectors.update(polling)
    async with on.app.run_test(size=(120, 40)) as pilot:
        await tui_stage.seen(pilot, on)
        on.app.open_screen(routes.CLUSTER, states[0].name)
        await pilot.pause()
        loaded = await key_times(on.app)
        assert all(one.answered for one in polling.values()), "not every node was read: the figures would not count"
        reconnecting = Reconnecting([node for one in clusters for node in one.nodes])
        reconnecting.start(STORM)
        storm = await key_times(on.app)
        reconnecting.stop.set()
        print(f"{reconnecting.made} logins meanwhile")
    close_side_by_side(real)
    return loaded, storm


async def measured(clusters: Sequence[ClusterSpec]) -> bool:
    quiet, cost, hung = await hanging([node for one in clusters for node in one.nodes])
    loaded, storm = await polled(clusters)
    for name, times in (("nothing else going on", quiet), ("hanging", hung), ("polled", loaded), ("a storm", storm)):
        middle = statistics.median(times)
        print(f"key to screen, {name}: median {middle * 1000:.1f} ms, 95th percentile {p95(times) * 1000:.1f} ms")
    print(f"a tick with changes on every card: {cost * 1000:.1f} ms of CPU")
    met = [
        verdict(f"two clusters hang, {HANDSHAKES} handshakes go on, over {GOAL * 1000:.0f} ms", p95(hung) / GOAL, 1.0),
        verdict(f"{2 * CLUSTERS} nodes are polled, over the unloaded figure", p95(loaded) / p95(quiet), POLLED_GOAL),
        verdict(f"{STORM} handshakes at a time go on too, over it", p95(storm) / p95(quiet), STORM_GOAL),
    ]
    return all(met)


def main() -> int:
    with rig(2 * CLUSTERS) as made:
        return 0 if asyncio.run(measured(load_inventory(made.inventory).clusters)) else 1


if __name__ == "__main__":
    sys.exit(in_a_room(main))
