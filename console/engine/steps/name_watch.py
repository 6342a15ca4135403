"""Watches the service name for as long as a run lives, in a thread of its own: what clients would have been told."""

from __future__ import annotations

import contextlib
import threading

from console.core.model import ClusterState
from console.core.watchers.service_name import full_name, writable_master
from console.core.watchers.service_name_history import NameSample, NameTally, tally
from console.engine.ports import Clock, NameSampler

EVERY = 0.2
"""Seconds from one look to the next; a look that waits for an answer takes longer."""
_MOST = 50_000


class NameWatch:
    """Begins with the run and ends with it. What it cannot read counts as not known, never as right or wrong."""

    def __init__(self, sampler: NameSampler, clock: Clock) -> None:
        self._sampler = sampler
        self._clock = clock
        self._seen: list[tuple[NameSample, str]] = []
        self._right = ""
        self._name = ""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watch the service name", daemon=True)
        self._tally: NameTally | None = None

    def start(self) -> None:
        self._thread.start()

    def look(self, state: ClusterState) -> None:
        """An observation of the run: it tells who takes the writes. While nobody is it, the last one counts on."""
        if state.consul is not None:
            self._name = full_name(state.consul)
        master = writable_master(state)
        if master is not None:
            self._right = master.address

    def finish(self) -> NameTally:
        """Ends the watch; what it saw. A second call says the same."""
        if self._tally is None:
            self._end.set()
            self._thread.join(timeout=5)
            with contextlib.suppress(Exception):
                self._sampler.close()
            seen = self._judged()
            self._tally = tally(self._name, seen, self._clock.now(), dns=self._sampler.asks_dns)
        return self._tally

    def _judged(self) -> list[tuple[NameSample, str]]:
        """Samples from before the first observation are judged by what that one found."""
        first = next((right for _, right in self._seen if right), self._right)
        return [(sample, right or first) for sample, right in self._seen]

    def _work(self) -> None:
        while not self._end.is_set() and len(self._seen) < _MOST:
            right = self._right
            with contextlib.suppress(Exception):  # a look that fails is no sample; the run goes on
                self._seen.append((self._sampler.sample(), right))
            self._end.wait(EVERY)
