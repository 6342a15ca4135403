"""The list of 1,000 clusters against one of 10: from a key to the screen for a page down, and for a letter of a filter.

    python -m benchmarks.fleet_list

A list of 10 fits on the screen: a page down only moves its cursor, so the ratio to it tells what the new rows cost. A
list of 100 draws as many new rows for a page as one of 1,000: that ratio tells what the length alone costs. Ratios are
of CPU seconds. The rounds of the lists take turns. The screen is drawn in full, without a terminal at its end; nothing
is observed meanwhile.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import samples
import tui_stage
from measure import verdict
from rich.console import RenderableType
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from console.tui.app import ConsoleApp
from console.tui.widgets.row_list import RowList

LENGTHS = (10, 100, 1000)
ROUNDS, PAGES = 8, 6
SMOOTH, LENGTH_GOAL, LETTER_GOAL = 0.050, 1.5, 0.050
"""Seconds for a page; times the list of 100; seconds for a letter."""
TYPED = "pair-0007"


class Drawn(ConsoleApp):
    """Notes when the screen was first drawn after something had become true."""

    wanted: Callable[[], bool] = staticmethod(lambda: False)
    drawn_at: float | None = None

    def _display(self, screen: Screen, renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if self.drawn_at is None and self.wanted():
            self.drawn_at = time.perf_counter()


@dataclass
class Measured:
    """A list of so many clusters, and what was measured on it, in seconds."""

    pilot: Pilot[int]
    app: Drawn
    last: str
    """The name of the last one."""
    pages: list[float] = field(default_factory=list)
    letters: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Of a page down."""

    @property
    def rows(self) -> RowList:
        return self.app.screen.query_one(RowList)

    async def page_down(self) -> None:
        """Pages down, and at the end of the list goes to its start again."""
        before = self.rows.chosen
        began = time.process_time()
        self.pages.append(await self._press("pagedown", lambda: self.rows.chosen != before))
        self.cpu.append(time.process_time() - began)
        if self.rows.chosen == self.last or len(self.pages) % PAGES == 0:
            await self.pilot.press("home")

    async def type_a_filter(self) -> None:
        """Types the name of a cluster, a letter after the other, and removes it again."""
        await self.pilot.press("slash")
        value = self.app.screen.query_one("#filter", Input)
        for at, letter in enumerate(TYPED, start=1):
            self.letters.append(await self._press(letter, lambda at=at: len(value.value) == at, letter))
        await self.pilot.press("escape")

    async def _press(self, key: str, wanted: Callable[[], bool], letter: str | None = None) -> float:
        self.app.wanted, self.app.drawn_at = wanted, None
        began = time.perf_counter()
        self.app.post_message(events.Key({"-": "minus"}.get(key, key), letter))
        while self.app.drawn_at is None and time.perf_counter() - began < 1.0:  # noqa: ASYNC110 - it is not to be woken
            await asyncio.sleep(0.005)
        return (self.app.drawn_at or time.perf_counter()) - began


async def measured(stack: AsyncExitStack, clusters: int) -> Measured:
    states = [replace(samples.healthy_pair(), name=f"pair-{number:04}") for number in range(clusters)]
    on = tui_stage.stage(*states, app=Drawn)
    pilot = await stack.enter_async_context(on.app.run_test(size=(120, 40)))
    await tui_stage.until(pilot, lambda: all(one.state is not None for one in on.app.views.values()), within=120)
    await pilot.pause()
    return Measured(pilot, on.app, states[-1].name)


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


async def main() -> int:
    async with AsyncExitStack() as stack:
        lists = {length: await measured(stack, length) for length in LENGTHS}
        for _ in range(ROUNDS * PAGES):
            for one in lists.values():
                await one.page_down()
        for _ in range(ROUNDS // 4):
            for one in lists.values():
                await one.type_a_filter()
    for length, one in lists.items():
        print(
            f"{length:5,} clusters: page down median {statistics.median(one.pages) * 1000:.1f} ms,"
            f" 95th percentile {p95(one.pages) * 1000:.1f} ms, CPU {statistics.median(one.cpu) * 1000:.1f} ms;"
            f" a letter median {statistics.median(one.letters) * 1000:.1f} ms, 95th {p95(one.letters) * 1000:.1f} ms"
        )
    few, some, many = (lists[length] for length in LENGTHS)
    page, short, one_screen = (statistics.median(one.cpu) for one in (many, some, few))
    print(f"a page of 1,000 clusters over one of 10: {page / one_screen:.2f} times")
    met = [
        verdict("a page of 1,000 clusters, 95th percentile over 50 ms", p95(many.pages) / SMOOTH, 1.0),
        verdict("a page of 1,000 clusters over one of 100", page / short, LENGTH_GOAL),
        verdict("a letter in 1,000 clusters, 95th percentile over 50 ms", p95(many.letters) / LETTER_GOAL, 1.0),
    ]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
