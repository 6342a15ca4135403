"""The systems of the documents as captures: they can be read, rehearsed where that is possible, and hold no secret."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from console.cli.context import CliError
from console.core.drills.capture import Part, Unread
from console.core.drills.differences import LaboratoryFacts, called_programs, differences, missing_programs
from console.core.drills.stand_ins import STAND_IN, secrets_in
from console.documents.capture import read_capture
from console.documents.inventories.inventory import load_inventory
from console.drill.hosts import inventory, system_of
from console.drill.rehearsal import MOST_BYTES, MOST_KEYS, data_size
from console.drill.starting import first_page, require_drillable
from console.lab.hosts.containment import place_of
from console.lab.options import LabError, LabOptions

CAPTURES = Path(__file__).parents[2] / "captures"
PAIRS = ("one-shot", "password", "preempting")
SETS = ("sentinel-vip", "sentinel-consul")


@pytest.mark.parametrize("name", [*PAIRS, *SETS])
def test_no_secret_is_in_a_capture(name):
    texts = [path.read_text() for path in (CAPTURES / name).rglob("*") if path.is_file()]
    found = [one for text in texts for one in secrets_in(text)]
    assert [one for one in found if not STAND_IN.fullmatch(one)] == []


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_gets_an_inventory_as_in_production(name, tmp_path):
    capture = read_capture(CAPTURES / name)
    require_drillable(capture)
    for file in ("id_ed25519", "known_hosts", "ssh_config", *(f"password-{host.name}" for host in capture.hosts)):
        (tmp_path / file).touch(mode=0o600)
    place = tmp_path / "inventory.yaml"
    place.write_text(inventory(capture, str(tmp_path), LabOptions()))
    (cluster,) = load_inventory(place).clusters
    assert (cluster.name, cluster.vip, cluster.kind) == (capture.cluster, capture.vip, capture.kind)
    for node, host in zip(cluster.nodes, capture.hosts, strict=True):
        assert (node.name, node.address) == (host.name, host.address)
        assert (node.redis.config, node.redis.dir) == (host.redis.config, host.redis.dir)
        assert node.keepalived.config == host.keepalived_config
        assert bool(node.redis.password) == bool(host.redis.password)
        assert f"{node.redis.service.systemd}{node.redis.service.sysv}" == "redis-server"


def test_the_operator_gets_an_address_that_nobody_has():
    capture = read_capture(CAPTURES / "password")
    assert system_of(capture).operator == ("192.168.1.254/24",)
    taken = dataclasses.replace(capture, vip="192.168.1.254")
    assert system_of(taken).operator == ("192.168.1.253/24",)


@pytest.mark.parametrize("name", SETS)
def test_a_set_under_sentinels_is_refused_in_one_line(name):
    with pytest.raises(CliError, match="only pairs with keepalived are rehearsed"):
        require_drillable(read_capture(CAPTURES / name))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda host: {"files": host.parts(Part.SCRIPT)}, "nothing would move the virtual IP"),
        (lambda host: {"redis": dataclasses.replace(host.redis, tls=True)}, "speaks TLS"),
        (lambda _: {"interfaces": ()}, "addresses were not captured"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_in_one_line(change, why):
    capture = read_capture(CAPTURES / "one-shot")
    host = capture.hosts[0]
    spoiled = dataclasses.replace(host, **change(host))
    with pytest.raises(CliError, match=why):
        require_drillable(dataclasses.replace(capture, hosts=(spoiled, *capture.hosts[1:])))


def test_the_first_page_says_what_differs():
    capture = read_capture(CAPTURES / "preempting")
    old = dataclasses.replace(capture.hosts[0].redis, version="3.0.4")
    systemd = {"redis": "systemd redis", "keepalived": "own"}
    first = dataclasses.replace(capture.hosts[0], redis=old, keepalived_version="1.2.13", services=systemd)
    unread = Unread(first.name, "/opt/x", "this login may not read it", "it is not rehearsed")
    capture = dataclasses.replace(capture, hosts=(first, *capture.hosts[1:]), unread=(unread,))
    facts = LaboratoryFacts({"redis-a": "6.0", "redis-b": "7.0"}, "2.2.7", 100, 10)
    has = {name: name != "awk" for name in called_programs(capture)}
    page = first_page(capture, (*missing_programs(capture, has), *differences(capture, facts)))
    page = re.sub(r"\n +", " ", page)
    for said in (
        "DRILL on cache", "Production is not touched", "calls awk: the laboratory does not have it",
        "redis-a runs redis 3.0.4; the rehearsal has Redis 6.0", "keepalived 1.2.13; the rehearsal has 2.2.7",
        "has no systemd", "the inventory's own commands", "made up: 100 keys of 10 bytes", "/opt/x: this login may not",
    ):  # fmt: skip
        assert said in page, said
    assert "redis-b runs" not in page


def test_made_up_data_is_bounded():
    capture = read_capture(CAPTURES / "one-shot")
    huge = dataclasses.replace(capture.hosts[0].redis, keys=90_000_000, used_memory=64_000_000_000)
    capture = dataclasses.replace(
        capture, hosts=(dataclasses.replace(capture.hosts[0], redis=huge), *capture.hosts[1:])
    )
    size = data_size(capture, None)
    assert size.keys == MOST_KEYS
    assert size.keys * size.value_bytes <= MOST_BYTES
    assert data_size(capture, 0).keys == 0


@pytest.mark.parametrize("path", ["/../x", "/etc/../../x", "/link/x"])
def test_no_file_of_a_capture_is_written_beside_its_host(tmp_path, path):
    root = tmp_path / "disk" / "root"
    root.mkdir(parents=True)
    (root / "link").symlink_to("/etc")
    with pytest.raises(LabError, match="leads out of its host"):
        place_of(root, path)
    assert place_of(root, "/usr/local/bin/x") == tmp_path / "disk/upper/local/bin/x"
    assert place_of(root, "/etc/x") == root / "etc/x"
