"""Redis on the hosts of a drill, and the client that writes where clients find the master, and counts."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from console.core.drills.capture import CapturedRedis
from console.lab.hosts.redis_client import RedisConnection, RefusedError
from console.lab.options import LabError

PREFIX = "drill:write:"
_TIMEOUT = 1.0
_PAUSE = 0.02
_RETRY = 0.1
_WRITES_PER_CONNECTION = 50
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Login:
    """How a client gets into the Redis of a host."""

    redis: CapturedRedis
    tls: ssl.SSLContext | None = None

    def connect(self, address: str, timeout: float, port: int = 0) -> RedisConnection:
        """A connection to a Redis that is configured like this one. Raises OSError, RefusedError."""
        redis = self.redis
        password = "" if redis.username else redis.password
        connection = RedisConnection(address, password, port=port or redis.port, timeout=timeout, tls=self.tls)
        if redis.username:
            connection.ask("AUTH", redis.username, redis.password)
        return connection

    def ask(self, address: str, *words: str, timeout: float = 30.0) -> str:
        """One answer of a Redis. Raises LabError if it refuses, OSError if it cannot be reached."""
        try:
            with self.connect(address, timeout) as connection:
                return connection.ask(self.redis.aliases.get(words[0], words[0]), *words[1:])
        except RefusedError as error:
            raise LabError(f"Redis at {address} refused {words[0]}: {error}") from None

    def fill(self, address: str, keys: int, size: int) -> None:
        """Makes up so many keys with values of so many bytes."""
        value = "x" * size
        with self.connect(address, 30.0) as connection:
            for first in range(0, keys, _BATCH):
                numbers = range(first, min(first + _BATCH, keys))
                connection.ask("MSET", *(word for one in numbers for word in (f"made-up:{one}", value)))


Find = Callable[[], tuple[str, int]]
"""Where a client connects to now: address and port. Raises OSError where the name leads to nobody."""


class CountingClient(threading.Thread):
    """Writes key after key where clients find the master, and remembers what was acknowledged and what was refused."""

    def __init__(self, login: Login, find: Find) -> None:
        super().__init__(name="counting client", daemon=True)
        self.acknowledged: list[int] = []
        self.refused = 0
        """Writes that were answered with an error, or not at all."""
        self.refused_since = 0.0
        """Monotonic: since when no write was acknowledged; 0: the last one was."""
        self.longest_gap = 0.0
        """Seconds of the longest time without an acknowledged write."""
        self._login = login
        self._find = find
        self._number = 0
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.is_set():
            try:
                with self._connect(_TIMEOUT) as connection:
                    for _ in range(_WRITES_PER_CONNECTION):
                        self._number += 1
                        connection.ask("SET", f"{PREFIX}{self._number}", str(self._number))
                        self._acknowledge()
                        if self._end.wait(_PAUSE):
                            return
            except (OSError, RefusedError):
                self.refused += 1
                self.refused_since = self.refused_since or time.monotonic()
                self._end.wait(_RETRY)

    def _connect(self, timeout: float) -> RedisConnection:
        address, port = self._find()
        return self._login.connect(address, timeout, port)

    def _acknowledge(self) -> None:
        self.acknowledged.append(self._number)
        if self.refused_since:
            self.longest_gap = max(self.longest_gap, time.monotonic() - self.refused_since)
            self.refused_since = 0.0

    def stop(self) -> None:
        self._end.set()
        self.join()
        if self.refused_since:
            self.longest_gap = max(self.longest_gap, time.monotonic() - self.refused_since)

    def lost(self) -> int | None:
        """How many acknowledged writes are not there any more. None: nobody answers there."""
        missing = self.missing()
        return None if missing is None else len(missing)

    def missing(self) -> list[str] | None:
        """The keys of the acknowledged writes that are not there any more. None: nobody answers there."""
        try:
            with self._connect(10.0) as connection:
                return [key for batch in _batches(self.acknowledged) for key in self._missing(connection, batch)]
        except (OSError, RefusedError):
            return None

    @staticmethod
    def _missing(connection: RedisConnection, batch: list[int]) -> list[str]:
        """A batch is asked about as a whole first: mostly nothing is missing."""
        keys = [f"{PREFIX}{number}" for number in batch]
        if int(connection.ask("EXISTS", *keys)) == len(keys):
            return []
        return [key for key in keys if connection.ask("EXISTS", key) == "0"]


def _batches(numbers: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(numbers), _BATCH):
        yield numbers[first : first + _BATCH]
