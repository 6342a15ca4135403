"""Public parts of named keys, and host certificates, out of any bytes."""

from __future__ import annotations

import base64
import random
import subprocess

import pytest
from hostile import changed
from hypothesis import given
from hypothesis import strategies as st

from console.transport.ssh.keys.host_certificates import objection
from console.transport.ssh.keys.public_keys import kind_of, public_parts
from console.transport.ssh.known_hosts import KnownHosts


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Real keys: `host` with a certificate, `locked` with a passphrase, and the authority."""
    folder = tmp_path_factory.mktemp("keys")
    for name, passphrase in (("authority", ""), ("host", ""), ("locked", "se cret")):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(folder / name)]
        subprocess.run(words, check=True)
    sign = ["ssh-keygen", "-q", "-s", str(folder / "authority"), "-h", "-I", "x", "-n", "redis-a,*.example.org"]
    subprocess.run([*sign, str(folder / "host.pub")], check=True)
    return folder


def blob(path):
    return base64.b64decode(path.read_text().split()[1])


def test_the_public_part_needs_neither_the_passphrase_nor_the_public_file(keys, tmp_path):
    assert public_parts(str(keys / "host")) == (blob(keys / "host-cert.pub"), blob(keys / "host.pub"))
    assert public_parts(str(keys / "host.pub")) == (blob(keys / "host-cert.pub"), blob(keys / "host.pub"))
    alone = tmp_path / "locked"
    alone.write_bytes((keys / "locked").read_bytes())
    assert public_parts(str(alone)) == (blob(keys / "locked.pub"),)
    assert kind_of(blob(keys / "locked.pub")) == "ssh-ed25519"
    assert public_parts(str(tmp_path / "none")) == ()


def test_any_file_has_a_public_part_or_none(keys, tmp_path):
    chance = random.Random(7)
    texts = [(keys / name).read_text() for name in ("host", "host.pub", "host-cert.pub")]
    for number in range(300):
        path = tmp_path / f"key{number % 5}"
        path.write_text(changed(chance.choice(texts), chance), encoding="utf-8", errors="surrogatepass")
        for part in public_parts(str(path)):
            assert isinstance(kind_of(part), str)


def test_a_certificate_proves_a_host(keys):
    kind, certificate = (keys / "host-cert.pub").read_text().split()[:2]
    data, authority = base64.b64decode(certificate), blob(keys / "authority.pub")
    assert objection(kind, data, "redis-a", {authority}) == ""
    assert objection(kind, data, "DB.example.org", {authority}) == ""
    assert objection(kind, data, "redis-b", {authority}) == "it is for redis-a, *.example.org"
    assert objection(kind, data, "redis-a", {blob(keys / "host.pub")}) == "another authority signed it"


def test_a_certificate_with_one_byte_changed_proves_nothing(keys):
    kind, certificate = (keys / "host-cert.pub").read_text().split()[:2]
    data, authority = base64.b64decode(certificate), blob(keys / "authority.pub")
    for place in range(len(data)):
        spoiled = bytearray(data)
        spoiled[place] ^= 1
        assert objection(kind, bytes(spoiled), "redis-a", {authority}), place


@given(st.binary(max_size=400))
def test_any_certificate_is_judged(data):
    assert objection("ssh-ed25519-cert-v01@openssh.com", data, "redis-a", {data})


def test_authorities_of_known_hosts(keys, tmp_path):
    public = (keys / "authority.pub").read_text()
    path = tmp_path / "known"
    path.write_text(f"@cert-authority *.example.org {public}@other * {public}")
    hosts = KnownHosts()
    hosts.add_file(path)
    assert set(hosts.authorities("a.example.org", 22)) == {blob(keys / "authority.pub")}
    assert hosts.authorities("redis-a", 22) == {}
    assert hosts.kinds("a.example.org", 22) == ()
    path.write_text(f"@revoked * {public}")
    hosts.add_file(path)
    assert hosts.authorities("a.example.org", 22) == {}
