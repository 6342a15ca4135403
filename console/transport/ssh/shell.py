"""Reads batches from a node's shell: one long-lived sh loop on a channel, or one exec for each poll."""

from __future__ import annotations

import secrets
import shlex
import time

from console.core.model import ProblemKind
from console.probes import program
from console.probes.program import ProgramSettings, Section
from console.transport.connections.errors import RemoteError
from console.transport.ssh.connection import SshConnection
from console.transport.ssh.paramiko_import import paramiko

_MAX_BYTES = 4 * 1024 * 1024
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
        self._one_exec_a_poll = False

    def ask(self, request: str) -> None:
        """Sends one request and does not wait. Raises RemoteError."""
        self._buffer = b""
        try:
            if self._one_exec_a_poll:
                self._start(f"sh -c {shlex.quote(self._program(request, once=True))}", b"")
            elif self._channel is None:
                self._start("exec sudo -n sh" if self._sudo else "exec sh", self._program(request).encode())
            else:
                self._connection.acknowledge_quickly()
                self._channel.sendall(request.encode() + b"\n")
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise RemoteError(ProblemKind.CLOSED, f"the SSH connection was lost: {error}") from None

    def receive(self, seq: int, deadline: float) -> dict[str, Section] | None:
        """The batch that answers request `seq`. None: it has not come by `deadline` (monotonic)."""
        end = program.end_marker(self._nonce, seq)
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
                return self._shell_ended(seq)
            self._buffer += data
            if len(self._buffer) > _MAX_BYTES:
                self.close()
                raise RemoteError(
                    ProblemKind.BAD_ANSWER,
                    f"the answer of the node's shell does not end: {_MAX_BYTES:,} bytes are read",
                )
        self._answered = True
        found = program.split_sections(self._buffer, self._nonce, seq)
        if self._one_exec_a_poll:
            self.close()
        return found

    @property
    def begun(self) -> bool:
        """Whether a part of the awaited batch has come."""
        return bool(self._buffer)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _program(self, request: str, *, once: bool = False) -> str:
        return program.program_text(self._watched, self._nonce, request, once=once)

    def _start(self, command: str, stdin: bytes) -> None:
        self.close()
        prefix = "sudo -n " if self._sudo and self._one_exec_a_poll else ""
        self._channel = self._connection.start(prefix + command, _OPEN_TIMEOUT)
        if stdin:
            self._channel.sendall(stdin)

    def _shell_ended(self, seq: int) -> dict[str, Section] | None:
        """The shell has ended. If it never answered, it may not run a loop: then one exec for each poll is tried."""
        assert self._channel is not None
        self._channel.settimeout(1.0)
        stderr = self._stderr_text()
        self.close()
        if "sudo:" in stderr:
            text = f"sudo -n refuses: {stderr}; allow it without a password, or take ssh.sudo out of the inventory"
            raise RemoteError(ProblemKind.NOT_PERMITTED, text)
        if self._answered:
            raise RemoteError(ProblemKind.CLOSED, "the shell on the node ended")
        if self._one_exec_a_poll:
            raise RemoteError(
                ProblemKind.NOT_PERMITTED, f"the login shell does not run sh: {stderr or 'it said nothing'}"
            )
        self._one_exec_a_poll = True
        self.ask(program.request_line(seq, program.FULL))
        return None

    def _stderr_text(self) -> str:
        assert self._channel is not None
        try:
            text = self._channel.recv_stderr(2048).decode("utf-8", errors="replace")
        except (paramiko.SSHException, EOFError, OSError):
            return ""
        return " ".join(text.split())[:200]
