"""What the benchmarks share: medians, and the inventory of the laboratory that they run in."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from console.core.inventory import ClusterSpec
from console.documents.inventory import load_inventory


def seconds(work: Callable[[], object], times: int) -> list[float]:
    """How long each of so many runs took, sorted."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return sorted(taken)


def median(taken: list[float]) -> float:
    return statistics.median(taken)


def cluster() -> ClusterSpec:
    """The laboratory's pair."""
    try:
        return load_inventory(Path(os.environ["REDIS_HA_INVENTORY"])).clusters[0]
    except KeyError:
        sys.exit("run it in a laboratory: redis-ha-console lab run healthy -- python benchmarks/NAME.py")


def ssh_config() -> str:
    """The laboratory's ssh_config, for measuring against the ssh program."""
    spec = cluster().nodes[0].ssh
    return spec.config_file or str(Path(os.environ["REDIS_HA_INVENTORY"]).with_name("ssh_config"))


def verdict(name: str, ratio: float, goal: float) -> bool:
    """Prints one line; true where the goal is met."""
    met = ratio <= goal
    print(f"{name}: ratio {ratio:.2f}, goal {goal:.2f}: {'met' if met else 'MISSED'}")
    return met
