"""Reads batches from a node's shell: one long-lived sh loop on a channel, or one exec for each poll."""

from __future__ import annotations

import secrets
import shlex
import time

from console.core.model import ProblemKind
from console.probes import framing, program
from console.probes.framing import ProgramSettings, Section
from console.transport.connections.errors import RemoteError
from console.transport.ssh.connection import SshConnection, feed
from console.transport.ssh.paramiko_import import paramiko
from console.transport.ssh.shells import shell_failures
from console.transport.ssh.shells.login_shell import FOR_QUESTIONS, in_any_shell, one_line

_MAX_BYTES = 4 * 1024 * 1024
_MAX_SAID = 16_384
_OPEN_TIMEOUT = 5.0


class ShellReader:
    """Asks a node's shell for batches of readings. It sends only the probes' program and its requests."""

    def __init__(self, connection: SshConnection, watched: ProgramSettings, *, sudo: bool) -> None:
        self._connection = connection
        self._watched = watched
        self._sudo = sudo
        self._nonce = secrets.token_hex(8)
        self._channel: paramiko.Channel | None = None
        self._buffer = b""
        self._answered = False
        self._request = ""
        self._one_exec_a_poll = False
        self._open_timeout = _OPEN_TIMEOUT

    def ask(self, request: str, open_timeout: float = _OPEN_TIMEOUT) -> None:
        """Sends one request and does not wait for the answer. Raises RemoteError.

        `open_timeout`: seconds that the server may take to start the shell, where there is none yet.
        """
        self._open_timeout = open_timeout
        self._buffer = b""
        self._request = request
        try:
            if self._one_exec_a_poll:
                self._start(in_any_shell(f"exec {self._sh} -c {shlex.quote(self._program(request, once=True))}"), b"")
            elif self._channel is None:
                self._start(f"exec {self._sh}", FOR_QUESTIONS + self._program(request).encode())
            else:
                self._connection.acknowledge_quickly()
                self._channel.sendall(request.encode() + b"\n")
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise RemoteError(ProblemKind.CLOSED, f"the SSH connection was lost: {error}") from None

    def receive(self, seq: int, deadline: float) -> dict[str, Section] | None:
        """The batch that answers request `seq`. None: it has not come by `deadline` (monotonic)."""
        end = framing.end_marker(self._nonce, seq)
        while not self._buffer.endswith(end):
            if self._channel is None:
                raise RemoteError(ProblemKind.CLOSED, "the SSH session ended")
            try:
                self._channel.settimeout(max(0.0, deadline - time.monotonic()))
                data = self._channel.recv(65536)
            except TimeoutError:
                return None
            except (paramiko.SSHException, EOFError, OSError) as error:
                raise RemoteError(ProblemKind.CLOSED, f"the SSH connection was lost: {error}") from None
            if not data:
                return self._shell_ended()
            self._buffer += data
            if len(self._buffer) > _MAX_BYTES:
                self.close()
                raise RemoteError(
                    ProblemKind.BAD_ANSWER,
                    f"the answer of the node's shell does not end: {_MAX_BYTES:,} bytes are read",
                )
        self._answered = True
        found = framing.split_sections(self._buffer, self._nonce, seq)
        if self._one_exec_a_poll:
            self.close()
        return found

    @property
    def begun(self) -> bool:
        """Whether a part of the awaited batch has come. What start files print is none."""
        return self.parts > 0

    @property
    def parts(self) -> int:
        """How many parts of the awaited batch have begun to come. There are few, so they cannot come for ever."""
        return self._buffer.count(f"@{self._nonce} ".encode())

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _program(self, request: str, *, once: bool = False) -> str:
        return program.program_text(self._watched, self._nonce, request, once=once)

    @property
    def _sh(self) -> str:
        """sh, as root where the inventory says so. sudo is to say in English why it refuses."""
        return "env LC_ALL=C sudo -n sh" if self._sudo else "sh"

    def _start(self, command: str, stdin: bytes) -> None:
        self.close()
        self._channel = self._connection.start(command, self._open_timeout)
        feed(self._channel, stdin, to_its_end=not stdin)

    def start_anew(self) -> None:
        """Asks the same again without an input, in which nobody waits for an answer. Raises RemoteError.

        For a shell that does not answer its first request. It is asked so from then on.
        """
        if self._answered or self._one_exec_a_poll:
            raise shell_failures.endless(self._connection.user)
        self._one_exec_a_poll = True
        self.ask(self._request, self._open_timeout)

    def _shell_ended(self) -> dict[str, Section] | None:
        """The shell has ended. If it never answered, it may not run a loop: then one exec for each poll is tried."""
        assert self._channel is not None
        said = self._said()
        self.close()
        if self._answered:
            raise RemoteError(ProblemKind.CLOSED, "the shell on the node ended")
        if self._one_exec_a_poll or (self._sudo and shell_failures.is_sudos(said)):
            raise shell_failures.explain(self._connection.user, said, sudo=self._sudo)
        self.start_anew()
        return None

    def _said(self) -> str:
        """What came instead of an answer, in one line: errors last."""
        assert self._channel is not None
        errors = b""
        try:
            self._channel.settimeout(1.0)
            while len(errors) < _MAX_SAID and (data := self._channel.recv_stderr(2048)):
                errors += data
        except (paramiko.SSHException, EOFError, OSError):
            pass
        return f"{one_line(self._buffer)} {one_line(errors)}".strip()
