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


def test_without_ssh_what_only_ssh_understands_is_named(config, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (warning,) = resolve(SshSpec(config_file=config), "redis-a").warnings
    assert (
        warning
        == f'{config}:14: Match exec "test -e /x" is ignored: only ssh understands it, and it is not installed here'
    )


def test_ssh_itself_is_asked_about_match_lines(tmp_path):
    (tmp_path / "more").write_text("IdentityFile /keys/more\n")
    path = tmp_path / "config"
    path.write_text(
        f'Match originalhost redis-* exec "exit 0"\n  HostName %h.example.org\n  Include {tmp_path}/more\n'
        f'Match exec "exit 1"\n  User nobody\nMatch user everybody\n  Port 2200\nHost *\n  User everybody\n'
        "  ProxyCommand way %h:%p %n %r\n"
    )
    (hop,) = resolve(SshSpec(config_file=str(path)), "redis-a").hops
    assert (hop.user, hop.host, hop.port) == ("everybody", "redis-a.example.org", 22)
    assert hop.identity_files == ("/keys/more",)
    assert hop.command == "way redis-a.example.org:22 redis-a everybody"
    assert resolve(SshSpec(config_file=str(path), user="everybody"), "redis-a").hops[0].port == 2200
    path.write_text('Match exec "exit 1"\n  User nobody\n')
    usual = resolve(SshSpec(config_file=str(path), user="x"), "redis-a").hops[0]
    assert usual.identity_files == ()
    assert len(usual.known_hosts) == 4, "the user's files and the system's"


def test_a_configuration_that_ssh_refuses(tmp_path):
    path = tmp_path / "config"
    path.write_text("Match exec\n  User nobody\n")
    with pytest.raises(RemoteError, match=r"ssh_config for redis-a: ssh -G says: "):
        resolve(SshSpec(config_file=str(path)), "redis-a")


def test_included_files(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".ssh/conf.d"
    folder.mkdir(parents=True)
    (folder / "1.conf").write_text("Host redis-a\n  Port 2201\nHost other\n  User other\n")
    (folder / "2.conf").write_text("Port 2202\n")
    (tmp_path / ".ssh/config").write_text(
        "Include conf.d/*.conf missing.conf\nUser ops\nHost none\n  Include conf.d/2.conf\nHost *\n  Port 2203\n"
    )
    for name, user, port in (("redis-a", "ops", 2201), ("redis-b", "ops", 2202), ("other", "other", 2202)):
        (hop,) = resolve(SshSpec(), name).hops
        assert (hop.user, hop.port) == (user, port)
    (folder / "2.conf").write_text("Include conf.d/2.conf\n")
    with pytest.raises(RemoteError, match="Include leads through more than"):
        resolve(SshSpec(), "redis-a")


def test_tokens_and_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KEYS", "/keys")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/usual")
    path = tmp_path / "config"
    text = "HostName %h.example.org\nPort 2200\nUser ops\nHostKeyAlias the-%%\nUserKnownHostsFile /known/%k ~/%h\n"
    path.write_text(
        text + "IdentityFile ${KEYS}/%n-%r-%p\nIdentityFile none\nCertificateFile %d/%h.pub\nIdentityAgent %d/a\n"
    )
    (hop,) = resolve(SshSpec(config_file=str(path)), "redis-a").hops
    assert hop.identity_files == ("/keys/redis-a-ops-2200",)
    assert hop.certificate_files == (f"{tmp_path}/redis-a.example.org.pub",)
    assert hop.agent == f"{tmp_path}/a"
    assert resolve(SshSpec(config_file="/dev/null", user="x"), "redis-a").hops[0].agent == "/usual"


@pytest.mark.parametrize(
    ("value", "agent"), [("none", ""), ("SSH_AUTH_SOCK", "/usual"), ("$MINE", "/mine"), ("/own", "/own")]
)
def test_the_agent_that_is_named(tmp_path, monkeypatch, value, agent):
    monkeypatch.setenv("MINE", "/mine")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/usual")
    path = tmp_path / "config"
    path.write_text(f"IdentityAgent {value}\n")
    assert resolve(SshSpec(config_file=str(path), user="x"), "redis-a").hops[0].agent == agent


@pytest.mark.parametrize(
    ("text", "command", "hops"),
    [
        ("ProxyCommand way %h\nProxyJump gate\n", "way redis-a", 1),
        ("ProxyJump gate\nProxyCommand way %h\n", "", 2),
        ("ProxyCommand none\nProxyJump gate\n", "", 1),
        ("ProxyJump none\n", "", 1),
    ],
)
def test_of_jumps_and_commands_the_first_counts(tmp_path, text, command, hops):
    path = tmp_path / "config"
    path.write_text(f"User ops\nHost redis-a\n{text}")
    found = resolve(SshSpec(config_file=str(path)), "redis-a").hops
    assert (found[-1].command, len(found)) == (command, hops)
    inventory = resolve(SshSpec(config_file=str(path), jump="none"), "redis-a").hops
    assert (inventory[-1].command, len(inventory)) == ("", 1)


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("ProxyCommand way %q\n", "redis-a", "ProxyCommand: %q is not understood"),
        ("IdentityFile /keys/100%\n", "redis-a", "IdentityFile: % is not understood"),
        ("ProxyCommand way %h\n", "a;reboot", "ProxyCommand is not run: .* holds characters that a shell may run"),
        ("ProxyCommand way %r\nUser $(reboot)\n", "redis-a", "ProxyCommand is not run"),
    ],
)
def test_what_is_not_expanded(tmp_path, text, name, line):
    path = tmp_path / "config"
    path.write_text(f"Host *\n{text}  User ops\n")
    with pytest.raises(RemoteError, match=line):
        resolve(SshSpec(config_file=str(path)), name)


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
