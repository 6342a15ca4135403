"""A byte stream with a deadline and a size limit for reading, so that an endless answer ends."""

from __future__ import annotations

import socket
import time
from typing import Any

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError

GRACE = 0.1
"""Seconds after the deadline in which bytes that have arrived already are still read."""


class BoundedStream:
    """The part of a socket that a Redis connection uses. `until` and `most` are the limits for the next answer."""

    def __init__(self, stream: Any, where: str, until: float, most: int) -> None:
        self._stream = stream
        self._where = where
        self._until = until
        self._left = self._most = most

    def refill(self) -> None:
        """Resets the size limit. Called when a question has been sent."""
        self._left = self._most

    @property
    def begun(self) -> bool:
        """Whether a part of the answer has come."""
        return self._left < self._most

    def read_until(self, deadline: float) -> None:
        """Sets the end of reading to a little after `deadline` (monotonic)."""
        self._until = max(deadline, time.monotonic()) + GRACE

    def settimeout(self, timeout: float | None) -> None:
        self._stream.settimeout(timeout)

    def sendall(self, data: bytes) -> None:
        self._stream.sendall(data)

    def recv(self, size: int) -> bytes:
        if time.monotonic() >= self._until:
            raise TimeoutError
        data: bytes = self._stream.recv(size)
        return self._counted(data)

    def recv_ready(self, size: int) -> bytes:
        """What has come already, without waiting. Nothing where the stream is no plain socket: it cannot be asked."""
        if type(self._stream) is not socket.socket:
            return b""
        timeout = self._stream.gettimeout()
        self._stream.settimeout(0)
        try:
            return self._counted(self._stream.recv(size))
        except BlockingIOError:
            return b""
        finally:
            self._stream.settimeout(timeout)

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise RemoteError(ProblemKind.BAD_ANSWER, f"{self._where} sends an answer that does not end")
        return data

    def shutdown(self, how: int) -> None:
        self._stream.shutdown(how)

    def close(self) -> None:
        self._stream.close()
