"""The error of every connection that could not be made, was lost, or brought no usable answer."""

from __future__ import annotations

import errno
import socket
from dataclasses import replace

from console.core.model import ConnectStep, Problem, ProblemKind
from console.probes import NotUnderstoodError

_LONGEST = 300


class RemoteError(Exception):
    """Carries the problem: its kind, and one line of text for the screen. The text never holds a secret.

    `change`: what to change, where that is known. The line has it after the cause.
    """

    def __init__(self, kind: ProblemKind, text: str, step: ConnectStep | None = None, *, change: str = "") -> None:
        line = f"{text}: {change}" if change else text
        super().__init__(line)
        self.problem = Problem(kind, line, step, change)

    def adding(self, more: str) -> RemoteError:
        """The same error with more in its line."""
        made = RemoteError(self.problem.kind, f"{self.problem.text} ({more})")
        made.problem = replace(self.problem, text=made.problem.text)
        return made

    def noting(self, more: str) -> RemoteError:
        """The same error with more in its line, unless it says what to change: then its cause is known."""
        return self if self.problem.change else self.adding(more)

    def at(self, step: ConnectStep) -> RemoteError:
        """The same error, as that of this step where it names none itself."""
        made = RemoteError(self.problem.kind, self.problem.text)
        made.problem = replace(self.problem, step=self.problem.step or step)
        return made


def problem_of(error: Exception, where: str) -> Problem:
    """What a look came to that ended with an error. An error that nobody expected is named, in one line.

    Whatever a server sends, and whatever a parser makes of it, is a problem of that one reading.
    """
    if isinstance(error, RemoteError):
        return error.problem
    said = " ".join(str(error).split())
    text = said if isinstance(error, NotUnderstoodError) else f"{type(error).__name__}: {said}"
    return Problem(ProblemKind.BAD_ANSWER, f"{where}: {text}"[:_LONGEST])


def from_socket(error: OSError, where: str) -> RemoteError:
    """Turns an error of the kernel or the resolver about a TCP connection into a problem kind and a text."""
    if isinstance(error, socket.gaierror):
        return RemoteError(ProblemKind.UNREACHABLE, f"{where}: {error.strerror or error}", ConnectStep.NAME)
    if isinstance(error, TimeoutError):
        return RemoteError(ProblemKind.TIMEOUT, f"{where} does not answer the connection request")
    if isinstance(error, ConnectionRefusedError):
        return RemoteError(ProblemKind.REFUSED, f"{where} refuses connections: nothing listens there")
    if isinstance(error, ConnectionError):
        return RemoteError(ProblemKind.CLOSED, f"{where} closed the connection")
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
        return RemoteError(ProblemKind.UNREACHABLE, f"{where} is unreachable: {error.strerror}")
    return RemoteError(ProblemKind.UNREACHABLE, f"{where}: {error.strerror or error}")
