"""What became of a command, when the channel and the command do not end together."""

from __future__ import annotations

import threading

import pytest

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.ssh.connection import SshConnection


class Channel:
    """A channel as the library has it, to a command that ends before it has read its input."""

    def __init__(self, status, *, closed):
        self.closed = closed
        self.exit_status = status
        self.status_event = threading.Event()
        self.status_event.set()
        self._said = [b"sudo: a password is required\n", b""]

    def settimeout(self, timeout):
        self.timeout = timeout

    def sendall(self, data):
        raise OSError("Socket is closed")

    def shutdown_write(self):
        raise AssertionError("nothing is sent any more")

    def recv(self, size):
        return b""

    def recv_stderr(self, size):
        return self._said.pop(0)

    def close(self):
        self.closed = True


def finish(channel):
    return SshConnection([], None).finish(channel, b"content", 5.0)


def test_a_command_that_ends_without_reading_its_input_has_failed_with_its_own_words():
    done = finish(Channel(1, closed=True))
    assert (done.status, done.err) == (1, b"sudo: a password is required\n")


def test_without_an_exit_status_the_outcome_is_not_known():
    assert finish(Channel(-1, closed=True)).status is None


def test_input_that_could_not_be_sent_to_a_command_that_runs_leaves_the_outcome_open():
    with pytest.raises(RemoteError) as caught:
        finish(Channel(-1, closed=False))
    assert caught.value.problem.kind is ProblemKind.CLOSED
