"""The systems of the documents as captures: they can be read, rehearsed where that is possible, and hold no secret."""

from __future__ import annotations

import base64
import dataclasses
import re
from pathlib import Path

import pytest

from console.cli.context import CliError
from console.core.drills.capture import CapturedFile, CapturedInterface, CapturedMachine, Part, Unread
from console.core.drills.differences import LaboratoryFacts, called_programs, differences, missing_programs
from console.core.drills.redis_lines import LEFT_OUT, REPLACED, usable_text
from console.core.drills.scenarios import scenarios_for
from console.core.drills.stand_ins import STAND_IN, secrets_in
from console.documents.capture import read_capture
from console.documents.inventories.inventory import load_inventory
from console.drill.rebuilt.consul import answers_dns, consul_text
from console.drill.rebuilt.hosts import system_of
from console.drill.rebuilt.inventory import inventory
from console.drill.rebuilt.rehearsal import MOST_BYTES, MOST_KEYS, data_size
from console.drill.rebuilt.sentinel_sets import quorum_losing
from console.drill.rebuilt.sentinels import made_file
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


def inventory_of(capture, folder):
    """The cluster of the inventory that a rehearsal would have."""
    for file in ("id_ed25519", "known_hosts", "ssh_config", *(f"password-{host.name}" for host in capture.hosts)):
        (folder / file).touch(mode=0o600)
    place = folder / "inventory.yaml"
    place.write_text(inventory(capture, str(folder), LabOptions()))
    (cluster,) = load_inventory(place).clusters
    return cluster


@pytest.mark.parametrize("name", SETS)
def test_a_set_gets_an_inventory_as_in_production(name, tmp_path):
    capture = read_capture(CAPTURES / name)
    require_drillable(capture)
    cluster = inventory_of(capture, tmp_path)
    assert (cluster.name, cluster.kind, cluster.master_name) == (capture.cluster, capture.kind, capture.master_name)
    assert (cluster.vip, cluster.read_vip) == (capture.vip, capture.read_vip)
    told = [(one.name, one.address, one.port, one.host, one.service.sysv) for one in cluster.sentinels]
    assert told == [(one.name, one.address, one.port, one.machine, "redis-sentinel") for one in capture.sentinels]
    assert [(one.name, one.address) for one in cluster.directors] == [
        (one.name, one.address) for one in capture.directors
    ]
    if capture.consul is not None:
        assert (cluster.consul.http, cluster.consul.dns) == (capture.consul.http, capture.consul.dns)
        assert cluster.consul.service == capture.consul.service


def test_a_sentinel_of_another_host_gets_a_machine_and_a_file_of_its_own(tmp_path):
    """With its requirepass, and with a Redis that is reached by TLS under another name."""
    capture = read_capture(CAPTURES / "sentinel-vip")
    lone = CapturedMachine(
        name="watch", address="192.168.100.9", hostname="watch", system="", users=(), processes=(), files=(), memory=0,
        interfaces=(CapturedInterface("eth0", ("192.168.100.9/24",)),), keepalived_version="", keepalived_config="",
        instance="", state_log="",
    )  # fmt: skip
    far = dataclasses.replace(
        capture.sentinels[0], name="watch", address=lone.address, machine="watch", config="", service="",
        password="stand009", tls=True, server_name="redis.example",
    )  # fmt: skip
    capture = dataclasses.replace(capture, sentinels=(*capture.sentinels[1:], far), others=(lone,))
    require_drillable(capture)
    (tmp_path / "password-watch").touch(mode=0o600)
    one = inventory_of(capture, tmp_path).sentinels[-1]
    assert (one.name, one.host, one.tls.server_name) == ("watch", "", "redis.example")
    assert system_of(capture).addresses["watch"] == "192.168.100.9"
    assert "sentinel monitor master1 192.168.100.123 6379 2" in made_file(capture, far)
    assert "requirepass stand009" in made_file(capture, far)


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_gets_an_inventory_as_in_production(name, tmp_path):
    capture = read_capture(CAPTURES / name)
    require_drillable(capture)
    cluster = inventory_of(capture, tmp_path)
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


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("sentinel-vip", {"sentinels": ()}, "no Sentinel was captured: nothing would fail over"),
        ("sentinel-consul", {"consul": None}, "Consul was not captured: nothing would lead clients"),
        ("sentinel-consul", {"consul": {"machine": ""}}, "is no node of the cluster"),
        ("sentinel-consul", {"consul": {"machine": "app02"}}, "app02: Consul did not run when it was captured"),
        ("sentinel-consul", {"consul": {"http": "https://192.168.3.1:8501"}}, "its Consul speaks TLS"),
    ],
)
def test_a_set_that_cannot_be_rehearsed_is_refused_in_one_line(name, change, why):
    capture = read_capture(CAPTURES / name)
    changes = {key: dataclasses.replace(capture.consul, **value) if isinstance(value, dict) else value
               for key, value in change.items()}  # fmt: skip
    with pytest.raises(CliError, match=why):
        require_drillable(dataclasses.replace(capture, **changes))


