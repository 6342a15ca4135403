"""Inventories of sets under Sentinels: what a good one becomes, and the line that each bad one gets."""

# ruff: noqa: E501 - a table of texts and their lines reads best with a row a line

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from inventory_texts import NO_LITERAL, refusal

from console.core.inventory import PasswordKind, PasswordSource, RedisRoute, RedisSpec, TlsSpec
from console.documents.inventories.inventory import inventory_of
from console.documents.yaml_text import parse_document

SENTINEL_VIP = """version: 1
clusters:
  - name: cache
    kind: sentinel-vip
    vip: 10.18.14.94
    master_name: master1
    nodes:
      - {name: web01, address: 10.18.14.72}
      - {name: web02, address: 10.18.13.166}
    sentinels:
      - {name: sentinel1, address: 10.18.14.72}
      - {name: sentinel2, address: 10.18.13.166, port: 26380, password: {env: SENTINEL_PASSWORD}}
    read_vip: 10.18.14.93
    directors:
      - {name: lb01, address: 10.18.14.54, ssh: {user: ops}, keepalived: {instance: VI_1}}
"""
SENTINEL_CONSUL = """version: 1
clusters:
  - name: app
    kind: sentinel-consul
    master_name: mymaster
    nodes:
      - {name: app01, address: 192.168.3.1}
      - {name: app02, address: 192.168.3.2}
    sentinels: [{name: sentinel, address: 192.168.3.2}]
    consul: {http: http://192.168.3.1:8500, dns: 192.168.3.1:8600, service: redis, token: {env: CONSUL_TOKEN}}
"""


def test_a_sentinel_is_started_on_the_node_at_its_address():
    text = SENTINEL_VIP.replace("password: {env: SENTINEL_PASSWORD}", "service: {sysv: redis-sentinel}")
    first, second = inventory_of(parse_document(Path("inventory.yaml"), text)).clusters[0].sentinels
    assert (second.host, second.start_command) == ("web02", "service redis-sentinel start")
    assert (first.host, first.start_command) == ("web01", "")


def test_sentinels_and_directors_are_reached_as_written():
    cluster = inventory_of(parse_document(Path("inventory.yaml"), SENTINEL_VIP)).clusters[0]
    first, second = cluster.sentinels
    assert (cluster.vip, cluster.read_vip, cluster.master_name) == ("10.18.14.94", "10.18.14.93", "master1")
    assert (first.port, first.password, second.port) == (26379, None, 26380)
    assert second.password == PasswordSource(PasswordKind.ENV, "SENTINEL_PASSWORD")
    assert [(one.name, one.ssh.user, one.keepalived.instance) for one in cluster.directors] == [("lb01", "ops", "VI_1")]


def test_sentinels_have_defaults_and_a_route_of_their_own(tmp_path):
    defaults = """\
defaults:
  ssh: {user: ops, identity_file: key}
  sentinel: {port: 26380, username: console, password: {file: pw}, tls: {ca_file: ca.pem}, via: ssh}
"""
    text = SENTINEL_VIP.replace("address: 10.18.14.72}\n      - {name: sentinel2", """address: 127.0.0.1, runs_on: lb01}
      - {name: arbiter, address: 10.9.9.9, ssh: {user: watch, port: 2222}}
      - {name: bare, address: 10.9.9.8, port: 26379, username: null, password: null, tls: null, via: direct}
      - {name: sentinel2""")  # fmt: skip
    text = f"{defaults}{text[text.index('clusters:') :]}"
    cluster = inventory_of(parse_document(tmp_path / "i.yaml", f"version: 1\n{text}")).clusters[0]
    on_director, elsewhere, bare, on_node = cluster.sentinels
    password = PasswordSource(PasswordKind.FILE, str(tmp_path / "pw"))
    tls = TlsSpec(ca_file=str(tmp_path / "ca.pem"))
    assert on_director.connection == RedisSpec(26380, "console", password, tls, RedisRoute.SSH)
    assert elsewhere.connection == on_director.connection
    assert bare.connection == RedisSpec(26379)
    assert (on_director.host, elsewhere.host, on_node.host) == ("lb01", "", "web02")
    assert (on_director.ssh, on_node.ssh) == (
        replace(cluster.directors[0].ssh, host=cluster.directors[0].address),
        replace(cluster.node("web02").ssh, host="10.18.13.166"),
    )
    assert (elsewhere.ssh.user, elsewhere.ssh.port, elsewhere.ssh.host) == ("watch", 2222, "")
    assert elsewhere.ssh.identity_file == str(tmp_path / "key")
    assert [one.source for one in cluster.secrets if one.owner == "arbiter"] == [password]


