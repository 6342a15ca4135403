"""ssh_config and known_hosts with anything in them, and users without a home folder or a name."""

from __future__ import annotations

import getpass
import os
import random

import pytest
from hostile import changed

from console.core.inventory import SshSpec
from console.documents.home import expand_home
from console.transport.connections.errors import RemoteError
from console.transport.ssh.known_hosts import KnownHosts, Trust
from console.transport.ssh.route import resolve

CONFIG = """Host gate
  HostName gate.example.org
  Port 2200
Host redis-* !redis-z
  User ops
  IdentityFile ~/.ssh/redis
  UserKnownHostsFile ~/.ssh/known /etc/%h
  ProxyJump gate,second@[fd00::9]:2022
Match exec "test -e /x"
Host *
  IdentitiesOnly yes
  Port 22
"""
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
KNOWN = (
    f"redis-a,10.0.0.1 ssh-ed25519 {KEY}\n@revoked * ssh-ed25519 {KEY}\n|1|MTIz|NDU2 ssh-rsa {KEY}\n[a]:22 ssh-rsa é\n"
)


def test_any_ssh_config_is_a_route_or_a_problem(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no ssh: it would run what became of `Match exec`
    chance = random.Random(5)
    for number in range(400):
        path = tmp_path / f"config{number % 4}"
        path.write_text(changed(CONFIG, chance), encoding="utf-8", errors="surrogatepass")
        os.utime(path, ns=(number, number))
        try:
            route = resolve(SshSpec(config_file=str(path)), chance.choice(("redis-a", "x")))
        except RemoteError:
            continue
        assert all(0 < hop.port < 65_536 for hop in route.hops)


@pytest.mark.parametrize("port", ["[x]", "0", "65536", "-1", "²2", "9" * 5_000, "22 # as ever"])
def test_a_port_that_is_none_is_named(tmp_path, port):
    path = tmp_path / "config"
    path.write_text(f"Host redis-a\n  Port {port}\n")
    with pytest.raises(RemoteError, match=r"ssh_config for redis-a: Port .* is not a number from 1 to 65535"):
        resolve(SshSpec(config_file=str(path)), "redis-a")


def test_any_known_hosts_is_a_verdict(tmp_path):
    chance = random.Random(6)
    for _ in range(400):
        path = tmp_path / "known"
        path.write_text(changed(KNOWN, chance), encoding="utf-8", errors="surrogatepass")
        hosts = KnownHosts()
        hosts.add_file(path)
        for port in (22, 2022):
            assert hosts.check("redis-a", port, "ssh-ed25519", b"x").trust in Trust
            hosts.kinds("redis-a", port)


def test_a_user_without_a_home_folder_and_without_a_name(tmp_path, monkeypatch):
    def nobody(*_):
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setattr("pwd.getpwnam", nobody)
    for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert str(expand_home("~/.ssh/id")) == "~/.ssh/id"
    with pytest.raises(KeyError):
        getpass.getuser()
    with pytest.raises(RemoteError, match=r"set ssh\.user"):
        resolve(SshSpec(), "redis-a")
    path = tmp_path / "config"
    path.write_text(CONFIG)
    assert resolve(SshSpec(config_file=str(path), user="ops"), "x").hops[-1].identities_only
