"""Watches the service name during a run, in a thread of its own: the addresses that clients would have got."""

from __future__ import annotations

import contextlib
import threading

from console.core.model import ClusterState
from console.core.watchers.name_history import NameSample, NameTally, tally
from console.core.watchers.service_name import full_name, writable
from console.engine.ports import Clock, NameSampler

EVERY = 0.2
"""Seconds between two samples. A sample that waits for an answer takes longer."""
_MOST = 50_000
"""Samples that are kept at most."""


class NameWatch:
    """Begins and ends with the run. What it cannot read is not known: it counts neither as right nor as wrong."""

    def __init__(self, sampler: NameSampler, clock: Clock) -> None:
        self._sampler = sampler
        self._clock = clock
        self._samples: list[tuple[NameSample, str]] = []
        self._right = ""
        """Address of the master that takes the writes, by the newest observation that told it."""
        self._name = ""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watch the service name", daemon=True)
        self._tally: NameTally | None = None

    def start(self) -> None:
        self._thread.start()

    def look(self, state: ClusterState) -> None:
        """Takes the master that accepts writes from an observation of the run. Without one, the last master stays."""
        if state.consul is not None:
            self._name = full_name(state.consul)
        master = writable(state)
        if master is not None:
            self._right = master.address

    def finish(self) -> NameTally:
        """Ends the watch and returns what it found. A second call returns the same."""
        if self._tally is None:
            self._end.set()
            self._thread.join(timeout=5)
            with contextlib.suppress(Exception):
                self._sampler.close()
            seen = self._judged()
            self._tally = tally(self._name, seen, self._clock.now(), dns=self._sampler.asks_dns)
        return self._tally

    def _judged(self) -> list[tuple[NameSample, str]]:
        """Each sample with the address that was right then. Samples before the first observation use that one's."""
        first = next((right for _, right in self._samples if right), self._right)
        return [(sample, right or first) for sample, right in self._samples]

    def _work(self) -> None:
        while not self._end.is_set() and len(self._samples) < _MOST:
            right = self._right
            with contextlib.suppress(Exception):  # a failed look-up is no sample, and the run goes on
                self._samples.append((self._sampler.sample(), right))
            self._end.wait(EVERY)
