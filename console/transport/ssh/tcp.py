"""The TCP connection for SSH, or a command instead. It needs no SSH library: importing that takes longer."""

from __future__ import annotations

import socket

from console.transport.connections.errors import from_socket
from console.transport.ssh.route import Route


def connect_tcp(route: Route, timeout: float) -> socket.socket:
    """Connects to the first host of the route. Raises RemoteError."""
    first = route.hops[0]
    if first.command:
        from console.transport.ssh.routes.proxy_command import CommandSocket

        return CommandSocket(first.command)
    try:
        sock = socket.create_connection((first.host, first.port), timeout=timeout)
    except OSError as error:
        raise from_socket(error, f"SSH on {first.host}:{first.port}") from None
    # Without TCP_NODELAY each message may wait 40 ms for the acknowledgement of the one before.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
