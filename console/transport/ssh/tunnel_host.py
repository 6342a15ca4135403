"""A host that is reached over SSH only to connect from there to a Sentinel on it. No command is run on it."""

from __future__ import annotations

import threading
from typing import Any

from console.core.inventory import SshSpec
from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError


class TunnelHost:
    """Logs in when the first channel is wanted, and again once the connection was lost."""

    def __init__(self, spec: SshSpec, address: str, handshakes: threading.Semaphore) -> None:
        self._spec = spec
        self._address = address
        self._handshakes = handshakes
        self._lock = threading.Lock()
        self._connection: Any = None
        self._closed = False

    def open_tunnel(self, host: str, port: int, timeout: float) -> Any:
        """A direct-tcpip channel. Raises RemoteError."""
        with self._lock:
            if self._closed:
                raise RemoteError(ProblemKind.CLOSED, "the console is about to end")
            if self._connection is None or not self._connection.alive:
                self._connection = self._connected()
            connection = self._connection
        return connection.open_tunnel(host, port, timeout)

    def _connected(self) -> Any:
        from console.transport.ssh import connection as ssh
        from console.transport.ssh import route as ssh_route

        if self._connection is not None:
            self._connection.close()
        try:
            route = ssh_route.resolve(self._spec, self._address)
            return ssh.connect(route, self._spec.connect_timeout, self._handshakes)
        except RemoteError as error:
            raise RemoteError(error.problem.kind, f"through SSH: {error.problem.text}") from None

    def close(self) -> None:
        self._closed = True
        if self._connection is not None:
            self._connection.close()
