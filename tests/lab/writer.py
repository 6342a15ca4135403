"""Clients of the pair: increments a counter through the VIP and remembers what was acknowledged."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


class Writer:
    """A thread that increments a counter every 10 ms, reconnecting as a client library would.

    An increment that was acknowledged must be in the counter for good: `lost` says how many are not. The counter may
    run ahead of what was acknowledged (an answer was lost, the increment was not), so that a number of increments is
    not enough: whoever finds the counter lower than it was once answered has lost the difference.
    """

    def __init__(self, host: str, *, password: str | None = None, key: str = "writer:counter", pause: float = 0.01):
        self.key = key
        self.acknowledged = 0
        self.unanswered = 0
        """Increments whose answer did not come: each may be in the counter or not."""
        self.refused = 0
        """Error replies: READONLY, LOADING, MISCONF."""
        self._highest = 0
        """The highest value that was ever answered."""
        self._gone = 0
        """Increments that were answered once and were found missing later."""
        self._host, self._password, self._pause = host, password, pause
        self._end = threading.Event()
        self._one_at_a_time = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> Writer:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._end.set()
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is written meanwhile, and no answer is outstanding."""
        with self._one_at_a_time:
            yield

    def wait_for(self, more: int, deadline: float) -> None:
        """Waits until this many more increments were acknowledged."""
        goal, end = self.acknowledged + more, time.monotonic() + deadline
        while self.acknowledged < goal:
            assert time.monotonic() < end, f"{goal - self.acknowledged} increments too few after {deadline} s"
            time.sleep(0.01)

    def lost(self) -> int:
        """Acknowledged increments that the counter behind the VIP does not have. Call it after `stop`."""
        with self._connect() as client:
            found = int(client.get(self.key) or 0)
        return self._gone + max(0, self._highest - found)

    def _connect(self) -> redis.Redis:
        return redis.Redis(
            self._host, password=self._password, socket_timeout=0.3, socket_connect_timeout=0.3,
            retry=Retry(NoBackoff(), 0), protocol=2,
        )  # fmt: skip

    def _work(self) -> None:
        while not self._end.is_set():
            with self._connect() as client:
                self._increment_until_broken(client)
            self._end.wait(0.02)

    def _increment_until_broken(self, client: redis.Redis) -> None:
        while not self._end.wait(self._pause):
            try:
                with self._one_at_a_time:
                    value = int(client.incr(self.key))
            except redis.ResponseError:  # READONLY, LOADING and MISCONF are among them
                self.refused += 1
                self._end.wait(0.05)
            except (redis.RedisError, OSError):
                self.unanswered += 1
                return
            else:
                self._gone += max(0, self._highest - value + 1)
                self._highest = value
                self.acknowledged += 1
