"""Inventories: what a good one becomes, and the one line that each bad one gets."""

# ruff: noqa: E501, ISC004 - a table of texts and their lines reads best with a row a line

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inventory_texts import NO_LITERAL, refusal

from console.core.inventory import PasswordKind, PasswordSource, QuietHours, RedisRoute
from console.documents.errors import DocumentError
from console.documents.inventories.inventory import inventory_of, load_inventory
from console.documents.inventories.model import InventoryDocument
from console.documents.yaml_text import parse_document

GOOD = """\
version: 1
defaults:
  ssh: {user: ops, identity_file: ~/.ssh/id_ed25519, sudo: true}
  redis: {port: 6379, password: {env: REDIS_PASSWORD}}
clusters:
  - name: cache
    kind: keepalived
    vip: 192.168.100.123
    nodes:
      - name: redis-a
        address: 192.168.100.201
        redis: {service: {systemd: redis}}
        keepalived:
          instance: VI_123
      - name: redis-b
        address: 192.168.100.202
        ssh: {jump: "ops@gate:2222,inner"}
"""

SERVICE = "clusters[0].nodes[0].redis.service"


def test_a_good_one_has_its_defaults_filled_in():
    inventory = inventory_of(parse_document(Path("/etc/ha/inventory.yaml"), GOOD))
    first, second = inventory.cluster("cache").nodes
    assert first.ssh.user == second.ssh.user == "ops"
    assert first.ssh.sudo
    assert first.ssh.identity_file == os.path.expanduser("~/.ssh/id_ed25519")  # noqa: PTH111
    assert second.ssh.jump == "ops@gate:2222,inner"
    assert first.redis.password == PasswordSource(PasswordKind.ENV, "REDIS_PASSWORD")
    assert (first.redis.service.systemd, second.redis.service.systemd) == ("redis", "redis-server")
    assert (first.keepalived.instance, second.keepalived.instance) == ("VI_123", "")
    assert first.redis.via is RedisRoute.DIRECT


def test_two_nodes_have_no_redis_in_common_but_each_its_own_loopback():
    both = GOOD.replace("redis: {port: 6379,", "redis: {port: 6379, host: 10.0.0.9,")
    assert "clusters[0].nodes[1].redis.host: 10.0.0.9:6379 is redis-a already" in refusal(both)
    through = GOOD.replace("redis: {port: 6379,", "redis: {port: 6379, via: ssh, host: 127.0.0.1,")
    nodes = inventory_of(parse_document(Path("inventory.yaml"), through)).cluster("cache").nodes
    assert [one.redis.host for one in nodes] == ["127.0.0.1", "127.0.0.1"]


def test_files_are_relative_to_the_inventory():
    text = GOOD.replace("~/.ssh/id_ed25519", "keys/ops").replace("{env: REDIS_PASSWORD}", "{file: secrets/redis}")
    node = inventory_of(parse_document(Path("/etc/ha/inventory.yaml"), text)).clusters[0].nodes[0]
    assert node.ssh.identity_file == "/etc/ha/keys/ops"
    assert node.redis.password == PasswordSource(PasswordKind.FILE, "/etc/ha/secrets/redis")


def test_null_takes_a_default_away():
    text = GOOD.replace("redis: {service: {systemd: redis}}", "redis: {password: null}")
    first, second = inventory_of(parse_document(Path("inventory.yaml"), text)).clusters[0].nodes
    assert first.redis.password is None
    assert second.redis.password is not None


