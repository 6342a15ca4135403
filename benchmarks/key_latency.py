"""From a key to the screen: with hanging clusters, while 200 nodes are polled, and in a storm of reconnections.

    python -m benchmarks.key_latency

Goals: the 95th percentile under 50 ms with hanging clusters; at most 2.5 times the unloaded figure while 200 nodes are
polled; at most 4 times in a storm. The screen is drawn in full, without a terminal at its end. Reading 200 nodes is
stood for by observations that take a few milliseconds of Python each. Handshakes, four at a time, are stood for by
threads that hold the interpreter for some milliseconds at a time.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import samples
import tui_stage
from measure import verdict
from rich.console import RenderableType
from textual import events
from textual.screen import Screen

from console.core.model import ClusterState
from console.tui.app import ConsoleApp
from console.tui.navigation import routes
from console.tui.threads.messages import ClusterObserved

GOAL, POLLED_GOAL, STORM_GOAL = 0.050, 2.5, 4.0
"""Seconds; times the unloaded figure."""
HANDSHAKES, STORM = 2, 4
CLUSTERS, PARSING = 100, 0.003
"""Clusters that are polled, and the CPU seconds for reading one."""
KEYS = (("2", "timeline"), ("3", "history"), ("4", "logs"), ("1", "findings"))
ROUNDS = 20


@dataclass
class Reconnecting:
    """A cluster whose nodes are being connected to: work in Python, a pause for the network, again."""

    state: ClusterState
    stop: threading.Event = field(default_factory=threading.Event)

    def start(self, handshakes: int) -> None:
        for _ in range(handshakes):
            threading.Thread(target=self._handshakes, daemon=True).start()

    def _handshakes(self) -> None:
        while not self.stop.is_set():
            compute(0.005)
            self.stop.wait(0.02)


@dataclass
class Parsed(tui_stage.FakeInspector):
    """An inspector that works in Python before it answers, as parsers do."""

    def observe(self, *, fresh: bool = False) -> ClusterState:
        compute(PARSING)
        return super().observe(fresh=fresh)


def compute(seconds: float) -> None:
    """Holds the interpreter for so long."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pow(3, 65_537, 2**512 - 1)


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


async def hanging() -> tuple[list[float], float, list[float]]:
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
        reconnecting = Reconnecting(on.inspectors["carts"].state)
        reconnecting.start(HANDSHAKES)
        ticking = on.app.set_interval(0.25, on.app.tick)
        loaded = await key_times(on.app)
        ticking.stop()
        reconnecting.stop.set()
        for one in on.inspectors.values():
            one.close()
    return quiet, cost, loaded


async def polled() -> tuple[list[float], list[float]]:
    """Key times while all clusters are polled, and while nodes are reconnected to as well."""
    states = [replace(samples.healthy_pair(), name=f"pair-{number:04}") for number in range(CLUSTERS)]
    on = tui_stage.stage(*states, app=Watched)
    on.inspectors.update({state.name: Parsed(state) for state in states})
    async with on.app.run_test(size=(120, 40)) as pilot:
        await tui_stage.seen(pilot, on)
        on.app.open_screen(routes.CLUSTER, states[0].name)
        await pilot.pause()
        ticking = on.app.set_interval(1.0, on.app.tick)
        loaded = await key_times(on.app)
        reconnecting = Reconnecting(states[0])
        reconnecting.start(STORM)
        storm = await key_times(on.app)
        ticking.stop()
        reconnecting.stop.set()
    return loaded, storm


async def main() -> int:
    quiet, cost, hung = await hanging()
    loaded, storm = await polled()
    print(f"key to screen, nothing else going on: 95th percentile {p95(quiet) * 1000:.1f} ms")
    print(f"a tick with changes on every card: {cost * 1000:.1f} ms of CPU")
    return 0 if all([
        verdict(f"two clusters hang, {HANDSHAKES} handshakes go on, over {GOAL * 1000:.0f} ms", p95(hung) / GOAL, 1.0),
        verdict(f"{2 * CLUSTERS} nodes are polled, over the unloaded figure", p95(loaded) / p95(quiet), POLLED_GOAL),
        verdict(f"{STORM} handshakes at a time go on too, over it", p95(storm) / p95(quiet), STORM_GOAL),
    ]) else 1  # fmt: skip


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
