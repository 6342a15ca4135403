"""Plays many nights, and tells what was broken: `make simulate SEEDS=0-1000`.

python -m simulation.simulate [--seeds A-B | --seeds N,N] [--holes] [--story]. Exit code 1: some rule was broken.
"""

from __future__ import annotations

import argparse
import sys
import time

from simulation.nights.coverage import Coverage
from simulation.nights.invariants import Violation
from simulation.nights.kinds.all_kinds import KINDS
from simulation.nights.night import Night
from simulation.nights.plan import plan_of
from simulation.nights.shrink import shrunk, story
from simulation.nights.tidied import tidied

SHOWN = 3
"""Stories that are shown for each broken rule."""


def seeds_in(text: str) -> list[int]:
    """`0-1000`, or `7,12`. The end is left out."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, end = part.partition("-")
        found += range(int(first), int(end)) if dash else [int(first)]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0-1000", type=seeds_in, help="A-B, or N,N,…")
    parser.add_argument("--holes", action="store_true", help="list every cell that no night has met")
    parser.add_argument("--story", action="store_true", help="tell every night, also where nothing was broken")
    parser.add_argument("--kind", default="", choices=("", *KINDS), help="of all nights; else each seed decides")
    chosen = parser.parse_args()
    coverage, began = Coverage(), time.process_time()
    broken: dict[str, list[tuple[int, Violation]]] = {}
    for seed in tidied(chosen.seeds):
        result = Night(plan_of(seed, chosen.kind)).play()
        coverage.add(result)
        if chosen.story:
            say(story(result))
        for rule in dict.fromkeys(one.rule for one in result.violations):
            first = next(one for one in result.violations if one.rule == rule)
            broken.setdefault(rule, []).append((seed, first))
    seconds = time.process_time() - began
    say(coverage.text())
    if chosen.holes:
        say("\n".join(" ".join(one) for one in coverage.holes()))
    say(f"{coverage.nights / seconds * 60:.0f} nights a minute of one core")
    for rule, found in broken.items():
        say(f"\nBROKEN in {len(found)} nights: {rule}: seeds {', '.join(str(seed) for seed, _ in found[:20])}")
        for seed, first in found[:SHOWN]:
            say(f"seed {seed}: {first.text}")
        say(story(shrunk(plan_of(found[0][0], chosen.kind), rule)))
    return 1 if broken else 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
