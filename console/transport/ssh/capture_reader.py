"""Reads the files of a capture over a node's SSH connection. It sends one program, which only reads."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from console.core.drills.capture import HostFacts
from console.core.model import ProblemKind
from console.probes import NotUnderstoodError
from console.probes.capture import host_files
from console.transport.connections.errors import RemoteError
from console.transport.ssh.connection import SshConnection

_TIMEOUT = 30.0


def read_files(connection: SshConnection, paths: Sequence[str], *, sudo: bool) -> HostFacts:
    """The host's facts and these files, as root where the inventory says so. Raises RemoteError."""
    nonce = secrets.token_hex(8)
    shell = "exec env LC_ALL=C sudo -n sh" if sudo else "exec sh"
    done = connection.run(shell, host_files.program_text(paths, nonce).encode(), _TIMEOUT)
    try:
        return host_files.parse(done.out, nonce)
    except NotUnderstoodError as error:
        raise RemoteError(ProblemKind.BAD_ANSWER, str(error)) from None
