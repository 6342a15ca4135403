"""What the screen costs while nobody touches it: one idle healthy pair, and the list of 100 clusters.

    redis-ha-console lab run healthy -- python benchmarks/idle_screen.py

Each program runs on a terminal of its own of 120 x 40, all of them at the same time. A bare Textual program repaints
as many cells a second as change on the pair's screen. It observes nothing: so the screen's share stands beside the
whole process. That is what `watch` costs more than `status --watch`, which observes and judges the same pair as often
and has no screen. The 100 clusters answer within their process, at 0.2 Hz each: the figure is that of judging and
drawing them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from measure import cluster, verdict
from screens.terminal import Cost, Program, costs

HERE = Path(__file__).parent / "screens"
CLUSTERS = 100
SETTLING, MEASURED = 10.0, 20.0
"""Seconds."""
CHANGING_LINES = 6
"""On so many lines of the pair's screen cells change in a second."""
PAIR_GOAL, FLEET_GOAL, MEMORY_GOAL = 1.5, 0.08, 300.0
"""Times the bare program; cores; MB."""


def told(name: str, cost: Cost) -> None:
    print(
        f"{name}: {cost.whole:.2%} of a core, its screen's thread {cost.screen:.2%}; {cost.changed:.0f} cells a second"
        f" change, {cost.printed:.0f} are sent; {cost.wakes:.0f} wake-ups a second; {cost.memory:.0f} MB"
    )


def main() -> int:
    python = sys.executable
    programs = [Program([python, "-m", "console", "watch"])]
    try:
        programs[0].wait_for("HEALTHY")
        programs.append(Program([python, "-m", "console", "status", "--watch", "--interval", "1"]))
        programs[1].wait_for(cluster().name)
        programs.append(Program([python, str(HERE / "fleet.py"), str(CLUSTERS)]))
        programs[2].wait_for(f"{CLUSTERS} healthy")
        time.sleep(SETTLING / 2)
        (seen,) = costs(programs[:1], SETTLING / 2)
        programs.append(Program([python, str(HERE / "bare.py"), str(round(seen.changed)), str(CHANGING_LINES)]))
        programs[3].wait_for("1")
        pair, no_screen, fleet, bare = costs(programs, MEASURED)
    finally:
        for one in programs:
            one.end()
    told("watch on an idle pair", pair)
    told("the same polling without a screen", no_screen)
    told("bare Textual, as many cells", bare)
    told(f"the list of {CLUSTERS} clusters", fleet)
    met = [
        verdict("an idle pair over bare Textual, the screen's thread", pair.screen / bare.screen, PAIR_GOAL),
        verdict("an idle pair over bare Textual, the whole process", pair.whole / bare.whole, PAIR_GOAL),
        verdict("the screen's share over bare Textual", (pair.whole - no_screen.whole) / bare.whole, PAIR_GOAL),
        verdict(f"{CLUSTERS} clusters at 0.2 Hz, cores", fleet.whole, FLEET_GOAL),
        verdict(f"{CLUSTERS} clusters, memory over {MEMORY_GOAL:.0f} MB", fleet.memory / MEMORY_GOAL, 1.0),
    ]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
