"""A byte stream that is read for so long and so far: a server that talks without end holds up nobody."""

from __future__ import annotations

import time
from typing import Any

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError

GRACE = 0.1
"""Seconds beyond the deadline in which what has arrived already is still taken."""


class BoundedStream:
    """The part of a socket that a Redis connection uses. `until` and `most` are for what is read next."""

    def __init__(self, stream: Any, where: str, until: float, most: int) -> None:
        self._stream = stream
        self._where = where
        self._until = until
        self._left = self._most = most

    def refill(self) -> None:
        """A question was sent: its answer may be as long as any."""
        self._left = self._most

    @property
    def begun(self) -> bool:
        """Whether anything of the answer has come."""
        return self._left < self._most

    def read_until(self, deadline: float) -> None:
        """From now on reading ends a little after `deadline` (monotonic), however much goes on arriving."""
        self._until = max(deadline, time.monotonic()) + GRACE

    def settimeout(self, timeout: float | None) -> None:
        self._stream.settimeout(timeout)

    def sendall(self, data: bytes) -> None:
        self._stream.sendall(data)

    def recv(self, size: int) -> bytes:
        if time.monotonic() >= self._until:
            raise TimeoutError
        data: bytes = self._stream.recv(size)
        self._left -= len(data)
        if self._left < 0:
            raise RemoteError(ProblemKind.BAD_ANSWER, f"{self._where} answers without end")
        return data

    def shutdown(self, how: int) -> None:
        self._stream.shutdown(how)

    def close(self) -> None:
        self._stream.close()
