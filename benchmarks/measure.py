"""What the benchmarks share: medians, and the inventory of the laboratory that they run in."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from console.core.inventory import ClusterSpec
from console.documents.inventories.inventory import load_inventory


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


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run took, in seconds. `cpu`: of this process and of the children that it has waited for."""

    wall: float
    cpu: float


def taken(work: Callable[[], object]) -> Taken:
    """What one run takes."""
    before, began = os.times(), time.perf_counter()
    work()
    wall, after = time.perf_counter() - began, os.times()
    return Taken(wall, sum(after[:4]) - sum(before[:4]))


def in_turn(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Taken]:
    """The medians of so many runs of each, turns about: what else the machine does meets all of them.

    One line is printed for each.
    """
    runs: dict[str, list[Taken]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            runs[name].append(taken(work))
    medians = {
        name: Taken(median([one.wall for one in found]), median([one.cpu for one in found]))
        for name, found in runs.items()
    }
    for name, one in medians.items():
        print(f"{name}: {one.wall * 1000:,.1f} ms, {one.cpu * 1000:,.1f} ms of CPU", flush=True)
    return medians


def inventory_path() -> Path:
    """The laboratory's inventory."""
    try:
        return Path(os.environ["REDIS_HA_INVENTORY"])
    except KeyError:
        sys.exit("run it in a laboratory: redis-ha-console lab run healthy -- python benchmarks/NAME.py")


def cluster() -> ClusterSpec:
    """The laboratory's pair."""
    return load_inventory(inventory_path()).clusters[0]


@contextmanager
def as_an_operators() -> Iterator[Path]:
    """A path of the laboratory's inventory outside of the memory that laboratories live in.

    The console keeps what it has checked of an operator's inventory, and nothing of one that is gone in a while.
    """
    inventory = inventory_path()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "inventory"
        place.symlink_to(inventory.parent)
        yield place / inventory.name


def ssh_config() -> str:
    """The laboratory's ssh_config, for measuring against the ssh program."""
    spec = cluster().nodes[0].ssh
    return spec.config_file or str(inventory_path().with_name("ssh_config"))


def ansible_program() -> str | None:
    """The program of ansible ad hoc, of this environment. None: it is not installed, which is said in one line."""
    program = Path(sys.executable).with_name("ansible")
    if program.exists():
        return str(program)
    print("ansible ad hoc is not measured: it is not installed here (make .venv/bench)")
    return None


def verdict(name: str, ratio: float, goal: float) -> bool:
    """Prints one line; true where the goal is met."""
    met = ratio <= goal
    print(f"{name}: ratio {ratio:.2f}, goal {goal:.2f}: {'met' if met else 'MISSED'}")
    return met
