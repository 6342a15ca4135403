"""Runs each observation in a thread of its own. One that hangs delays no key and no other cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from textual.message import Message

from console.engine.ports import Inspector
from console.tui.threads.messages import ClusterObserved, ObservationFailed

AT_ONCE = 4
"""Observations that begin at the same moment. More of them would delay a key: only one thread runs at a time."""


class ObservationThreads:
    """At most one observation of a cluster is under way; further requests are dropped, not queued.

    The threads are daemons. Those of asyncio's pool are few, and Python waits for them at exit.
    """

    def __init__(self, inspector: Callable[[str], Inspector], post: Callable[[Message], object]) -> None:
        self._inspector = inspector
        self._post = post
        self._lock = threading.Lock()
        self._requested: set[str] = set()

    def under_way(self, cluster: str) -> bool:
        with self._lock:
            return cluster in self._requested

    def request(self, cluster: str) -> bool:
        """Starts an observation; False where one is under way already, or no thread is to be had."""
        with self._lock:
            if cluster in self._requested:
                return False
            self._requested.add(cluster)
        try:
            self._start(self._observe, cluster)
        except RuntimeError:  # the machine gives no further thread now; a later request may get one
            with self._lock:
                self._requested.discard(cluster)
            return False
        return True

    def request_all(self, clusters: Sequence[str], within: float) -> None:
        """Starts these observations; many of them one after the other, spread over so many seconds."""
        if len(clusters) <= AT_ONCE:
            for cluster in clusters:
                self.request(cluster)
        else:
            threading.Thread(target=self._spread, args=(clusters, within), name="requests", daemon=True).start()

    def _spread(self, clusters: Sequence[str], within: float) -> None:
        for cluster in clusters:
            self.request(cluster)
            time.sleep(within / len(clusters))

    def reconnect(self, cluster: str) -> None:
        """Reconnects now to the nodes that do not answer."""
        self._start(self._reconnect, cluster)

    def _start(self, work: Callable[[str], None], cluster: str) -> None:
        threading.Thread(
            target=work, args=(cluster,), name=f"{work.__name__.strip('_')} {cluster}", daemon=True
        ).start()

    def _observe(self, cluster: str) -> None:
        message: Message
        try:
            message = ClusterObserved(self._inspector(cluster).observe())
        except Exception as error:  # noqa: BLE001  the operator must see every error, and the screen must go on
            message = ObservationFailed(cluster, f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._requested.discard(cluster)
        self._post(message)

    def _reconnect(self, cluster: str) -> None:
        try:
            self._inspector(cluster).reconnect()
        except Exception as error:  # noqa: BLE001
            self._post(ObservationFailed(cluster, f"{type(error).__name__}: {error}"))
        self.request(cluster)
