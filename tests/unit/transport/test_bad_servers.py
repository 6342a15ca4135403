"""Servers that are none: whatever comes instead of an answer, a look at it ends in time, in one line that says so."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from console.core.command import Identity, Planned, RedisCommand, Secret
from console.core.inventory import ClusterSpec, KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.core.model import ProblemKind
from console.core.runs.answer import AnswerKind
from console.transport import actuator
from console.transport.connections import patience
from console.transport.connections.errors import RemoteError
from console.transport.redis import bounded_stream
from console.transport.redis import connection as redis
from console.transport.redis.inspector import RedisInspector

WAIT = 0.4
GARBAGE = {
    "text": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "bytes": bytes(range(256)) * 4 + b"\r\n",
    "number that is none": b":x\r\n",
    "length that is none": b"$x\r\n",
    "length below zero": b"$-7\r\n",
    "length without an end": b"$" + b"9" * 5000 + b"\r\n",
    "length beyond any machine": b"$99999999999999999999\r\n",
    "count that is none": b"*x\r\n",
    "nested without an end": b"*1\r\n" * 5000,
    "another protocol's type": b"%1\r\n+a\r\n+b\r\n",
}


class BadServer:
    """Says one thing to whoever connects, once or again and again, and listens to nothing."""

    def __init__(self, says: bytes, *, every: float | None = None) -> None:
        self.says, self.every = says, every
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.end = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.sendall(self.says)
            while self.every is not None and not self.end.wait(self.every or 0):
                connection.sendall(self.says)
            self.end.wait(30)

    def close(self) -> None:
        self.end.set()
        with contextlib.suppress(OSError):  # wakes the thread that waits in accept: closing alone does not
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def bad():
    made = []

    def serve(says, **more):
        made.append(BadServer(says, **more))
        return made[-1]

    yield serve
    for one in made:
        one.close()


def link_to(server, password=None):
    dial = redis.direct("127.0.0.1", server.port, None)
    return redis.RedisConnection(RedisSpec(), password, f"127.0.0.1:{server.port}", dial, WAIT)


@pytest.mark.parametrize("says", GARBAGE.values(), ids=GARBAGE.keys())
@pytest.mark.parametrize("password", [None, Secret("hunter2")], ids=["no login", "login"])
def test_garbage_is_said_to_be_garbage(bad, says, password):
    """Or to be a part of an answer, where it may be the beginning of one."""
    server = bad(says)
    link = link_to(server, password)
    problem = None
    with contextlib.closing(link):
        try:
            link.connect()
            link.send((redis.Question.INFO,))
            assert link.receive(time.monotonic() + WAIT) is None
            assert link.begun
        except RemoteError as error:
            problem = error.problem
    if problem is not None:
        assert f"127.0.0.1:{server.port}" in problem.text
        assert len(problem.text) < 400
        assert problem.kind is ProblemKind.BAD_ANSWER or "only in part" in problem.text, problem


@pytest.mark.parametrize(
    ("says", "every"),
    [(b"x" * 65536, 0.0), (b"+x", 0.01), (b"*1\r\n", 0.0), (b"$4000\r\n" + b"y", 0.01)],
    ids=["a flood", "drops", "a flood of beginnings", "a long answer in drops"],
)
def test_what_never_ends_is_left_in_time(bad, says, every):
    link = link_to(bad(says, every=every))
    with contextlib.closing(link):
        link.connect()
        link.send((redis.Question.INFO,))
        began = time.monotonic()
        problem = None
        try:
            replies = link.receive(began + WAIT)
        except RemoteError as error:
            problem, replies = error.problem, None
        took = time.monotonic() - began
    assert replies is None
    assert problem is None or problem.kind is ProblemKind.BAD_ANSWER
    assert took < (WAIT + bounded_stream.GRACE) * 3, took


@pytest.mark.parametrize(
    "says", [*GARBAGE.values(), b"$10\r\nhalf", b""], ids=[*GARBAGE.keys(), "half an answer", "nothing"]
)
def test_an_inspector_turns_it_into_a_reading(bad, says, monkeypatch):
    monkeypatch.setattr(patience, "SHORTEST", WAIT)
    server = bad(says)
    node = NodeSpec("redis-a", "127.0.0.1", SshSpec(), RedisSpec(port=server.port), KeepalivedSpec())
    inspector = RedisInspector(node, None, time.time, lambda *_: None, WAIT)
    try:
        for _ in range(3):
            inspector.start_connecting(force=True)
            inspector.finish_connecting(time.monotonic() + 10 * WAIT)
            inspector.ask(full=True)
            inspector.receive(time.monotonic() + WAIT)
            assert inspector.reading.value is None
            assert inspector.reading.problem.kind in (ProblemKind.BAD_ANSWER, ProblemKind.TIMEOUT), (
                inspector.reading.problem
            )
    finally:
        inspector.close()


@pytest.mark.parametrize("says", GARBAGE.values(), ids=GARBAGE.keys())
def test_nothing_is_sent_to_who_does_not_say_who_it_is(bad, says, monkeypatch):
    """The command never left: that is known, and is not called unknown (H07, H27)."""
    monkeypatch.setattr(actuator, "_IDENTITY_TIMEOUT", WAIT)
    node = NodeSpec("redis-a", "127.0.0.1", SshSpec(), RedisSpec(port=bad(says).port), KeepalivedSpec())
    cluster = ClusterSpec("cache", "keepalived", "192.168.100.123", (node,))
    sender = actuator.ClusterActuator(cluster, {})
    answer = sender.send(Planned("redis-a", RedisCommand(("SET", "k", "1")), "a test"), Identity(run_id="known"))
    assert answer.kind is AnswerKind.NOT_SENT, answer
