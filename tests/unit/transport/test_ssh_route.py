from __future__ import annotations

import pytest

from console.core.inventory import SshSpec
from console.transport.connections.errors import RemoteError
from console.transport.ssh.route import resolve

CONFIG = """
Host gate
  HostName gate.example.org
  User jumper
  Port 2200

Host redis-* !redis-z
  User ops
  IdentityFile ~/.ssh/redis
  IdentityFile /keys/%h
  ProxyJump gate,second@10.9.9.9:2022
  HostName %h.example.org

Match exec "test -e /x"
  User nobody

Include more.conf

Host *
  User everybody
  IdentitiesOnly yes
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config"
    path.write_text(CONFIG)
    return str(path)


def test_what_ssh_config_says(config):
    route = resolve(SshSpec(config_file=config), "redis-a")
    assert [(one.user, one.host, one.port) for one in route.hops] == [
        ("jumper", "gate.example.org", 2200),
        ("second", "10.9.9.9", 2022),
        ("ops", "redis-a.example.org", 22),
    ]
    last = route.hops[-1]
    assert [one.rsplit("/", 1)[1] for one in last.identity_files] == ["redis", "redis-a.example.org"]
    assert last.identities_only


def test_what_it_does_not_understand_is_named(config):
    warnings = resolve(SshSpec(config_file=config), "redis-a").warnings
    assert [line.split(":", 2)[2].split()[0] for line in warnings] == ["Match", "Include"]


def test_a_negated_pattern(config):
    (hop,) = resolve(SshSpec(config_file=config), "redis-z").hops
    assert (hop.user, hop.host) == ("everybody", "redis-z")


def test_the_inventory_goes_first(config, tmp_path):
    spec = SshSpec(
        user="me",
        host="redis-b",
        port=2022,
        identity_file="/my/key",
        jump="root@[fd00::1]:2201",
        known_hosts=str(tmp_path / "known"),
        config_file=config,
    )
    first, last = resolve(spec, "10.0.0.2").hops
    assert (first.user, first.host, first.port) == ("root", "fd00::1", 2201)
    assert (last.user, last.host, last.port) == ("me", "redis-b.example.org", 2022)
    assert last.identity_files == ("/my/key",)
    assert last.known_hosts == (tmp_path / "known",)


def test_no_config_at_all(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (hop,) = resolve(SshSpec(user="ops"), "10.0.0.2").hops
    assert (hop.host, hop.port, hop.known_as, hop.identity_files) == ("10.0.0.2", 22, "10.0.0.2", ())


def test_a_named_config_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(RemoteError, match=r"ssh.config_file"):
        resolve(SshSpec(config_file=str(tmp_path / "none")), "redis-a")


def test_jumps_that_lead_in_a_circle(tmp_path):
    path = tmp_path / "config"
    path.write_text("Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    with pytest.raises(RemoteError, match="more than"):
        resolve(SshSpec(user="x", config_file=str(path)), "a")
