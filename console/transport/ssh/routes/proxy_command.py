"""A ProxyCommand: a program of the operator's machine whose input and output are the connection to the first host."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError

_KEPT = 400
"""Bytes of what the command wrote to stderr, the last ones."""
_END_WITHIN = 1.0


class CommandSocket(socket.socket):
    """Our end of a socket pair. The command has the other end as its input and output, and ends with ours."""

    def __init__(self, command: str) -> None:
        ours, its = socket.socketpair()
        super().__init__(fileno=ours.detach())
        self._said = b""
        with its:
            try:
                # A session of its own: the command must not write on the screen, or read its keys.
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", f"exec {command}"],
                    stdin=its.fileno(),
                    stdout=its.fileno(),
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                    bufsize=0,
                )
            except (OSError, ValueError) as error:
                super().close()
                raise RemoteError(ProblemKind.UNREACHABLE, f"ProxyCommand cannot be started: {error}") from None
        self._listener = threading.Thread(target=self._listen, name="ProxyCommand", daemon=True)
        self._listener.start()

    @property
    def said(self) -> str:
        """What the command wrote to stderr, in one line. It is waited for if the command has ended."""
        self._listener.join(_END_WITHIN)
        return " ".join(self._said.decode("utf-8", errors="replace").split())

    def close(self) -> None:
        """Ends the command."""
        if self._process.poll() is None:
            self._process.terminate()
        super().close()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(Exception), self._process.stderr as stderr:
            while data := stderr.read(4096):
                self._said = (self._said + data)[-_KEPT:]
        self._process.wait()