def test_an_alias_can_stand_for_a_section():
    text = GOOD.replace("redis: {service: {systemd: redis}}", "redis: &r {port: 7000}").replace(
        "        ssh: {jump", "        redis: {<<: *r, via: ssh}\n        ssh: {jump"
    )
    second = inventory_of(parse_document(Path("inventory.yaml"), text)).clusters[0].nodes[1]
    assert (second.redis.port, second.redis.via) == (7000, RedisRoute.SSH)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("version: 1\n", "", "1: version: is missing"),
        ("version: 1", "version: 2", "1: version: 2 is not known: it is one of 1"),
        ("port: 6379", "port: 99999", "4: defaults.redis.port: 99999 is not a port (1 to 65535)"),
        ("port: 6379", "port: 0", "4: defaults.redis.port: 0 is not a port (1 to 65535)"),
        ("port: 6379", "port: '6379'", "4: defaults.redis.port: 6379 must be a whole number; write it without quotes"),
        ("port: 6379", "port: true", "4: defaults.redis.port: true must be a whole number"),
        ("port: 6379", "prot: 6379", "4: defaults.redis.prot: is not a key here; did you mean port?"),
        ("user: ops", "user: 12", "3: defaults.ssh.user: 12 must be text; put it in quotes"),
        ("user: ops", "user: ''", "3: defaults.ssh.user: must not be empty"),
        (
            "user: ops",
            "password: x",
            "3: defaults.ssh.password: SSH logs in with the agent or with identity_file, never with a password",
        ),
        ("sudo: true", "sudo: yes", "3: defaults.ssh.sudo: yes must be true or false"),
        ("ops@gate:2222,inner", "ops@gate:x", "17: clusters[0].nodes[1].ssh.jump: 'ops@gate:x' is not user@host:port"),
        ("{env: REDIS_PASSWORD}", "hunter2", f"4: defaults.redis.password: {NO_LITERAL}"),
        ("{env: REDIS_PASSWORD}", "12345", f"4: defaults.redis.password: {NO_LITERAL}"),
        ("{env: REDIS_PASSWORD}", "[hunter2]", f"4: defaults.redis.password: {NO_LITERAL}"),
        (
            "{env: REDIS_PASSWORD}",
            "{hunter2}",
            "4: defaults.redis.password: needs exactly one of env, file, command and prompt",
        ),
        (
            "{env: REDIS_PASSWORD}",
            "{env: hunter-2}",
            "4: defaults.redis.password.env: must be the name of a variable, like REDIS_PASSWORD, without $",
        ),
        (
            "{env: REDIS_PASSWORD}",
            "{env: A, prompt: true}",
            "4: defaults.redis.password: needs exactly one of env, file, command and prompt",
        ),
        ("{env: REDIS_PASSWORD}", "{env: 99}", "4: defaults.redis.password.env: must be text; put it in quotes"),
        ("{env: REDIS_PASSWORD}", "*hunter2", "4: has an alias (*…) without an anchor (&…) before it"),
        ("{env: REDIS_PASSWORD}", "!hunter2 x", "4: has a tag (!…): tags are not used here"),
        (
            "kind: keepalived",
            "kind: sentinel",
            "7: clusters[0].kind: sentinel is not known: it is one of keepalived, sentinel-vip, sentinel-consul",
        ),
        (
            "kind: keepalived",
            "kind: keepalived\n    master_name: m",
            "8: clusters[0].master_name: belongs to kind sentinel-vip and sentinel-consul, "
            "and this cluster is of kind keepalived",
        ),
        ("    vip: 192.168.100.123\n", "", "6: clusters[0].vip: is missing: a pair behind keepalived has a virtual IP"),
        ("vip: 192.168.100.123", "vip: 192.168.100.300", "8: clusters[0].vip: '192.168.100.300' is not an IP address"),
        ("vip: 192.168.100.123", "vip: redis", "8: clusters[0].vip: 'redis' is not an IP address"),
        (
            "vip: 192.168.100.123",
            "vip: 192.168.100.123/24",
            "8: clusters[0].vip: 192.168.100.123/24 must be without its prefix length: 192.168.100.123",
        ),
        (
            "vip: 192.168.100.123",
            "vip: 192.168.100.202",
            "8: clusters[0].vip: 192.168.100.202 is a node's own address; the virtual IP is the one that moves",
        ),
        (
            "name: redis-b",
            "name: redis-a",
            "15: clusters[0].nodes[1].name: there is another node redis-a; "
            "names are typed at gates, so each must be unique",
        ),
        (
            "192.168.100.202",
            "192.168.100.201",
            "16: clusters[0].nodes[1].address: 192.168.100.201:6379 is redis-a already; "
            "each node has an address of its own",
        ),
        ("192.168.100.202", "192.168.100.2020", "16: clusters[0].nodes[1].address: '192.168.100.2020' is not an IP address"),
        (
            "192.168.100.202",
            "redis_b!",
            "16: clusters[0].nodes[1].address: 'redis_b!' is neither an IP address nor a host name",
        ),
        ("name: cache", "name: ca che", "6: clusters[0].name: 'ca che' is not a name: letters, digits, dot, dash and underscore"),
        ("name: cache", "name: cache\n    name: cache", "7: clusters[0].name: stands here twice, first on line 6; keep one"),
        ("{systemd: redis}", "{systemd: redis, sysv: redis}", f"12: {SERVICE}: needs exactly one of systemd, sysv, or commands (start, stop, reload, status)"),
        ("{systemd: redis}", "{start: x}", f"12: {SERVICE}: needs the commands start and stop, and may have reload and status"),
        (
            "{systemd: redis}",
            "{systemd: 'redis; reboot'}",
            f"12: {SERVICE}.systemd: 'redis; reboot' is not the name of a service; "
            "a command line goes under start, stop, reload, status",
        ),
        ("instance: VI_123", "config: keepalived.conf", "14: clusters[0].nodes[0].keepalived.config: 'keepalived.conf' must be an absolute path on the node"),
        ("instance: VI_123", "instance:\n            - x", "14: clusters[0].nodes[0].keepalived.instance: must be text"),
        ("  redis: {port", "\tredis: {port", "4: is indented with a tab; use spaces"),
        ("clusters:", "clusters: x\nother:", "5: clusters: x must be a list: lines that begin with -"),
        ("version: 1", "version: 1\n---\nversion: 1", "2: a second document begins here (---): write one document to a file"),
        ("redis: {port: 6379", "redis: {aliases: {config: X}, port: 6379", "4: defaults.redis.aliases.config: must be the command's own name in capitals, like CONFIG"),
        ("redis: {port: 6379", "redis: {tls: {cert_file: x}, port: 6379", "4: defaults.redis.tls: needs cert_file and key_file together, or neither"),
    ],
)  # fmt: skip
def test_a_bad_one_gets_one_line(old, new, line):
    assert old in GOOD
    assert refusal(GOOD.replace(old, new, 1)) == f"inventory.yaml:{line}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "1: is empty"),
        ("# nothing\n", "1: is empty"),
        ("- a\n", "1: must be a mapping of keys, as in the example; it is a list"),
        ("word\n", "1: must be a mapping of keys, as in the example; it is a single value"),
        ("a: [1\n", "2: is not YAML: there is no expected ',' or ']' (while parsing a flow sequence, which began on line 1)"),
        ("a: b: c\n", "1: is not YAML: mapping values are not allowed in this context"),
        ("a: 'x\n", "2: is not YAML: found unexpected end of stream (while scanning a quoted scalar, which began on line 1)"),
        ("a: \x07\n", "1: has a character that cannot be printed; remove it"),
        ("? [a]\n: b\n", "1: a key must be a word"),
        ("a: " + "[" * 60 + "]" * 60, "1: is nested deeper than 40 levels"),
        ("a: !!python/object:os.system x\n", "1: has a tag (!…): tags are not used here"),
    ],
)  # fmt: skip
def test_text_that_is_no_document_gets_one_line(text, line):
    assert refusal(text) == f"inventory.yaml:{line}"


