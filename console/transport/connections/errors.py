"""A connection that could not be made, or was lost: one kind, one line."""

from __future__ import annotations

import errno

from console.core.model import Problem, ProblemKind


class RemoteError(Exception):
    """Carries the problem as it is shown. Never holds a secret."""

    def __init__(self, kind: ProblemKind, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(kind, text)


def from_socket(error: OSError, where: str) -> RemoteError:
    """What the kernel or the resolver said about a TCP connection, in the words of the problem kinds."""
    if isinstance(error, TimeoutError):
        return RemoteError(ProblemKind.TIMEOUT, f"{where} does not answer the connection request")
    if isinstance(error, ConnectionRefusedError):
        return RemoteError(ProblemKind.REFUSED, f"{where} refuses connections: nothing listens there")
    if isinstance(error, ConnectionError):
        return RemoteError(ProblemKind.CLOSED, f"{where} closed the connection")
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
        return RemoteError(ProblemKind.UNREACHABLE, f"{where} is unreachable: {error.strerror}")
    return RemoteError(ProblemKind.UNREACHABLE, f"{where}: {error.strerror or error}")
