"""How long a node is waited for: by what it has passed, and not by what the machine does besides."""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from dataclasses import replace

import fakes
import pytest

from console.cli.status.progress import progress_text
from console.core.inventory import SshSpec
from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.connections.patience import SHORTEST, Pace, Patience, patiently
from console.transport.ssh.host_inspector import HostInspector
from console.transport.ssh.shells.request import RedisFiles

NODE = fakes.CLUSTER.nodes[0]
BANNER = b"SSH-2.0-OpenSSH_9.2\r\n"
A_WHILE = 0.4
FOR_EVER = 60.0


@contextlib.contextmanager
def server(says: bytes = b""):
    """Accepts every connection, says this, and then nothing. Yields its port."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection = listening.accept()[0]
                    connection.sendall(says)
                    held.append(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
    for one in held:
        one.close()


def look(port: int, tmp_path, handshakes=None, pace=None) -> HostInspector:
    ssh = SshSpec(user="ops", port=port, known_hosts=str(tmp_path / "known"), config_file="/dev/null")
    node = replace(NODE, address="127.0.0.1", ssh=ssh)
    pace = pace or Pace(A_WHILE)
    return HostInspector(
        node, "10.0.0.9", time.time, handshakes or threading.Semaphore(4), lambda: RedisFiles("", ""), pace=pace
    )


@pytest.mark.parametrize(("says", "step"), [(b"", "banner"), (BANNER, "keys")])
def test_a_server_that_hangs_is_given_up_with_the_step_that_it_hangs_in(tmp_path, says, step):
    with server(says) as port, contextlib.closing(look(port, tmp_path)) as host:
        host.start_connecting(force=True)
        assert not host.finish_connecting(time.monotonic() + FOR_EVER)
        problem = host.readings.identity.problem
        assert problem.kind is ProblemKind.TIMEOUT
        assert f"(it got no further than: {step})" in problem.text
        assert not host.waits_for


def test_no_time_passes_while_a_node_waits_for_its_turn(tmp_path):
    turns = threading.Semaphore(0)
    with server() as port, contextlib.closing(look(port, tmp_path, turns)) as host:
        host.start_connecting(force=True)
        assert not host.finish_connecting(time.monotonic() + 4 * A_WHILE)
        assert host.readings.identity.problem.kind is ProblemKind.CONNECTING
        assert host.waits_for == "its turn"
        turns.release()
        assert not host.finish_connecting(time.monotonic() + FOR_EVER)
        assert "banner" in host.readings.identity.problem.text


def test_each_step_that_is_passed_gives_the_whole_time_again():
    patience = Patience(10.0, "name")
    first = patience.deadline
    patience.wait_for("TCP", 1.0)
    assert patience.deadline < first
    patience.queue("its turn")
    assert patience.deadline == math.inf
    patience.wait_for("banner")
    assert patience.deadline >= first
    patience.extend(1.0)
    assert patience.left > 9.0
    assert Patience(0.0).left == 0.0


def test_a_server_beside_quick_hosts_is_given_up_soon_and_beside_slow_ones_later():
    pace = Pace(15.0)
    assert pace.patience == SHORTEST
    pace.begin()
    pace.begin()
    assert pace.patience == 15.0
    pace.end(0.2)
    pace.end(None)
    assert pace.patience == SHORTEST
    pace.begin()
    pace.end(3.0)
    assert pace.patience == 12.0
    pace.begin()
    assert pace.seen == SHORTEST, "what was slow once is not slow for ever"


def test_silence_is_asked_again_with_more_time_as_long_as_the_hosts_are_slow():
    tried = []

    def attempt(timeout):
        tried.append(timeout)
        if len(tried) == 3:
            return "an answer"
        raise RemoteError(ProblemKind.TIMEOUT, "silent")

    pace = Pace(100.0)
    pace.begin()
    assert patiently(attempt, 1.0, pace) == "an answer"
    assert tried == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("kind", [kind for kind in ProblemKind if kind is not ProblemKind.TIMEOUT])
def test_only_silence_is_asked_again(kind):
    tried = []

    def attempt(timeout):
        tried.append(timeout)
        raise RemoteError(kind, "no")

    pace = Pace(100.0)
    pace.begin()
    with pytest.raises(RemoteError):
        patiently(attempt, 1.0, pace)
    assert len(tried) == 1


def test_the_line_of_progress_counts_and_names_what_is_missing():
    assert progress_text([("a", ""), ("b", "")]) == "2 of 2 answered"
    assert progress_text([("a", ""), ("b", "login")]) == "1 of 2 answered, waiting for b (login)"
    many = progress_text([(f"n{number}", "banner") for number in range(20)])
    assert many == "0 of 20 answered, waiting for n0 (banner), n1 (banner), n2 (banner) and 17 more"
