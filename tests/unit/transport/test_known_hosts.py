from __future__ import annotations

import base64
import hmac

import pytest

from console.transport.ssh.known_hosts import KnownHosts, Trust, fingerprint, load

KEY = b"\0\0\0\x0bssh-ed25519-one"
OTHER = b"\0\0\0\x0bssh-ed25519-two"


def encoded(key):
    return base64.b64encode(key).decode()


def known(tmp_path, *lines):
    path = tmp_path / "known_hosts"
    path.write_text("\n".join(lines) + "\n")
    hosts = KnownHosts()
    hosts.add_file(path)
    return hosts


def hashed(name):
    salt = b"0123456789abcdefghij"
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{encoded(salt)}|{encoded(digest)}"


@pytest.mark.parametrize(
    ("names", "host", "port"),
    [
        ("redis-a", "redis-a", 22),
        ("REDIS-a,10.0.0.1", "10.0.0.1", 22),
        ("[redis-a]:2222", "redis-a", 2222),
        ("redis-a", "redis-a", 2222),  # as ssh: no entry with the port, then the bare name
        ("redis-?", "redis-a", 22),
        ("*.example.org,!db.example.org", "a.example.org", 22),
        (hashed("redis-a"), "redis-a", 22),
        (hashed("[redis-a]:2222"), "redis-a", 2222),
    ],
)
def test_names_that_match(tmp_path, names, host, port):
    hosts = known(tmp_path, f"{names} ssh-ed25519 {encoded(KEY)} a comment")
    assert hosts.check(host, port, "ssh-ed25519", KEY).trust is Trust.KNOWN
    assert hosts.kinds(host, port) == ("ssh-ed25519",)
    verdict = hosts.check(host, port, "ssh-ed25519", OTHER)
    assert verdict.trust is Trust.CHANGED
    assert verdict.expected == (fingerprint(KEY),)
    assert verdict.where.endswith("known_hosts:1")


@pytest.mark.parametrize(
    ("names", "host", "port"),
    [
        ("redis-a", "redis-b", 22),
        ("[redis-a]:2222", "redis-a", 22),
        ("*.example.org,!db.example.org", "db.example.org", 22),
        (hashed("redis-a"), "redis-b", 22),
    ],
)
def test_names_that_do_not_match(tmp_path, names, host, port):
    hosts = known(tmp_path, f"{names} ssh-ed25519 {encoded(KEY)}")
    assert hosts.check(host, port, "ssh-ed25519", KEY).trust is Trust.UNKNOWN


def test_another_kind_of_key_is_unknown_and_says_which_is_known(tmp_path):
    hosts = known(tmp_path, f"redis-a ecdsa-sha2-nistp256 {encoded(KEY)}")
    verdict = hosts.check("redis-a", 22, "ssh-ed25519", OTHER)
    assert verdict.trust is Trust.UNKNOWN
    assert verdict.expected == (f"ecdsa-sha2-nistp256 {fingerprint(KEY)}",)


def test_a_revoked_key_is_refused_though_it_stands_there_too(tmp_path):
    hosts = known(tmp_path, f"redis-a ssh-ed25519 {encoded(KEY)}", f"@revoked * ssh-ed25519 {encoded(KEY)}")
    assert hosts.check("redis-a", 22, "ssh-ed25519", KEY).trust is Trust.REVOKED


def test_what_is_no_entry_is_passed_over(tmp_path):
    lines = ("# redis-a", "", "redis-a", "redis-a ssh-ed25519 !!!", f"@cert-authority * ssh-ed25519 {encoded(KEY)}")
    assert known(tmp_path, *lines).kinds("redis-a", 22) == ()


def test_several_files_and_their_changes(tmp_path):
    first, second = tmp_path / "one", tmp_path / "two"
    second.write_text(f"redis-a ssh-ed25519 {encoded(KEY)}\n")
    assert load([first, second]).check("redis-a", 22, "ssh-ed25519", KEY).trust is Trust.KNOWN
    first.write_text(f"redis-b ssh-ed25519 {encoded(KEY)}\n")
    assert load([first, second]).check("redis-b", 22, "ssh-ed25519", KEY).trust is Trust.KNOWN


def test_the_fingerprint_is_ssh_keygens():
    assert fingerprint(b"") == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
