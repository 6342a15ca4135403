"""A connection to a throw-away server that a program on a node has started, for as long as the connection is used.

The program's input and output are the connection, over one SSH channel. When the channel closes, or this console dies,
the program ends the server and removes its files. It is used by an armed run only.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from console.core.command import ShellCommand
from console.core.inventory import RedisSpec
from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.redis.connection import RedisConnection
from console.transport.ssh.connection import SshConnection
from console.transport.ssh.paramiko_import import paramiko

START_TIMEOUT = 10.0
"""Seconds for the node's shell to take the program."""
CONNECT_TIMEOUT = 10.0
END_TIMEOUT = 10.0
"""Seconds in which the program ends the server and removes its files. It goes on with that if nobody waits."""
_READY = "ready "
_LONGEST_LINE = 4096

Tell = Callable[[str], None]


class NotLoadedError(Exception):
    """No server holds the data. The text says why, in one line."""


@contextlib.contextmanager
def loaded(connection: SshConnection, command: ShellCommand, name: str, tell: Tell) -> Iterator[RedisConnection]:
    """A connection with `exact` to a server that holds the data. After the block the server is gone.

    `command`: from `throw_away_server`. `name`: what holds the data, for errors. `tell` gets what the program is doing,
    again and again while it copies and loads. Raises NotLoadedError, RemoteError.
    """
    program = ShellCommand(command.script, sudo=command.sudo)
    channel = connection.start_script(program.render(), START_TIMEOUT)
    try:
        _wait_until_ready(channel, command.timeout, tell, connection.login_shell().output)
        link = RedisConnection(RedisSpec(), None, f"{name}:0", lambda _: channel, CONNECT_TIMEOUT, exact=True)
        link.connect()
        yield link
    finally:
        _end(channel)


def _wait_until_ready(channel: Any, within: float, tell: Tell, own: Callable[[bytes], bytes]) -> None:
    """Reads the program's lines up to `ready VERSION`. Raises NotLoadedError, RemoteError.

    `own` leaves of an output what the program itself wrote: start files of the login shell write, too.
    """
    deadline, line, last = time.monotonic() + within, b"", ""
    try:
        while not line.startswith(_READY.encode()):
            if line and (said := line.decode(errors="replace").strip()) != last:
                last = said
                tell(said)
            line = _line(channel, deadline, own)
    except TimeoutError:
        raise NotLoadedError(f"it was not loaded within {within:.0f} s") from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise RemoteError(ProblemKind.CLOSED, f"the SSH connection was lost: {error}") from None


def _line(channel: Any, deadline: float, own: Callable[[bytes], bytes]) -> bytes:
    """The next line, byte by byte: what follows the last one belongs to the server's protocol."""
    line = bytearray()
    while not line.endswith(b"\n"):
        channel.settimeout(max(0.001, deadline - time.monotonic()))
        byte = channel.recv(1)
        if not byte or len(line) > _LONGEST_LINE:
            raise NotLoadedError(_why(channel, own))
        line += byte
    return bytes(line)


def _why(channel: Any, own: Callable[[bytes], bytes]) -> str:
    """What the program wrote to its error output before it ended, as one line."""
    said = b""
    with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
        channel.settimeout(END_TIMEOUT)
        while data := channel.recv_stderr(_LONGEST_LINE):
            said += data
    return " ".join(own(said).decode(errors="replace").split())[:600] or "the program on the node ended without a word"


def _end(channel: Any) -> None:
    """Ends the program's input and waits for its end, so that nothing of it is left. Raises nothing."""
    with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
        channel.shutdown_write()
        channel.status_event.wait(END_TIMEOUT)
    channel.close()