def test_consul_stands_in_for_a_virtual_ip():
    cluster = inventory_of(parse_document(Path("inventory.yaml"), SENTINEL_CONSUL)).clusters[0]
    assert cluster.consul is not None
    assert (cluster.vip, cluster.consul.http, cluster.consul.dns, cluster.consul.service) == (
        "",
        "http://192.168.3.1:8500",
        "192.168.3.1:8600",
        "redis",
    )
    assert cluster.consul.token == PasswordSource(PasswordKind.ENV, "CONSUL_TOKEN")


@pytest.mark.parametrize(
    ("text", "old", "new", "line"),
    [
        (
            SENTINEL_VIP,
            "    vip: 10.18.14.94\n",
            "",
            "3: clusters[0].vip: is missing: the script of the Sentinels moves",
        ),
        (
            SENTINEL_VIP,
            "    master_name: master1\n",
            "",
            "3: clusters[0].master_name: is missing: it is the name after",
        ),
        (
            SENTINEL_VIP,
            "    read_vip: 10.18.14.93\n",
            "",
            "3: clusters[0].read_vip: read_vip and directors go together",
        ),
        (
            SENTINEL_VIP,
            "read_vip: 10.18.14.93",
            "read_vip: 10.18.14.72",
            "13: clusters[0].read_vip: 10.18.14.72 is a node",
        ),
        (SENTINEL_VIP, "name: sentinel2", "name: web02", "12: clusters[0].sentinels[1].name: there is another web02"),
        (
            SENTINEL_VIP,
            "password: {env: SENTINEL_PASSWORD}",
            "service: {systemd: s, sysv: s}",
            "12: clusters[0].sentinels[1].service: needs exactly one of systemd",
        ),
        (
            SENTINEL_VIP,
            "address: 10.18.14.72}\n      - {name: sentinel2",
            "address: 10.9.9.9, service: {systemd: redis-sentinel}}\n      - {name: sentinel2",
            "11: clusters[0].sentinels[0].service: no node or director has the address 10.9.9.9",
        ),
        (SENTINEL_VIP, "{env: SENTINEL_PASSWORD}", "{}", "12: clusters[0].sentinels[1].password: needs exactly one of"),
        (SENTINEL_VIP, "{env: SENTINEL_PASSWORD}", "abc", f"12: clusters[0].sentinels[1].password: {NO_LITERAL}"),
        (
            SENTINEL_VIP,
            "password: {env: SENTINEL_PASSWORD}",
            "tls: {cert_file: me.pem}",
            "12: clusters[0].sentinels[1].tls: needs cert_file and key_file together, or neither",
        ),
        (
            SENTINEL_VIP,
            "password: {env: SENTINEL_PASSWORD}",
            "runs_on: web09",
            "12: clusters[0].sentinels[1].runs_on: no node or director is named web09: there are web01, web02, lb01",
        ),
        (
            SENTINEL_VIP,
            "password: {env: SENTINEL_PASSWORD}",
            "ssh: {user: ops}",
            "12: clusters[0].sentinels[1].ssh: is only for a Sentinel that is reached with via: ssh",
        ),
        (
            SENTINEL_VIP,
            "password: {env: SENTINEL_PASSWORD}",
            "via: ssh, ssh: {user: ops}",
            "12: clusters[0].sentinels[1].ssh: it runs on web02, and the login is that of web02: leave this one out",
        ),
        (
            SENTINEL_VIP,
            "address: 10.18.14.72}\n      - {name: sentinel2",
            "address: 127.0.0.1, via: ssh}\n      - {name: sentinel2",
            "11: clusters[0].sentinels[0].address: 127.0.0.1 is of every host: name the one that it runs on with runs_on",
        ),
        (
            SENTINEL_VIP,
            "password: {env: SENTINEL_PASSWORD}",
            "via: tunnel",
            "12: clusters[0].sentinels[1].via: tunnel is not known: it is one of direct, ssh",
        ),
        (
            SENTINEL_CONSUL,
            "    master_name",
            "    vip: 10.0.0.9\n    master_name",
            "5: clusters[0].vip: belongs to kind",
        ),
        (SENTINEL_CONSUL, "http: http://192.168.3.1:8500", "http: 192.168.3.1", "10: clusters[0].consul.http: "),
        (
            SENTINEL_CONSUL,
            "dns: 192.168.3.1:8600",
            "dns: 192.168.3.1",
            "10: clusters[0].consul.dns: '192.168.3.1' is not",
        ),
        (SENTINEL_CONSUL, "{env: CONSUL_TOKEN}", "abc", f"10: clusters[0].consul.token: {NO_LITERAL}"),
    ],
)
def test_a_bad_line_of_the_other_kinds_is_named(text, old, new, line):
    assert old in text
    assert refusal(text.replace(old, new, 1)).startswith(f"inventory.yaml:{line}")
