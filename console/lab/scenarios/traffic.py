"""Clients that write while a scenario is built."""

from __future__ import annotations

import threading

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.redis_client import RedisConnection, RefusedError
from console.lab.scenarios.replication import COUNTER


class Traffic(threading.Thread):
    """Clients of the pair: increments a counter through the VIP, again and again, reconnecting."""

    def __init__(self, lab: Laboratory) -> None:
        super().__init__(name="traffic", daemon=True)
        self.acknowledged = 0
        self._lab = lab
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(0.02):
            try:
                with RedisConnection(self._lab.vip, self._lab.options.password, timeout=0.5) as line:
                    while not self._end.wait(0.005):
                        line.ask("INCR", COUNTER)
                        self.acknowledged += 1
            except (OSError, RefusedError):
                continue

    def stop(self) -> None:
        self._end.set()
        self.join(timeout=5)
