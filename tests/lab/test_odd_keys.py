"""Odd keys, agents, routes and host keys: the login works, or one line says what to change."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time

import pytest

from console.core.model import ProblemKind
from console.transport.ssh import login
from console.transport.ssh.keys import private_keys

pytestmark = pytest.mark.lab


def make_key(path, *options, passphrase=""):
    options = options or ("-t", "ed25519")
    subprocess.run(["ssh-keygen", "-q", *options, "-N", passphrase, "-f", str(path)], check=True)
    return path.with_name(f"{path.name}.pub").read_text()


def sign(authority, key, *options):
    """A certificate for a key, beside it."""
    words = ["ssh-keygen", "-q", "-s", str(authority), "-I", "test", *options, f"{key}.pub"]
    subprocess.run(words, check=True)


@pytest.fixture
def agent(tmp_path, monkeypatch):
    """A real ssh-agent that asks with a script, which takes its time and then says yes (exit 0) or no."""
    asking, place = tmp_path / "asking", tmp_path / "agent"
    asking.write_text("#!/bin/sh\nexit 1\n")
    asking.chmod(0o755)
    own = {"SSH_ASKPASS": str(asking), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(place)], env=os.environ | own, stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(place))

    class Agent:
        def add(self, *words, passphrase=""):
            giving = tmp_path / "giving"
            giving.write_text(f"#!/bin/sh\necho '{passphrase}'\n")
            giving.chmod(0o755)
            environment = os.environ | own | {"SSH_ASKPASS": str(giving)}
            subprocess.run(["ssh-add", "-q", *map(str, words)], env=environment, check=True, stdin=subprocess.DEVNULL)

        def answers(self, seconds, code):
            asking.write_text(f"#!/bin/sh\nsleep {seconds}\nexit {code}\n")

    until = time.monotonic() + 30
    while not place.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    yield Agent()
    process.terminate()
    process.wait(30)


# --- keys


@pytest.mark.parametrize(
    "options", [("-t", "ed25519"), ("-t", "rsa", "-b", "2048", "-m", "PEM")], ids=["openssh", "PEM"]
)
def test_an_encrypted_key_is_one_line_and_works_from_the_agent(odd, agent, tmp_path, options):
    key = tmp_path / "key"
    user = odd.user(keys=make_key(key, *options, passphrase="se cret"))
    assert f"{key} is encrypted: ssh-add it" in odd.look(user=user, identity_file=str(key)).line
    agent.add(key, passphrase="se cret")
    assert odd.look(user=user, identity_file=str(key)).identity.hostname == "redis-a"


def test_ten_keys_in_the_agent_and_three_tries(odd, agent, tmp_path):
    keys = [tmp_path / f"key{number}" for number in range(10)]
    public = [make_key(key) for key in keys]
    agent.add(*keys)
    user, port = odd.user(keys=public[9]), odd.sshd("MaxAuthTries 3")
    unnamed = odd.look(user=user, port=port, identity_file="")
    assert unnamed.problem.kind is ProblemKind.AUTH_FAILED
    assert "allows fewer keys (MaxAuthTries) than were offered" in unnamed.line
    assert "name the right key with ssh.identity_file" in unnamed.line
    keys[9].unlink()  # as with an agent that alone has the private key
    for named in (keys[9], f"{keys[9]}.pub"):
        assert odd.look(user=user, port=port, identity_file=str(named)).identity.hostname == "redis-a"


def test_an_agent_whose_key_asks_for_a_confirmation(odd, agent, tmp_path, monkeypatch):
    key = tmp_path / "key"
    user = odd.user(keys=make_key(key))
    agent.add("-c", key)
    told = []

    def watch(inspector):
        until = time.monotonic() + 30
        while "touch" not in inspector._connection.problem.text and time.monotonic() < until:
            time.sleep(0.02)
        told.append(inspector._connection.problem)
        while "touch" in inspector._connection.problem.text and time.monotonic() < until:
            time.sleep(0.02)
        told.append(inspector._connection.problem)

    agent.answers(2, 0)
    seen = odd.look(watch, user=user, identity_file=f"{key}.pub", connect_timeout=1.0)
    assert seen.identity.hostname == "redis-a"
    assert seen.seconds > 2
    assert told[0].kind is ProblemKind.CONNECTING
    assert "touch the key, or confirm where the agent asks" in told[0].text
    assert told[1].text == "connecting"
    agent.answers(0, 1)
    assert "the SSH agent refused to sign" in odd.look(user=user, identity_file=f"{key}.pub").line
    other = tmp_path / "other"
    odd.host.write(f"/home/{user}/.ssh/authorized_keys", make_key(other), 0o600)
    agent.add(other)
    assert odd.look(user=user, identity_file="").identity.hostname == "redis-a", "the next key is offered all the same"
    monkeypatch.setattr(login, "HUMAN", 0.5)
    agent.answers(5, 0)
    late = odd.look(user=user, identity_file=f"{key}.pub", connect_timeout=1.0)
    assert "the SSH agent has not signed in time: touch the key" in late.line


def test_an_agent_that_never_answers(odd, tmp_path, monkeypatch):
    place = tmp_path / "dead"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(place))
        listening.listen()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        monkeypatch.setattr(private_keys, "_ANSWERS_WITHIN", 0.5)
        assert odd.look().identity.hostname == "redis-a", "the named key is used"
        seen = odd.look(identity_file=str(tmp_path / "none"))
    assert f"the SSH agent at {place} does not answer" in seen.line
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    assert odd.look().identity.hostname == "redis-a"


def test_certificates_of_users(odd, agent, tmp_path):
    authority, key = tmp_path / "authority", tmp_path / "key"
    odd.host.write("/etc/ssh/authority.pub", make_key(authority))
    make_key(key)
    user = odd.user(keys="# none\n")
    port = odd.sshd("TrustedUserCAKeys /etc/ssh/authority.pub")
    login_ = {"user": user, "port": port, "identity_file": str(key)}
    assert f"refuses {key}" in odd.look(**login_).line
    sign(authority, key, "-n", user)
    assert odd.look(**login_).identity.hostname == "redis-a"
    agent.add(key)  # with its certificate
    key.unlink()
    assert odd.look(**login_).identity.hostname == "redis-a"
    subprocess.run(["ssh-add", "-q", "-D"], check=True)
    make_key(key := tmp_path / "other")
    sign(authority, key, "-n", user, "-V", "20200101:20200102")
    expired = odd.look(user=user, port=port, identity_file=str(key))
    assert f"refuses {key} with its certificate, {key}: check" in expired.line
    sign(authority, key, "-n", user)
    moved = (tmp_path / "other-cert.pub").rename(tmp_path / "elsewhere.pub")
    config = tmp_path / "config"
    config.write_text(f"Host *\n  CertificateFile {moved}\n")
    assert odd.look(user=user, port=port, identity_file=str(key), config_file=str(config)).identity is not None


CODE = "AuthenticationMethods publickey,keyboard-interactive\nKbdInteractiveAuthentication yes\nUsePAM yes\n"


def test_one_time_codes_after_the_key(odd):
    user = odd.user()
    pam = "auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
    odd.host.write("/etc/pam.d/sshd", pam)
    seen = odd.look(user=user, port=odd.sshd(CODE))
    assert seen.problem.kind is ProblemKind.AUTH_FAILED
    assert "asks for a one-time code or a password (keyboard-interactive) after the key" in seen.line
    assert f"`Match User {user}` with `AuthenticationMethods publickey`" in seen.line
    exempt = f"{CODE}Match User {user}\n  AuthenticationMethods publickey"
    assert odd.look(user=user, port=odd.sshd(exempt)).identity.hostname == "redis-a"


def test_a_server_that_takes_passwords_only(odd):
    seen = odd.look(port=odd.sshd("PubkeyAuthentication no\nPasswordAuthentication yes"))
    assert "does not accept keys, only" in seen.line
    assert "set PubkeyAuthentication yes" in seen.line


# --- routes


@pytest.fixture
def config(odd, tmp_path):
    """Looks at the host as ssh_config has it under this name."""

    def look(text, name="node", **ssh):
        path = tmp_path / "ssh_config"
        path.write_text(
            text.format(a=odd.host.address, b=odd.lab.host("redis-b").address, f=odd.lab.folder, t=tmp_path)
        )
        chosen = {"user": "", "identity_file": "", "known_hosts": ""} | ssh
        return odd.look(host=name, config_file=str(path), **chosen)

    return look


USUAL = "Host *\n  User root\n  IdentityFile {f}/id_ed25519\n  UserKnownHostsFile {f}/known_hosts\n"
FINAL = """
Host node
  HostName {a}
  CanonicalizeHostname always
