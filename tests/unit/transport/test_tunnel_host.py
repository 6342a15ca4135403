"""The login to a host that has only a Sentinel: made when it is wanted, kept, and made anew once it was lost."""

from __future__ import annotations

import threading

import pytest

from console.core.inventory import SshSpec
from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.ssh import connection as ssh
from console.transport.ssh.tunnel_host import TunnelHost


class Login:
    def __init__(self):
        self.alive, self.closed = True, False

    def open_tunnel(self, host, port, timeout):
        return (self, host, port, timeout)

    def close(self):
        self.closed = True


@pytest.fixture
def made(monkeypatch, tmp_path):
    logins = []

    def connect(route, _timeout, _handshakes):
        assert route.hops[-1].host == "10.9.9.9"
        logins.append(Login())
        return logins[-1]

    monkeypatch.setattr(ssh, "connect", connect)
    monkeypatch.setenv("HOME", str(tmp_path))
    return logins


@pytest.fixture
def host():
    return TunnelHost(SshSpec(user="ops"), "10.9.9.9", threading.Semaphore(1))


def test_one_login_serves_many_channels(made, host):
    assert made == []
    assert host.open_tunnel("127.0.0.1", 26379, 2.0) == (made[0], "127.0.0.1", 26379, 2.0)
    host.open_tunnel("127.0.0.1", 26379, 2.0)
    assert len(made) == 1
    made[0].alive = False
    assert host.open_tunnel("127.0.0.1", 26379, 2.0)[0] is made[1]
    assert made[0].closed


def test_it_ends_with_the_inspector(made, host):
    host.open_tunnel("127.0.0.1", 26379, 2.0)
    host.close()
    assert made[0].closed
    with pytest.raises(RemoteError):
        host.open_tunnel("127.0.0.1", 26379, 2.0)
    assert len(made) == 1


def test_a_refused_login_is_named_as_one(monkeypatch, made, host):
    def refuse(*_):
        raise RemoteError(ProblemKind.AUTH_FAILED, "ops@10.9.9.9 refuses the key")

    monkeypatch.setattr(ssh, "connect", refuse)
    with pytest.raises(RemoteError) as caught:
        host.open_tunnel("127.0.0.1", 26379, 2.0)
    assert caught.value.problem.kind is ProblemKind.AUTH_FAILED
    assert str(caught.value) == "through SSH: ops@10.9.9.9 refuses the key"