def test_aliases_that_multiply_are_bounded():
    text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        text += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    assert (
        refusal(text) == "inventory.yaml:5: the aliases in this file stand for too many values; write it without them"
    )


def test_all_problems_are_kept_in_the_order_of_the_lines():
    with pytest.raises(DocumentError) as caught:
        inventory_of(parse_document(Path("i"), GOOD.replace("VI_123", "7").replace("6379", "0")))
    assert [problem.split(":")[1] for problem in caught.value.problems] == ["4", "14"]


@given(st.text(alphabet="abc:-[]{}&*!|>'\"#%@`,? \n\t<", max_size=60))
def test_any_text_that_is_no_inventory_is_refused_in_lines(text):
    with pytest.raises(DocumentError) as caught:
        inventory_of(parse_document(Path("i"), text))
    assert all("\n" not in problem for problem in caught.value.problems)


def test_files_that_cannot_be_read_get_one_line(tmp_path, monkeypatch):
    missing, folder, latin, large = (tmp_path / name for name in ("missing", "folder", "latin", "large"))
    folder.mkdir()
    latin.write_bytes(b"version: 1\nname: \xe9\n")
    large.write_bytes(b"#" * (1024 * 1024 + 1))
    said = {}
    for path in (missing, folder, latin, large):
        with pytest.raises(DocumentError) as caught:
            load_inventory(path)
        said[path.name] = str(caught.value).removeprefix(str(path))
    assert said == {
        "missing": ": does not exist",
        "folder": ": is a folder, not a file",
        "latin": ":2: is not UTF-8 text; save it as UTF-8",
        "large": ": is larger than 1 MiB: not a document of this program",
    }

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(DocumentError, match="may not be read by this user"):
        load_inventory(latin)


