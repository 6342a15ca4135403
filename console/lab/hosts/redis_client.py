"""The little of Redis's protocol that the laboratory needs to watch and fill its own servers from the bridge."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import BinaryIO, Self


class RefusedError(Exception):
    """The server answered with an error."""


class RedisConnection:
    """One connection to a laboratory server.

    Raises OSError if the server cannot be reached, RefusedError for an error reply.
    """

    def __init__(
        self,
        address: str,
        password: str = "",
        *,
        port: int = 6379,
        timeout: float = 2.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._socket = socket.create_connection((address, port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket)
        self._file: BinaryIO = self._socket.makefile("rb")
        if password:
            self.ask("AUTH", password)

    def ask(self, *words: str) -> str:
        """The reply as text; of an array, one line per element."""
        parts = [f"*{len(words)}\r\n".encode()]
        for word in words:
            data = word.encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self._socket.sendall(b"".join(parts))
        return "\n".join(self._reply())

    def _reply(self) -> Sequence[str]:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("the server closed the connection")
        kind, text = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise RefusedError(text)
        if kind == b"$":
            size = int(text)
            return [self._file.read(size + 2)[:-2].decode(errors="replace")] if size >= 0 else [""]
        if kind == b"*":
            return [part for _ in range(int(text)) for part in self._reply()]
        return [text]

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
