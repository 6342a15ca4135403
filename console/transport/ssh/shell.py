"""The node's side of a poll: a long-lived sh loop on one channel, or one exec a poll where that cannot run."""

from __future__ import annotations

import secrets
import shlex
import time

from console.core.model import ProblemKind
from console.probes import program
from console.probes.program import ProgramSettings, Section
from console.transport.connecting.failure import LinkError
from console.transport.ssh.connection import SshConnection
from console.transport.ssh.paramiko_import import paramiko

_MOST_BYTES = 4 * 1024 * 1024
_OPEN_TIMEOUT = 5.0


class ShellReader:
    """Asks a node's shell for batches of readings. It can send nothing but the probes' program and its requests."""

    def __init__(self, connection: SshConnection, watched: ProgramSettings, *, sudo: bool) -> None:
        self._connection = connection
        self._watched = watched
        self._sudo = sudo
        self._nonce = secrets.token_hex(8)
        self._channel: paramiko.Channel | None = None
        self._buffer = b""
        self._answered = False
        self._once = False

    def ask(self, request: str) -> None:
        """Sends one request and does not wait. Raises LinkError."""
        self._buffer = b""
        try:
            if self._once:
                self._start(f"sh -c {shlex.quote(self._program(request, once=True))}", b"")
            elif self._channel is None:
                self._start("exec sudo -n sh" if self._sudo else "exec sh", self._program(request).encode())
            else:
                self._connection.acknowledge_quickly()
                self._channel.sendall(request.encode() + b"\n")
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise LinkError(ProblemKind.CLOSED, f"the SSH connection was lost: {error}") from None

    def collect(self, seq: int, deadline: float) -> dict[str, Section] | None:
        """The batch that answers request `seq`; None while it has not come by `deadline` (monotonic)."""
        end = program.end_marker(self._nonce, seq)
        while not self._buffer.endswith(end):
            if self._channel is None:
                raise LinkError(ProblemKind.CLOSED, "the SSH session ended")
            try:
                self._channel.settimeout(max(0.0, deadline - time.monotonic()))
                data = self._channel.recv(65536)
            except TimeoutError:
                return None
            except (paramiko.SSHException, EOFError, OSError) as error:
                raise LinkError(ProblemKind.CLOSED, f"the SSH connection was lost: {error}") from None
            if not data:
                return self._ended(seq)
            self._buffer += data
            if len(self._buffer) > _MOST_BYTES:
                self.close()
                raise LinkError(ProblemKind.BAD_ANSWER, "the node's shell answers without end")
        self._answered = True
        found = program.split_sections(self._buffer, self._nonce, seq)
        if self._once:
            self.close()
        return found

    @property
    def begun(self) -> bool:
        """Whether a part of the batch has come that is awaited."""
        return bool(self._buffer)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _program(self, request: str, *, once: bool = False) -> str:
        return program.program_text(self._watched, self._nonce, request, once=once)

    def _start(self, command: str, stdin: bytes) -> None:
        self.close()
        prefix = "sudo -n " if self._sudo and self._once else ""
        self._channel = self._connection.start(prefix + command, _OPEN_TIMEOUT)
        if stdin:
            self._channel.sendall(stdin)

    def _ended(self, seq: int) -> dict[str, Section] | None:
        """The shell went away: for good, or because it lets no loop run."""
        assert self._channel is not None
        self._channel.settimeout(1.0)
        said = self._said()
        self.close()
        if "sudo:" in said:
            text = f"sudo -n refuses: {said}; allow it without a password, or take ssh.sudo out of the inventory"
            raise LinkError(ProblemKind.NOT_PERMITTED, text)
        if self._answered:
            raise LinkError(ProblemKind.CLOSED, "the shell on the node ended")
        if self._once:
            raise LinkError(ProblemKind.NOT_PERMITTED, f"the login shell does not run sh: {said or 'it said nothing'}")
        self._once = True
        self.ask(program.request_line(seq, program.FULL))
        return None

    def _said(self) -> str:
        assert self._channel is not None
        try:
            text = self._channel.recv_stderr(2048).decode("utf-8", errors="replace")
        except (paramiko.SSHException, EOFError, OSError):
            return ""
        return " ".join(text.split())[:200]