def test_the_example_loads_and_names_every_key():
    path = Path(__file__).parents[3] / "inventory.example.yaml"
    assert load_inventory(path).clusters
    text = path.read_text(encoding="utf-8")
    sections = ("Ssh", "Tls", "Service", "Redis", "Keepalived", "Node", "Password")
    definitions = InventoryDocument.model_json_schema()["$defs"]
    unnamed = [key for name in sections for key in definitions[name]["properties"] if f"{key}:" not in text]
    assert unnamed == []


def test_the_schema_is_json():
    schema = InventoryDocument.model_json_schema()
    assert json.loads(json.dumps(schema))["additionalProperties"] is False


TAGGED = GOOD.replace("defaults:\n", "defaults:\n  tags: [prod, site:berlin]\n").replace(
    "    nodes:\n", "    tags: {tags}\n    nodes:\n"
)


@pytest.mark.parametrize(
    ("own", "tags"),
    [
        ("[billing]", ("prod", "site:berlin", "billing")),
        ("[site:berlin, prod, x_1.2-3]", ("prod", "site:berlin", "x_1.2-3")),
        ("[]", ("prod", "site:berlin")),
        ("null", ()),
    ],
)
def test_tags_of_the_file_come_before_those_of_the_cluster(own, tags):
    inventory = inventory_of(parse_document(Path("inventory.yaml"), TAGGED.replace("{tags}", own)))
    assert inventory.cluster("cache").tags == tags


@pytest.mark.parametrize("wrong", ["two words", "a:b:c", ":berlin", "site:", "-x", "ä", "a\nb", "x" * 41, ""])
def test_what_is_no_tag_gets_one_line(wrong):
    said = refusal(TAGGED.replace("{tags}", json.dumps([wrong])))
    assert said.startswith("inventory.yaml:10: clusters[0].tags[0]: ")
    assert "is not a tag like prod or site:berlin" in said


def test_a_tag_with_a_space_after_its_colon_and_a_number_get_one_line():
    assert "clusters[0].tags[0]: must be text" in refusal(TAGGED.replace("{tags}", "[site: berlin]"))
    assert "clusters[0].tags[0]: 2026 must be text; put it in quotes" in refusal(TAGGED.replace("{tags}", "[2026]"))


QUIET = GOOD.replace(
    "    vip: 192.168.100.123\n", "    vip: 192.168.100.123\n    quiet_hours: {hours}\n    timezone: {zone}\n"
)


def test_quiet_hours():
    text = QUIET.replace("{hours}", '["02:00-05:00", "22:30-00:15"]').replace("{zone}", "Europe/Berlin")
    cluster = inventory_of(parse_document(Path("inventory.yaml"), text)).cluster("cache")
    assert cluster.quiet_hours == (QuietHours(120, 300), QuietHours(22 * 60 + 30, 15))
    assert cluster.timezone == "Europe/Berlin"
    assert [str(one) for one in cluster.quiet_hours] == ["02:00-05:00", "22:30-00:15"]


@pytest.mark.parametrize(
    ("hours", "zone", "said"),
    [
        ('["2-5"]', "UTC", "'2-5' is not a time of day, like 02:00-05:00"),
        ('["24:00-05:00"]', "UTC", "'24:00-05:00' is not a time of day"),
        ('["02:00-02:00"]', "UTC", "begins where it ends"),
        ('["02:00-05:00"]', "Mars/Base", "'Mars/Base' is no time zone of this machine"),
        ("[]", "UTC", "timezone: is only for quiet_hours, and there are none"),
    ],
)
def test_quiet_hours_that_are_wrong(hours, zone, said):
    assert said in refusal(QUIET.replace("{hours}", hours).replace("{zone}", zone))
