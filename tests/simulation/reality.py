"""The model is held to reality: the same short histories in the laboratory and in the model, compared at quiet points.

PYTHONPATH=tests python -m simulation.reality [--histories N] [--seed N] [--kind pairs|sets] [--parallel N], as
`make reality`. Exit code 1: they differ. A history begins with the healthy cluster. After each of its acts both worlds
are given time until nothing moves any more.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from simulation.histories.history import Difference, compared
from simulation.histories.kinds import KINDS

from console.lab.hosts.namespaces import enter_namespaces


def of_kind(kind: str, seed: int) -> tuple[int, Difference | None]:
    """`compared`, of a kind by its name: a process of its own gets only words."""
    return compared(KINDS[kind], seed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the first history")
    parser.add_argument("--kind", choices=("", *KINDS), default="", help="else each of them in turn")
    parser.add_argument("--parallel", type=int, default=3, help="laboratories at a time: most of their time is waiting")
    chosen = parser.parse_args()
    seeds = range(chosen.seed, chosen.seed + chosen.histories)
    kinds = [chosen.kind or list(KINDS)[seed % len(KINDS)] for seed in seeds]
    points = differ = 0
    with ProcessPoolExecutor(chosen.parallel, get_context("spawn"), enter_namespaces) as pool:
        for agreed, difference in pool.map(of_kind, kinds, seeds):
            points, differ = points + agreed, differ + (difference is not None)
            if difference is not None:
                sys.stdout.write(f"{difference}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{chosen.histories} histories, {points} quiet points agree, {differ} differ\n")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
