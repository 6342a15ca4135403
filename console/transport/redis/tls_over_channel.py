"""TLS over an SSH channel, which is not a socket: for Redis with TLS and `via: ssh`."""

from __future__ import annotations

import ssl
from typing import Any


class TlsOverChannel:
    """The part of a socket that a Redis connection uses. It encrypts in memory and sends through a channel."""

    def __init__(self, channel: Any, context: ssl.SSLContext, server_name: str) -> None:
        self._channel = channel
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._pump(self._tls.do_handshake)

    def settimeout(self, timeout: float | None) -> None:
        self._channel.settimeout(timeout)

    def sendall(self, data: bytes) -> None:
        self._pump(lambda: self._tls.write(data))

    def recv(self, size: int) -> bytes:
        try:
            received: bytes = self._pump(lambda: self._tls.read(size))
        except ssl.SSLEOFError:
            return b""
        return received

    def shutdown(self, how: int) -> None:
        self._channel.shutdown(how)

    def close(self) -> None:
        self._channel.close()

    def _pump(self, step: Any) -> Any:
        """Repeats a step of TLS until it is done, and moves bytes between TLS and the channel meanwhile."""
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._flush()
                received = self._channel.recv(65536)
                if received:
                    self._incoming.write(received)
                else:
                    self._incoming.write_eof()
            else:
                self._flush()
                return done

    def _flush(self) -> None:
        waiting = self._outgoing.read()
        if waiting:
            self._channel.sendall(waiting)
