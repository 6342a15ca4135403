"""Clients that write while a scenario is built."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.host import Host
from console.lab.hosts.redis_client import RedisConnection, RefusedError
from console.lab.scenarios.replication import COUNTER

_TIMEOUT = 1.0
_PAUSE = 0.005
"""Seconds between two writes."""
_WRITES_PER_CONNECTION = 200


class Traffic(threading.Thread):
    """Increments a counter again and again. It finds its server anew with each connection."""

    def __init__(self, lab: Laboratory, find: Callable[[], Sequence[str]], *, writes_per_connection: int) -> None:
        super().__init__(name="traffic", daemon=True)
        self.acknowledged = 0
        self._lab = lab
        self._find = find
        self._writes = writes_per_connection
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.is_set():
            try:
                for address in self._find()[:1]:
                    self._write(address)
            except (OSError, RefusedError):
                self._end.wait(0.02)

    def _write(self, address: str) -> None:
        with RedisConnection(address, self._lab.options.password, timeout=_TIMEOUT) as connection:
            for _ in range(self._writes):
                connection.ask("INCR", COUNTER)
                self.acknowledged += 1
                if self._end.wait(_PAUSE):
                    return

    def wait_for_writes(self, number: int, master: Host) -> None:
        """Waits until so many more writes are acknowledged. `master`: the host that takes them."""
        wanted = self.acknowledged + number
        what = f"clients write to {master.name}"
        self._lab.wait_for(lambda: self.acknowledged >= wanted, what, master, "redis-server")

    def stop(self) -> None:
        self._end.set()
        self.join()


@contextmanager
def traffic(
    lab: Laboratory, find: Callable[[], Sequence[str]], *, writes_per_connection: int = _WRITES_PER_CONNECTION
) -> Iterator[Traffic]:
    """Clients that write for as long as the block runs. `find`: the addresses that a client may connect to."""
    thread = Traffic(lab, find, writes_per_connection=writes_per_connection)
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()


@contextmanager
def traffic_through_vip(lab: Laboratory) -> Iterator[Traffic]:
    """Clients that write to the virtual IP for as long as the block runs."""
    with traffic(lab, lambda: [lab.vip]) as thread:
        yield thread
