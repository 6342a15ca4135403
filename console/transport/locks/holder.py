"""Starts, asks and ends the process that holds the run's lock on one node, over an SSH channel."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from console.core.inventory import NodeSpec
from console.core.model import ProblemKind, RunLock
from console.core.runs.lock import NotLockableError, parse_note
from console.transport.connections.errors import RemoteError
from console.transport.locks import shell_programs as program
from console.transport.ssh.connection import SshConnection
from console.transport.ssh.paramiko_import import paramiko
from console.transport.ssh.shells.login_shell import FOR_QUESTIONS

START_TIMEOUT = 8.0
"""Seconds for the holder to start and to report whether it has the lock."""
_MAX_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Busy:
    """Another console has the lock."""

    holder: RunLock | None
    """From the holder's note. None: the note cannot be read."""


class Holder:
    """A process on the node that has the lock. It writes only when it is asked."""

    def __init__(
        self, connection: SshConnection, channel: _ProgramChannel, pid: int, start: str, *, replaced: bool
    ) -> None:
        self.connection = connection
        self.pid, self.start = pid, start
        self.replaced = replaced
        """It took the place of a holder of the same run that still lived: between the two, nobody had the lock."""
        self._program = channel
        self._number = 0

    def ask(self, step: str) -> None:
        """Asks whether it is alive. `answered` reads the answer. Raises RemoteError."""
        self._number += 1
        self._program.send(f"{self._number} {step}\n".encode())

    def answered(self, deadline: float) -> bool:
        """Whether it answers the last question by `deadline` (monotonic). Raises RemoteError if it has ended."""
        while (line := self._program.next_line(deadline)) is not None:
            word, _, rest = line.partition(" ")
            if word == "trouble":
                raise RemoteError(ProblemKind.CLOSED, rest)
            if (word, rest) == ("ok", str(self._number)):
                return True
        return False

    def close(self, within: float = 2.0) -> None:
        """Ends the holder, waits until it has ended so that the node is free, and closes the connection."""
        self._program.end_input(within)
        self.connection.close()


def acquire(
    connection: SshConnection, node: NodeSpec, claim: RunLock, lease: float, *, replacing: bool = False
) -> Holder | Busy:
    """Starts a holder. `replacing`: it ends a living holder of the same console first.

    Raises RemoteError, NotLockableError. The connection stays open after an error, and after Busy.
    """
    nonce = secrets.token_hex(8)
    channel = _start(connection, node, claim.run_id, nonce, program.hold(nonce, claim, lease, replacing=replacing))
    word, _, rest = channel.wait_for_line(START_TIMEOUT).partition(" ")
    match word, rest.split():
        case "held", [pid, start, before]:
            return Holder(connection, channel, int(pid), start, replaced=before != "none")
        case "busy", []:
            channel.end_input(0.0)
            try:
                return Busy(parse_note("\n".join(channel.notes)))
            except ValueError:
                return Busy(None)
        case _:
            channel.end_input(0.0)
            raise NotLockableError(f"{node.name}: {rest or word}")


def current_holder(connection: SshConnection, node: NodeSpec) -> RunLock | None:
    """The run that has the lock of the node, from the note of a living holder. Raises RemoteError, NotLockableError."""
    nonce = secrets.token_hex(8)
    channel = _start(connection, node, "who", nonce, program.who(nonce))
    channel.wait_for_line(START_TIMEOUT)
    channel.end_input(0.0)
    try:
        return parse_note("\n".join(channel.notes))
    except ValueError:
        return None


def end_holder(connection: SshConnection, node: NodeSpec, holder: RunLock) -> None:
    """Ends another console's holder, if that process still is one. Raises RemoteError, NotLockableError."""
    nonce = secrets.token_hex(8)
    channel = _start(connection, node, "end", nonce, program.end(nonce, holder))
    word, _, rest = channel.wait_for_line(START_TIMEOUT).partition(" ")
    channel.end_input(0.0)
    if word != "ended":
        raise NotLockableError(f"{node.name}: {rest or word}")


class _ProgramChannel:
    """Lines to and from a program on the node. The nonce marks the program's own lines; others belong to a note."""

    def __init__(self, channel: paramiko.Channel, nonce: str) -> None:
        self.notes: list[str] = []
        self._channel = channel
        self._mark = f"@{nonce} "
        self._buffer = b""

    def send(self, data: bytes) -> None:
        try:
            self._channel.settimeout(START_TIMEOUT)
            self._channel.sendall(data)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise RemoteError(ProblemKind.CLOSED, f"its lock holder has ended: {error}") from None

    def next_line(self, deadline: float) -> str | None:
        """The next marked line, without its mark; None at `deadline`. Raises RemoteError if the program has ended."""
        while True:
            while b"\n" in self._buffer:
                raw, _, self._buffer = self._buffer.partition(b"\n")
                text = raw.decode("utf-8", errors="replace")
                if text.startswith(self._mark):
                    return text.removeprefix(self._mark)
                self.notes.append(text)
            try:
                self._channel.settimeout(max(0.0, deadline - time.monotonic()))
                data = self._channel.recv(4096)
            except TimeoutError:
                return None
            except (paramiko.SSHException, EOFError, OSError) as error:
                raise RemoteError(ProblemKind.CLOSED, f"the SSH connection was lost: {error}") from None
            if not data:
                raise RemoteError(ProblemKind.CLOSED, self._why_it_ended())
            self._buffer += data
            if len(self._buffer) > _MAX_BYTES:
                raise RemoteError(ProblemKind.BAD_ANSWER, "the answer of its lock holder does not end")

    def wait_for_line(self, within: float) -> str:
        """The next marked line. Raises RemoteError, also if none comes within so many seconds."""
        if (line := self.next_line(time.monotonic() + within)) is None:
            raise RemoteError(ProblemKind.TIMEOUT, f"the shell did not answer within {within:.0f} s")
        return line

    def end_input(self, within: float) -> None:
        """Ends the program's input, which ends the program. Raises nothing."""
        try:
            self._channel.shutdown_write()
            deadline = time.monotonic() + within
            while within and self.next_line(deadline) is not None:
                pass
        except (RemoteError, paramiko.SSHException, EOFError, OSError):
            pass
        self._channel.close()

    def _why_it_ended(self) -> str:
        """Why the program has ended: what sudo or the login shell wrote to stderr, if anything."""
        try:
            self._channel.settimeout(1.0)
            said = " ".join(self._channel.recv_stderr(2048).decode("utf-8", errors="replace").split())[:200]
        except (paramiko.SSHException, EOFError, OSError):
            said = ""
        return f"its lock holder has ended{': ' if said else ''}{said}"


def _start(connection: SshConnection, node: NodeSpec, name: str, nonce: str, text: str) -> _ProgramChannel:
    channel = _ProgramChannel(connection.start(program.command(name, sudo=node.ssh.sudo), START_TIMEOUT), nonce)
    channel.send(FOR_QUESTIONS + text.encode())
    return channel
