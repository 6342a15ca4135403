"""SSH connections to the nodes, through jump hosts where needed. The host key of every host is checked."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.ssh.handshake import Transport, reason, shake_hands, time_left
from console.transport.ssh.paramiko_import import paramiko
from console.transport.ssh.private_keys import private_keys
from console.transport.ssh.route import Hop, Route
from console.transport.ssh.tcp import connect_tcp

# The library logs from its own threads. Without a handler Python would print these lines over the screen.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False

_PROHIBITED, _CONNECT_FAILED = 1, 2  # reasons of SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254, 5.1)
_MAX_OUTPUT = 8 * 1024 * 1024
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


@dataclass(frozen=True, slots=True)
class Completed:
    """The result of a command that has ended."""

    status: int | None
    """The exit status. None: the connection ended before it came."""
    out: bytes
    err: bytes


_PING_AFTER = 10.0  # seconds without a byte of a command's output
_PONG_WITHIN = 10.0


class SshConnection:
    """An authenticated connection to one node."""

    def __init__(self, transports: list[Transport], sock: socket.socket) -> None:
        self._transports = transports
        self._sock = sock
        self._doubted = False

    @property
    def alive(self) -> bool:
        """Whether to use it again. After a timeout a new connection is better: its error says more, and sooner."""
        return not self._doubted and self._transports[-1].is_active()

    def acknowledge_quickly(self) -> None:
        """Sets TCP_QUICKACK, which the kernel drops by itself. Without it an answer may be 40 ms late."""
        if _QUICKACK is not None:
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def start(self, command: str, timeout: float) -> paramiko.Channel:
        """Starts the command on a new channel. Raises RemoteError."""
        channel = self.open_session(timeout)
        self.request(channel, command, timeout)
        return channel

    def open_session(self, timeout: float) -> paramiko.Channel:
        self.acknowledge_quickly()
        try:
            return self._transports[-1].open_session(timeout=timeout)
        except (paramiko.SSHException, EOFError, OSError) as error:
            self._doubted = True
            raise RemoteError(ProblemKind.CLOSED, f"no SSH session can be opened: {reason(error)}") from None

    def request(self, channel: paramiko.Channel, command: str, timeout: float) -> None:
        """Asks the server to run the command. The library would wait for the reply for ever: a timer ends that."""
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            channel.close()

        timer = threading.Timer(timeout, expire)
        timer.daemon = True
        timer.start()
        try:
            channel.exec_command(command)
        except (paramiko.SSHException, EOFError, OSError) as error:
            self._doubted = True
            if expired.is_set():
                raise RemoteError(ProblemKind.TIMEOUT, f"no answer within {timeout:.0f} s") from None
            raise RemoteError(ProblemKind.CLOSED, f"the SSH session ended: {reason(error)}") from None
        finally:
            timer.cancel()

    def finish(self, channel: paramiko.Channel, stdin: bytes | None, timeout: float) -> Completed:
        """Sends the input and reads the output to its end. Raises RemoteError: then the outcome is unknown."""
        deadline = time.monotonic() + timeout
        try:
            channel.settimeout(timeout)
            _feed(channel, stdin)
            out = b"".join(_until_end(channel.recv, channel, deadline, self._check_alive))
            err = b"".join(_until_end(channel.recv_stderr, channel, deadline, self._check_alive))
            ended = channel.status_event.wait(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            self._doubted = True
            raise RemoteError(ProblemKind.TIMEOUT, f"no answer within {timeout:.0f} s") from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise RemoteError(ProblemKind.CLOSED, f"the SSH connection was lost: {reason(error)}") from None
        finally:
            channel.close()
        if not ended:
            self._doubted = True
            raise RemoteError(ProblemKind.TIMEOUT, f"no answer within {timeout:.0f} s")
        status = channel.exit_status
        return Completed(status if status >= 0 else None, out, err)

    def _check_alive(self) -> None:
        """Asks the server itself for an answer. A command may take its time, but a connection may not."""
        if not _answers(self._transports[-1], _PONG_WITHIN):
            self._doubted = True
            silent = _PING_AFTER + _PONG_WITHIN
            raise RemoteError(ProblemKind.TIMEOUT, f"the SSH connection has been silent for {silent:.0f} s")

    def run(self, command: str, stdin: bytes | None = None, timeout: float = 10.0) -> Completed:
        """Starts a command and waits for its end."""
        return self.finish(self.start(command, timeout), stdin, timeout)

    def open_tunnel(self, host: str, port: int, timeout: float) -> paramiko.Channel:
        """A direct-tcpip channel: the connection comes from the node itself. Raises RemoteError."""
        return _open_tunnel(self._transports[-1], host, port, timeout)

    def close(self) -> None:
        for transport in reversed(self._transports):
            transport.close()


def connect(
    route: Route, timeout: float, handshakes: threading.Semaphore, first_socket: socket.socket | None = None
) -> SshConnection:
    """Logs in on every hop within `timeout` in all. Raises RemoteError, whose text says what to do.

    `first_socket`: the TCP connection to the first hop, if there is one already.
    """
    deadline = time.monotonic() + timeout
    transports: list[Transport] = []
    sock = first_socket or connect_tcp(route, timeout)
    stream: Any = sock
    try:
        with handshakes:
            for place, hop in enumerate(route.hops):
                if place:
                    stream = _open_tunnel(transports[-1], hop.host, hop.port, time_left(deadline, hop))
                transport = Transport(stream)
                transports.append(transport)
                shake_hands(transport, hop, deadline)
                _authenticate(transport, hop, deadline)
    except RemoteError as error:
        _give_up(transports, sock)
        raise _with_warnings(error, route) from None
    except BaseException:
        _give_up(transports, sock)
        raise
    return SshConnection(transports, sock)


def _give_up(transports: list[Transport], sock: socket.socket) -> None:
    for transport in reversed(transports):
        transport.close()
    sock.close()


def _with_warnings(error: RemoteError, route: Route) -> RemoteError:
    """Adds the options of ssh_config that were ignored: one of them may be the reason."""
    if not route.warnings:
        return error
    return RemoteError(error.problem.kind, f"{error.problem.text} ({'; '.join(route.warnings)})")


def _authenticate(transport: Transport, hop: Hop, deadline: float) -> None:
    refused: list[str] = []
    unusable: list[str] = []
    for name, key in private_keys(hop, unusable):
        transport.auth_timeout = time_left(deadline, hop)
        try:
            more = transport.auth_publickey(hop.user, key)
        except paramiko.BadAuthenticationType as error:
            text = f"{hop} does not accept keys, only {', '.join(error.allowed_types)}"
            raise RemoteError(ProblemKind.AUTH_FAILED, text) from None
        except paramiko.AuthenticationException as error:
            if "timeout" in str(error).lower():
                raise RemoteError(ProblemKind.TIMEOUT, f"{hop}: no answer to the login in time") from None
            refused.append(name)
        except (paramiko.SSHException, EOFError, OSError) as error:
            refused.append(f"{name} ({reason(error)})")
            break
        else:
            if not more:
                return
            raise RemoteError(ProblemKind.AUTH_FAILED, f"{hop} asks for more than a key: {', '.join(more)}")
    why = "; ".join(unusable)
    if refused:
        text = f"{hop} refuses {', '.join(refused)}{'; ' if why else ''}{why}; check ssh.user and ssh.identity_file"
    else:
        text = f"{hop}: no key to log in with: {why or 'set ssh.identity_file, or ssh-add one'}"
    raise RemoteError(ProblemKind.AUTH_FAILED, text)


def _open_tunnel(transport: Transport, host: str, port: int, timeout: float) -> paramiko.Channel:
    where = f"{host}:{port} through SSH"
    transport.why_no_channel = ""
    try:
        return transport.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=timeout)
    except paramiko.ChannelException as error:
        raise _no_channel(where, error, transport.why_no_channel) from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        kind = ProblemKind.TIMEOUT if "timeout" in str(error).lower() else ProblemKind.CLOSED
        raise RemoteError(kind, f"{where}: {reason(error)}") from None


def _no_channel(where: str, error: paramiko.ChannelException, said: str) -> RemoteError:
    """Why the server opened no channel. Only a refused connection proves that nothing listens there."""
    if error.code == _PROHIBITED:
        text = "sshd does not allow it: set AllowTcpForwarding yes (and PermitOpen) there, or via: direct"
        return RemoteError(ProblemKind.NOT_PERMITTED, f"{where}: {text}")
    if error.code == _CONNECT_FAILED and (not said or "refused" in said.lower()):
        return RemoteError(ProblemKind.REFUSED, f"{where}: nothing listens there, the connection is refused")
    return RemoteError(ProblemKind.UNREACHABLE, f"{where}: the host cannot connect there ({said or error.text})")


def _feed(channel: paramiko.Channel, stdin: bytes | None) -> None:
    """Sends the input. If the command ends without reading it, as sudo does when it refuses, its output says why."""
    try:
        if stdin is not None:
            channel.sendall(stdin)
        channel.shutdown_write()
    except TimeoutError:
        raise
    except OSError:
        if not channel.closed:
            raise


def _answers(transport: Transport, within: float) -> bool:
    """Whether the server answers a request that means nothing, as OpenSSH's ServerAliveInterval sends it."""
    answered = threading.Event()

    def ask() -> None:
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.global_request("keepalive@openssh.com", wait=True)
        answered.set()

    threading.Thread(target=ask, name="SSH keepalive", daemon=True).start()
    return answered.wait(within)


def _until_end(
    receive: Any, channel: paramiko.Channel, deadline: float, check_alive: Callable[[], None]
) -> Iterator[bytes]:
    """The output to its end. Raises TimeoutError at `deadline`, and what `check_alive` raises in a long silence."""
    size = 0
    while size < _MAX_OUTPUT:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError  # the command still writes, so it has not ended
        channel.settimeout(min(left, _PING_AFTER))
        try:
            data: bytes = receive(65536)
        except TimeoutError:
            if deadline - time.monotonic() > 0:
                check_alive()
            continue
        if not data:
            return
        size += len(data)
        yield data
