"""Builds the rehearsal of a capture, by its kind, and takes it down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from console.core.drills.capture import Capture
from console.drill.rebuilt.hosts import system_of
from console.drill.rebuilt.last_words import last_words
from console.drill.rebuilt.pair import PairRehearsal
from console.drill.rebuilt.rehearsal import DataSize, Rehearsal, data_size, versions_for
from console.drill.rebuilt.sentinel_sets import ConsulRehearsal, VipRehearsal
from console.lab.assembly.assemble import assemble
from console.lab.assembly.laboratory import DRILL
from console.lab.hosts.containment import MemoryGuard
from console.lab.options import LabError, LabOptions

KINDS: dict[str, type[Rehearsal]] = {
    "keepalived": PairRehearsal,
    "sentinel-vip": VipRehearsal,
    "sentinel-consul": ConsulRehearsal,
}
"""Kind of cluster → how it comes up."""


def _start(running: Rehearsal, size: DataSize) -> None:
    """Raises LabError, with what the servers said: the steps of a start know only that it did not come up."""
    try:
        running.start(size)
    except LabError as error:
        raise LabError("; ".join((str(error), *last_words(running.lab, running.capture))), error.log) from None


@contextmanager
def rehearsal(capture: Capture, keys: int | None, report: Callable[[str], None], name: str = "") -> Iterator[Rehearsal]:
    """A healthy cluster in the laboratory, gone when the block ends. `name`: of the laboratory. Raises LabError."""
    options = LabOptions(redis_of=versions_for(capture), disk="128m")
    lab = assemble(system_of(capture), options, report, DRILL, name)
    guards = [MemoryGuard(lambda host=host: host.pid, host.cage) for host in lab.hosts.values() if host.cage]  # type: ignore[misc]
    for guard in guards:
        guard.start()
    try:
        running = KINDS[capture.kind](lab, capture, report)
        try:
            _start(running, data_size(capture, keys))
            yield running
        finally:
            running.close()
    finally:
        for guard in guards:
            guard.stop()
        lab.close()
