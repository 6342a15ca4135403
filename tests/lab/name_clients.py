"""Clients that find the master by its name in Consul, and somebody who watches where the name leads."""

from __future__ import annotations

import random
import threading
import time
from typing import Self

import redis
from lab.writer import Writer

from console.core.inventory import ConsulSpec
from console.core.watchers.service_name_history import NameSample, NameTally, tally
from console.lab.scenarios.sentinel_consul import resolved
from console.lab.systems import sentinel_consul as consul
from console.transport.consul.name_sampler import ConsulSampler

EACH = 10
"""Increments after which a client resolves the name again."""


class NameWriter(Writer):
    """Resolves the name for each few increments, and takes one of its addresses, as client libraries do."""

    def __init__(self, password: str = "") -> None:
        super().__init__(consul.NAME, password=password or None)
        self.by_address: dict[str, int] = {}
        self._left = 0
        self._address = ""

    def _connect(self) -> redis.Redis:
        try:
            found = resolved(timeout=0.5)
        except OSError:
            found = []
        self._host = self._address = random.choice(found) if found else "192.168.3.253"
        self._left = EACH
        return super()._connect()

    def _increment_until_broken(self, client: redis.Redis) -> None:
        while self._left and not self._end.wait(self._pause):
            self._left -= 1
            try:
                value = int(client.incr(self.key))
            except (redis.RedisError, OSError):
                self.unanswered += 1
                return
            self._gone += max(0, self._highest - value + 1)
            self._highest = value
            self.acknowledged += 1
            self.by_address[self._address] = self.by_address.get(self._address, 0) + 1


class Watch:
    """Samples the name in a thread of its own, whoever works on the set meanwhile."""

    def __init__(self, right: str) -> None:
        """`right`: the address that it should lead to."""
        self.right = right
        self._sampler = ConsulSampler(
            ConsulSpec(consul.HTTP, consul.SERVICE, f"{consul.ADDRESSES[consul.FIRST]}:{consul.DNS_PORT}"),
            None,
            time.time,
        )
        self._seen: list[tuple[NameSample, str]] = []
        self._begun, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.tally: NameTally | None = None

    def __enter__(self) -> Self:
        """It has its first sample when this returns: on a busy machine that takes a second, and the name may change."""
        self._thread.start()
        assert self._begun.wait(30), "the name could not be sampled"
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=5)
        self.tally = tally(consul.NAME, self._seen, time.time())
        self._sampler.close()

    @property
    def wrong(self) -> tuple[float, ...]:
        """Seconds by the checks, seconds by DNS."""
        assert self.tally is not None
        assert self.tally.samples > 5
        return tuple(way.wrong for way in self.tally.ways)

    def _work(self) -> None:
        while not self._end.wait(0.05):
            self._seen.append((self._sampler.sample(), self.right))
            self._begun.set()
