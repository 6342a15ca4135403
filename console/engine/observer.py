"""Observing several clusters at once: each by its own inspector, none waiting for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from console.core.model import ClusterState
from console.engine.ports import Inspector


def observe_all(inspectors: Sequence[Inspector], *, fresh: bool = False) -> tuple[ClusterState, ...]:
    """One observation of each cluster, in the given order. Takes as long as the slowest of them."""
    if len(inspectors) == 1:
        return (inspectors[0].observe(fresh=fresh),)
    seen: list[ClusterState | None] = [None] * len(inspectors)
    failures: list[BaseException] = []

    def look(place: int, inspector: Inspector) -> None:
        try:
            seen[place] = inspector.observe(fresh=fresh)
        except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
            failures.append(error)

    threads = [
        threading.Thread(target=look, args=(place, one), name=f"observe {one.cluster}", daemon=True)
        for place, one in enumerate(inspectors)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return tuple(one for one in seen if one is not None)


class Poller:
    """Observes one cluster again and again in its own thread, and hands each state to whoever wants it."""

    def __init__(self, inspector: Inspector, interval: float, deliver: Callable[[ClusterState], None]) -> None:
        self._inspector = inspector
        self._interval = interval
        self._deliver = deliver
        self._stop = threading.Event()
        self._now = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll {inspector.cluster}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hurry(self) -> None:
        """Observes now rather than at the next interval."""
        self._now.set()

    def stop(self) -> None:
        """No state is delivered after this has returned, unless one is being delivered right now."""
        self._stop.set()
        self._now.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            state = self._inspector.observe()
            if self._stop.is_set():
                return
            self._deliver(state)
            self._now.wait(self._interval)
            self._now.clear()
