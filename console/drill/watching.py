"""Observes the cluster of a drill for as long as it lasts: when it was protected, and what was found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from console.core.command import Secret
from console.core.conditions.pair_protection import master_accepts_writes
from console.core.diagnosis.finding import Finding
from console.core.drills.capture import Capture
from console.core.inventory import ClusterSpec
from console.core.kinds.diagnose import diagnose
from console.core.kinds.protection import protection
from console.core.model import ClusterState
from console.core.model.verdict import Verdict
from console.documents.inventories.inventory import load_inventory
from console.documents.inventories.passwords import resolve
from console.engine.ports import Inspector
from console.lab.assembly.laboratory import Laboratory
from console.transport.clock import SystemClock
from console.transport.inspector import make_inspector

_EVERY = 0.5


class Watcher(threading.Thread):
    """Polls as the screen does, with connections of its own."""

    def __init__(self, lab: Laboratory, capture: Capture) -> None:
        super().__init__(name="watcher of the drill", daemon=True)
        self.protected: list[tuple[float, bool]] = []
        """Epoch seconds → whether the cluster would survive the next failure."""
        self.last: tuple[Finding, ...] = ()
        """What was found when it last looked."""
        self._clock = SystemClock()
        self._inspector = inspector_of(lab, capture)
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(_EVERY):
            self.look()

    def look(self, *, fresh: bool = False) -> tuple[ClusterState, tuple[Finding, ...]]:
        """One observation, which is remembered."""
        state = self._inspector.observe(fresh=fresh)
        found = diagnose(state, self._clock.now())
        verdicts = [protection(state).verdict, *(one.verdict for one in master_accepts_writes(state))]
        self.protected.append((time.time(), all(one is Verdict.HOLDS for one in verdicts)))
        self.last = found
        return state, found

    def wait_for(self, condition: Callable[[ClusterState, tuple[Finding, ...]], object], deadline: float) -> bool:
        """Looks until the condition holds of an observation. False: it did not within `deadline` seconds."""
        end = time.monotonic() + deadline
        while not condition(*self.look(fresh=True)):
            if time.monotonic() > end:
                return False
            time.sleep(_EVERY)
        return True

    def stop(self) -> None:
        """Ends with one fresh observation."""
        self._end.set()
        if self.is_alive():
            self.join()
        self.look(fresh=True)
        self._inspector.close()


def inspector_of(lab: Laboratory, capture: Capture) -> Inspector:
    """Reads the cluster of a rehearsal as the screen does."""
    spec = load_inventory(lab.inventory).cluster(capture.cluster)
    return make_inspector(spec, _passwords(spec), SystemClock())


def _passwords(spec: ClusterSpec) -> dict[str, Secret | None]:
    return {one.name: resolve(one.source, one.owner, key=one.key) if one.source else None for one in spec.secrets}
