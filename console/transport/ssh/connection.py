"""SSH connections to the nodes, through jump hosts where needed. The host key of every host is checked."""

from __future__ import annotations

import contextlib
import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from console.core.lazy_dataclass import dataclass
from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.connections.patience import Patience
from console.transport.ssh.handshake import Transport, reason, shake_hands, time_left
from console.transport.ssh.login import Tell, log_in, say_nothing
from console.transport.ssh.paramiko_import import paramiko
from console.transport.ssh.route import Route
from console.transport.ssh.routes.proxy_command import CommandSocket
from console.transport.ssh.shells.login_shell import LoginShell, Question
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
_SHELL_TIMEOUT = 5.0
_IDLE = 60.0  # seconds
_END_WITHIN = 1.0  # seconds
TURN, TCP = "its turn", "TCP"
_FORWARDING = "set AllowTcpForwarding yes (and PermitOpen) there, or via: direct"
_JUMP = "set AllowTcpForwarding yes (and PermitOpen) on the jump host, or take another one (ssh.jump)"
_NO_SESSION = "the server opens no further session on this connection"
_SESSIONS = "set MaxSessions to 10 in its sshd_config"


class SshConnection:
    """An authenticated connection to one node."""

    def __init__(self, transports: list[Transport], sock: socket.socket, took: float = 0.0) -> None:
        self.took = took
        """Seconds from the server's banner to the end of the login."""
        self._transports = transports
        self._sock = sock
        self._doubted = False
        self._shell: LoginShell | None = None

    @property
    def user(self) -> str:
        """Who is logged in on the node."""
        return str(self._transports[-1].get_username())

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
        """A channel for one command. Raises RemoteError."""
        self.acknowledge_quickly()
        transport = self._transports[-1]
        try:
            try:
                return transport.open_session(timeout=timeout)
            except paramiko.ChannelException:
                # Where MaxSessions is 1, the session before has to be gone: the server answers after it has tidied up.
                _answers(transport, timeout)
                return transport.open_session(timeout=timeout)
        except paramiko.ChannelException as error:
            raise RemoteError(ProblemKind.NOT_PERMITTED, f"{_NO_SESSION} ({error.text})", change=_SESSIONS) from None
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

    def finish(
        self, channel: paramiko.Channel, stdin: bytes | None, timeout: float, *, outlived: float = math.inf
    ) -> Completed:
        """Sends the input and reads the output to its end. Raises RemoteError: then the outcome is unknown.

        `outlived`: seconds of silence after the command's exit status that count as the end of the output. A service
        that it has started may hold the output open for ever.
        """
        deadline = time.monotonic() + timeout
        try:
            channel.settimeout(timeout)
            feed(channel, stdin)
            read = partial(_until_end, channel, deadline, self._check_alive, outlived)
            out = b"".join(read(channel.recv))
            err = b"".join(read(channel.recv_stderr))
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

    def run(self, script: str, stdin: bytes | None = None, timeout: float = 10.0) -> Completed:
        """Has sh run a script, whatever the login shell is, and waits for its end."""
        shell = self.login_shell()
        done = self.finish(self.start(shell.command(script), timeout), stdin, timeout)
        return replace(done, out=shell.output(done.out), err=shell.output(done.err))

    def start_script(self, script: str, timeout: float) -> paramiko.Channel:
        """Has sh run a script. What is read from the channel is the script's own output. Raises RemoteError."""
        shell = self.login_shell()
        channel = self.start(shell.command(script), timeout)
        try:
            channel.settimeout(timeout)
            shell.skip(channel.recv)
        except (paramiko.SSHException, EOFError, OSError) as error:
            channel.close()
            raise RemoteError(ProblemKind.CLOSED, f"the SSH session ended: {reason(error)}") from None
        return channel

    def login_shell(self) -> LoginShell:
        """The login shell, asked once. Raises RemoteError if no script can be sent through it."""
        if self._shell is None:
            question = Question()
            done = self.finish(self.start(question.command, _SHELL_TIMEOUT), question.stdin, _SHELL_TIMEOUT)
            self._shell = question.shell(self.user, done.out, done.err)
        return self._shell

    def open_tunnel(self, host: str, port: int, timeout: float) -> paramiko.Channel:
        """A direct-tcpip channel: the connection comes from the node itself. Raises RemoteError."""
        return _open_tunnel(self._transports[-1], host, port, timeout)

    def close(self) -> None:
        if len(self._transports) == 1:
            # The library's thread may sleep in a read. It has to end before the number of its socket is used again.
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
            self._transports[0].join(_END_WITHIN)
        for transport in reversed(self._transports):
            transport.close()