Match final originalhost node
  IdentityFile {t}/node/root/%h-22-%%
"""
PROXY = "ssh -F /dev/null -i {f}/id_ed25519 -o UserKnownHostsFile={f}/known_hosts -W %h:%p %r@{b}"


@pytest.mark.parametrize(
    "text",
    [
        "Host node\n  HostName {a}\n",
        f"Host node\n  HostName {{a}}\n  ProxyCommand {PROXY}\n",
        "Host node\n  HostName {a}\n  ProxyJump one,{b}\nHost one\n  HostName {b}\n",
        f"Host node\n  HostName {{a}}\n  ProxyJump one\nHost one\n  HostName {{b}}\n  ProxyCommand {PROXY}\n",
        "Host node\n  ProxyCommand none\n  ProxyJump {b}\n  HostName {a}\n",
        'Match host node exec "test %n = node"\n  HostName {a}\nMatch exec false\n  User nobody\n',
        FINAL,
        "Include {t}/more/*.conf\nHost node\n  User nobody\n  HostName 192.0.2.1\n",
        "Host node\n  HostName {a}\n  IdentityFile {t}/%n/%r/%h-%p-%%\n",
    ],
    ids=["plain", "ProxyCommand", "ProxyJump", "both", "first counts", "exec", "canonical", "Include", "tokens"],
)
def test_ways_of_ssh_config(odd, config, tmp_path, text):
    (tmp_path / "more").mkdir()
    (tmp_path / "more/a.conf").write_text(f"Host node\n  HostName {odd.host.address}\n  User root\n")
    folder = tmp_path / "node/root"
    folder.mkdir(parents=True)
    (folder / f"{odd.host.address}-22-%").symlink_to(odd.lab.folder / "id_ed25519")
    usual = USUAL.replace("  IdentityFile {f}/id_ed25519\n", "") if "%%" in text else USUAL
    seen = config(text + usual)
    assert seen.identity is not None, seen.line
    assert seen.identity.hostname == "redis-a"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ProxyCommand echo no way out >&2; exit 1", "ProxyCommand echo no way out >&2; exit 1 says: no way out"),
        ("ProxyCommand /nowhere/to/be/found %h", "not found"),
        ("ProxyCommand sleep 60", "ProxyCommand sleep 60 says: nothing"),
        ("ProxyCommand ssh %q", "ProxyCommand: %q is not understood"),
        ("ProxyJump nobody@{b}", "nobody@192.168.100.202 refuses"),
        ("Match exec", "ssh -G says: "),
    ],
)
def test_ways_that_lead_nowhere(config, text, line):
    seen = config(f"Host node\n  HostName {{a}}\n{text}\n{USUAL}", connect_timeout=2.0)
    assert line in seen.line


# --- host keys


def test_names_in_known_hosts(odd, config, tmp_path):
    kind, key = odd.host.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
    known = tmp_path / "known"
    usual = f"Host node\n  HostName {{a}}\n  HostKeyAlias the-node\n{USUAL}"
    known.write_text(f"the-node {kind} {key}\n")
    assert config(usual, known_hosts=str(known)).identity.hostname == "redis-a"
    known.write_text(f"other {kind} {key}\n")
    unknown = config(usual, known_hosts=str(known))
    assert "the host key of the-node is not known" in unknown.line
    known.write_text(f"the-node {kind} {key}\n@revoked * {kind} {key}\n")
    revoked = config(usual, known_hosts=str(known))
    assert revoked.problem.kind is ProblemKind.HOST_KEY_CHANGED
    assert f"is revoked in {known}:2" in revoked.line


@pytest.mark.parametrize(
    ("kind", "options", "line"),
    [
        ("ed25519", ("-n", "node,192.168.100.201"), ""),
        ("rsa", ("-n", "*.100.201"), ""),
        ("ecdsa", ("-n", "other"), "it is for other: renew it on the host"),
        ("ed25519", ("-n", "192.168.100.201", "-V", "20200101:20200102"), "it was valid until 2020-01-0"),
        ("ed25519", None, "the host shows no certificate (HostCertificate)"),
    ],
)
def test_authorities_in_known_hosts(odd, tmp_path, kind, options, line):
    authority, host_key, known = tmp_path / "authority", tmp_path / "host", tmp_path / "known"
    public = make_key(authority)
    make_key(host_key, "-t", kind)
    settings = "HostKey /etc/ssh/odd-key\n"
    if options is not None:
        sign(authority, host_key, "-h", *options)
        odd.host.write("/etc/ssh/odd-key-cert.pub", (tmp_path / "host-cert.pub").read_text())
        settings += "HostCertificate /etc/ssh/odd-key-cert.pub\n"
    odd.host.write("/etc/ssh/odd-key", host_key.read_text(), 0o600)
    port = odd.sshd(settings)
    known.write_text(f"@cert-authority * {public}")
    seen = odd.look(port=port, known_hosts=str(known))
    if not line:
        assert seen.identity.hostname == "redis-a"
        known.write_text(f"@cert-authority * {public}@revoked * {public}")
        assert odd.look(port=port, known_hosts=str(known)).problem.kind is ProblemKind.HOST_KEY_UNKNOWN
        return
    assert seen.problem.kind is ProblemKind.HOST_KEY_UNKNOWN
    assert line in seen.line
