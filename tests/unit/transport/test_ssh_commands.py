"""What became of a command, when the channel and the command do not end together."""

from __future__ import annotations

import threading

import pytest

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.ssh import connection as ssh
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


class SilentChannel(Channel):
    """A channel to a command that runs on and prints nothing for so many reads."""

    def __init__(self, silent_reads):
        super().__init__(0, closed=False)
        self.silent_reads = silent_reads
        self._said = [b""]

    def sendall(self, data): ...

    def shutdown_write(self): ...

    def recv(self, size):
        if self.silent_reads:
            self.silent_reads -= 1
            raise TimeoutError
        return b""


class Transport:
    """A connection whose server answers the keepalive, or does not."""

    def __init__(self, *, answers):
        self.answers = answers
        self.asked = 0
        self.end = threading.Event()

    def global_request(self, kind, wait):
        self.asked += 1
        if not self.answers:
            self.end.wait(30)

    def is_active(self):
        return True


def test_a_quiet_command_is_waited_for_as_long_as_its_server_answers():
    transport = Transport(answers=True)
    done = SshConnection([transport], None).finish(SilentChannel(3), None, 60.0)
    assert (done.status, transport.asked) == (0, 3)


def test_a_silent_connection_is_noticed_long_before_the_commands_own_deadline(monkeypatch):
    monkeypatch.setattr(ssh, "_PONG_WITHIN", 0.05)
    transport = Transport(answers=False)
    connection = SshConnection([transport], None)
    with pytest.raises(RemoteError) as caught:
        connection.finish(SilentChannel(3), None, 600.0)
    transport.end.set()
    assert caught.value.problem.kind is ProblemKind.TIMEOUT
    assert not connection.alive, "the next command takes a new connection"


class HeldChannel(SilentChannel):
    """A channel to a command that has ended and left behind a service, which holds the output open."""

    def recv(self, size):
        if self._lines:
            return self._lines.pop(0)
        raise TimeoutError

    def recv_stderr(self, size):
        raise TimeoutError

    def __init__(self):
        super().__init__(0)
        self._lines = [b"started\n"]


def test_a_service_that_holds_the_output_does_not_hold_up_its_start():
    connection = SshConnection([Transport(answers=True)], None)
    done = connection.finish(HeldChannel(), None, 60.0, outlived=0.01)
    assert (done.status, done.out) == (0, b"started\n")
    with pytest.raises(RemoteError):
        connection.finish(HeldChannel(), None, 0.05)