def connect(
    route: Route,
    patience: Patience | float,
    handshakes: threading.Semaphore,
    first_socket: socket.socket | None = None,
    tell: Tell = say_nothing,
) -> SshConnection:
    """Logs in on every hop. Raises RemoteError, whose text says what to do.

    `patience`: how long each step is waited for; the time that it waits for its turn at `handshakes` does not count.
    `first_socket`: the TCP connection to the first hop, if there is one already. `tell`: hears what a human has to do
    meanwhile.
    """
    if not isinstance(patience, Patience):
        patience = Patience(patience)
    transports: list[Transport] = []
    sock = first_socket or connect_tcp(route, patience.seconds)
    stream: Any = sock
    try:
        patience.queue(TURN)
        with handshakes:
            began = time.monotonic()
            for place, hop in enumerate(route.hops):
                patience.wait_for(TCP)
                if place:
                    stream = _open_tunnel(transports[-1], hop.host, hop.port, time_left(patience, hop), _JUMP)
                transport = Transport(stream)
                transports.append(transport)
                shake_hands(transport, hop, patience)
                log_in(transport, hop, patience, tell)
    except RemoteError as error:
        _give_up(transports, sock)
        raise _explained(error, route, sock) from None
    except BaseException:
        _give_up(transports, sock)
        raise
    if len(transports) == 1:
        # Until now the library's thread has looked ten times a second whether it is to end. `close` wakes it instead.
        sock.settimeout(_IDLE)
    return SshConnection(transports, sock, time.monotonic() - began)


def _give_up(transports: list[Transport], sock: socket.socket) -> None:
    for transport in reversed(transports):
        transport.close()
    sock.close()


def _explained(error: RemoteError, route: Route, sock: socket.socket) -> RemoteError:
    """Adds what else may be the reason: what a ProxyCommand said, and options of ssh_config that were ignored."""
    more = list(route.warnings)
    if isinstance(sock, CommandSocket):
        more.insert(0, f"ProxyCommand {route.hops[0].command} says: {sock.said or 'nothing'}")
    return error.adding("; ".join(more)) if more else error


def _open_tunnel(
    transport: Transport, host: str, port: int, timeout: float, change: str = _FORWARDING
) -> paramiko.Channel:
    where = f"{host}:{port} through SSH"
    transport.why_no_channel = ""
    try:
        return transport.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=timeout)
    except paramiko.ChannelException as error:
        raise _no_channel(where, error, transport.why_no_channel, change) from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        kind = ProblemKind.TIMEOUT if "timeout" in str(error).lower() else ProblemKind.CLOSED
        raise RemoteError(kind, f"{where}: {reason(error)}") from None


def _no_channel(where: str, error: paramiko.ChannelException, said: str, change: str = _FORWARDING) -> RemoteError:
    """Why the server opened no channel. Only a refused connection proves that nothing listens there."""
    if error.code == _PROHIBITED:
        return RemoteError(ProblemKind.NOT_PERMITTED, f"{where}: sshd does not allow it", change=change)
    if error.code == _CONNECT_FAILED and (not said or "refused" in said.lower()):
        return RemoteError(ProblemKind.REFUSED, f"{where}: nothing listens there, the connection is refused")
    return RemoteError(ProblemKind.UNREACHABLE, f"{where}: the host cannot connect there ({said or error.text})")


def feed(channel: paramiko.Channel, stdin: bytes | None, *, to_its_end: bool = True) -> None:
    """Sends the input. If the command ends without reading it, as sudo does when it refuses, its output says why.

    `to_its_end`: nothing is sent after it.
    """
    try:
        if stdin is not None:
            channel.sendall(stdin)
        if to_its_end:
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
    channel: paramiko.Channel, deadline: float, check_alive: Callable[[], None], outlived: float, receive: Any
) -> Iterator[bytes]:
    """The output to its end. Raises TimeoutError at `deadline`, and what `check_alive` raises in a long silence."""
    size, silent = 0, 0.0
    while size < _MAX_OUTPUT:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError  # the command still writes, so it has not ended
        wait = min(left, _PING_AFTER, outlived)
        channel.settimeout(wait)
        try:
            data: bytes = receive(65536)
        except TimeoutError:
            if channel.status_event.is_set() and outlived < math.inf:
                return
            silent += wait
            if silent >= _PING_AFTER and deadline - time.monotonic() > 0:
                check_alive()
                silent = 0.0
            continue
        if not data:
            return
        silent = 0.0
        size += len(data)
        yield data