@pytest.mark.parametrize("text", ['{"encrypt": "stand007"}', 'encrypt = "stand007"\n'])
def test_consul_gets_a_key_that_it_takes_in_the_place_of_a_stand_in(text):
    key = re.search(r"[:=] \"(?P<key>[^\"]+)\"", consul_text(CapturedFile("/x", Part.CONSUL, 0o600, "root:root", text)))
    assert len(base64.b64decode(key["key"])) == 32
    own = text.replace("stand007", "own")
    assert consul_text(CapturedFile("/x", Part.CONSUL, 0o600, "root:root", own)) == own


def test_a_name_server_that_is_not_consul_is_not_asked():
    capture = read_capture(CAPTURES / "sentinel-consul")
    assert answers_dns(capture)
    for dns in ("192.168.3.1:53", "192.168.3.9:8600", ""):
        assert not answers_dns(dataclasses.replace(capture, consul=dataclasses.replace(capture.consul, dns=dns)))


def test_each_kind_has_its_own_scenarios():
    """Only those whose fault has something to hit."""
    of = {name: {one.name for one in scenarios_for(read_capture(CAPTURES / name))} for name in (*PAIRS, *SETS)}
    common = {"master-redis-dies", "master-host-dies", "partition", "replica-dies", "disk-full", "freeze"}
    assert of["one-shot"] == of["password"] == common | {"keepalived-dies"}
    assert of["sentinel-vip"] == common | {"sentinel-dies", "quorum-lost", "director-dies"}
    # There is one Sentinel only: that it dies is the loss of the quorum.
    assert of["sentinel-consul"] == common | {"sentinel-dies", "consul-dies"}
    capture = read_capture(CAPTURES / "sentinel-vip")
    without = dataclasses.replace(capture, directors=())
    assert "director-dies" not in {one.name for one in scenarios_for(without)}
    assert quorum_losing(capture) == 2
    assert quorum_losing(read_capture(CAPTURES / "sentinel-consul")) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda host: {"files": host.parts(Part.SCRIPT)}, "nothing would move the virtual IP"),
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
    page = first_page(capture, (*missing_programs(capture, has), *differences(capture, facts)), "drill-1a2b")
    page = " ".join(page.split())
    for said in (
        "DRILL on cache", "Production is not touched", "lab enter --in drill-1a2b redis-a",
        "calls awk: the laboratory does not have it",
        "redis-a runs redis 3.0.4; the rehearsal has Redis 6.0", "keepalived 1.2.13; the rehearsal has 2.2.7",
        "has no systemd", "the inventory's own commands", "made up: 100 keys of 10 bytes", "/opt/x: this login may not",
    ):  # fmt: skip
        assert said in page, said
    assert "redis-b runs" not in page


@pytest.mark.parametrize("word", [*LEFT_OUT, *REPLACED])
def test_a_line_of_redis_conf_that_is_not_used_is_told(word):
    """For each such directive: the first page names the line, and only what would keep Redis from starting is gone."""
    capture = read_capture(CAPTURES / "one-shot")
    first = capture.hosts[0]
    line = f"{word.upper()} /usr/lib/x y"
    files = [
        dataclasses.replace(one, text=f"{one.text}\n  {line}\n# {line}\n") if one.part is Part.REDIS else one
        for one in first.files
    ]
    capture = dataclasses.replace(capture, hosts=(dataclasses.replace(first, files=tuple(files)), *capture.hosts[1:]))
    told = differences(capture, LaboratoryFacts({one.name: "7.0" for one in capture.hosts}, "2.2.7", 100, 10))
    assert len([one for one in told if f"{first.redis.config}: `{line}` is " in one]) == 1
    text = usable_text(next(one.text for one in files if one.part is Part.REDIS))
    assert (f"#   {line}\n" in text) == (word in LEFT_OUT)
    assert text.count(line) == 2


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
