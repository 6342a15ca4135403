"""What a Redis says on a new connection before anything is asked: why it lets nobody in."""

from __future__ import annotations

import socket
import threading

import pytest

from console.core.command import Secret
from console.core.inventory import RedisSpec
from console.transport.redis import connection as redis


def link(port, password=None):
    dial = redis.direct("127.0.0.1", port, None)
    return redis.RedisConnection(RedisSpec(), password, f"127.0.0.1:{port}", dial, 2.0)


class Greeting:
    """A server that says something to each new connection and closes it, or says nothing and keeps it open."""

    def __init__(self, said):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.kept = []
        threading.Thread(target=self.serve, args=(said,), daemon=True).start()

    def serve(self, said):
        connection, _ = self.listener.accept()
        connection.sendall(said)
        if said:
            connection.close()
        else:
            self.kept.append(connection)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (b"-ERR max number of clients reached\r\n", "max number of clients reached"),
        (b"-DENIED Redis is in protected mode. What follows is a page\r\n", "DENIED Redis is in protected mode"),
        (b"-ERR wrong pass123\r\n", "wrong ••••"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ""),
        (b"", ""),
    ],
)  # fmt: skip
def test_what_a_server_says_before_anything_is_asked(said, heard):
    assert link(Greeting(said).port, Secret("pass123")).unasked() == heard


def test_where_nothing_listens_nothing_is_said():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert link(port).unasked() == ""
