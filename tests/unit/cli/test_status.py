"""`status`: the public JSON, the metrics, the table, and the exit codes that monitors read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
import sample_races
import sample_sets
import samples

from console.cli.context import Adapters
from console.cli.main import run
from console.cli.status.as_json import ClusterStatus, as_json
from console.cli.status.as_table import as_table
from console.cli.status.command import exit_code
from console.cli.status.metrics.exposition import as_openmetrics
from console.core.diagnosis.finding import Finding, Health, NextAction, Severity
from console.core.inventory import UnusableCluster
from console.core.kinds.diagnose import diagnose
from console.core.model import ClusterState

FINDING = Finding(
    code="failover-unprotected",
    severity=Severity.WARNING,
    nodes=("redis-a",),
    summary="The pair cannot survive the next failure.",
    why="Nobody would take the VIP.",
    evidence=("redis-b's Redis is \x1b[31mdown",),
    next=NextAction(runbook="one-shot-rebuild"),
)
INVENTORY = """\
version: 1
clusters:
  - name: cache
    kind: keepalived
    vip: 192.168.100.123
    nodes: [{name: redis-a, address: 192.168.100.201}, {name: redis-b, address: 192.168.100.202}]
"""


def seen(state: ClusterState, health: Health = Health.WARNING) -> ClusterStatus:
    return ClusterStatus(state, (FINDING,), health)


def document(state: ClusterState) -> dict:
    return json.loads(as_json([seen(state)], samples.NOW))


def keys_of(value: object, at: str = "") -> set[str]:
    if isinstance(value, dict):
        return {f"{at}.{key}" for key in value} | {one for key in value for one in keys_of(value[key], f"{at}.{key}")}
    return {one for item in value for one in keys_of(item, at + "[]")} if isinstance(value, list) else set()


PUBLIC = """
.version .observed_at .clusters .clusters[].name .clusters[].kind .clusters[].health .clusters[].vip
.clusters[].vip.address .clusters[].vip.holders .clusters[].vip.reaches .clusters[].nodes .clusters[].findings
"""
NODE = """
name address ssh ssh.ok ssh.error holds_vip redis redis.ok redis.error redis.version redis.run_id redis.role
redis.master redis.master.host redis.master.port redis.master.link redis.master.sync_in_progress
redis.master.last_io_seconds redis.offset redis.lag_bytes redis.replid redis.replid2 redis.second_offset redis.replicas
redis.replicas[].address redis.replicas[].state redis.replicas[].offset redis.replicas[].lag_seconds redis.keys
redis.used_memory redis.ops_per_second redis.persistence redis.persistence.rdb_last_save
redis.persistence.rdb_last_status redis.persistence.aof redis.loading keepalived keepalived.ok keepalived.error
keepalived.running keepalived.state keepalived.since keepalived.priority keepalived.effective_priority
keepalived.weight keepalived.vrid keepalived.instance keepalived.version
"""
FOUND = "code severity nodes summary evidence next next.runbook"


def test_the_json_has_every_public_key():
    public = set(PUBLIC.split())
    public |= {f".clusters[].nodes[].{key}" for key in NODE.split()}
    public |= {f".clusters[].findings[].{key}" for key in FOUND.split()}
    assert public <= keys_of(document(samples.healthy_pair()))


def test_the_json_has_the_tags_of_the_inventory():
    state = samples.healthy_pair()
    unusable = [UnusableCluster("c", ("wrong",), ("prod",)), UnusableCluster("d", ("wrong",))]
    one = replace(seen(state), tags=("prod", "site:berlin"))
    clusters = json.loads(as_json([one, seen(state)], samples.NOW, unusable))["clusters"]
    assert [one["tags"] for one in clusters] == [["prod", "site:berlin"], [], ["prod"], None]


def test_the_json_says_what_was_observed():
    cluster = document(samples.healthy_pair())["clusters"][0]
    replica, master = cluster["nodes"]
    assert cluster["vip"] == {
        "address": "192.168.100.123",
        "holders": ["redis-b"],
        "not_known_of": [],
        "reaches": "redis-b",
        "error": None,
    }
    assert (replica["redis"]["role"], replica["redis"]["lag_bytes"]) == ("replica", 14)
    assert (master["redis"]["role"], master["redis"]["lag_bytes"], master["redis"]["master"]) == ("master", None, None)
    assert master["redis"]["persistence"]["rdb_last_save"] == "2026-11-21T07:30:00.000Z"
    assert replica["redis"]["keys"].keys() <= {"0", "1"}
    assert master["keepalived"]["state"] == "MASTER"


def test_the_json_says_what_scripts_will_do_and_how_long_the_window_is_open():
    cluster = document(sample_races.promoted(age=11.0))["clusters"][0]
    assert cluster["window"] == {
        "master": "redis-b",
        "heir": "redis-a",
        "open": True,
        "opens_in_seconds": None,
        "closes_in_seconds": 4.0,
    }
    (line,) = cluster["nodes"][0]["keepalived"]["scripts"]
    assert (line["pid"], line["called_for"], line["conditional"]) == (82, "notify_backup", True)
    assert (line["sends"], line["in_seconds"]) == ("SLAVEOF redis-b", 4.0)
    cluster = document(sample_races.returning(age=3.0))["clusters"][0]
    assert (cluster["window"]["open"], cluster["window"]["opens_in_seconds"]) == (False, 7.0)
    assert cluster["nodes"][1]["keepalived"]["scripts"][0]["sends"] == "SLAVEOF NO ONE"
    cluster = document(samples.healthy_pair())["clusters"][0]
    assert (cluster["window"], cluster["nodes"][0]["keepalived"]["scripts"]) == (None, [])


def test_what_could_not_be_read_is_null_with_its_reason():
    node = document(samples.unreachable_node())["clusters"][0]["nodes"][1]
    assert (node["ssh"]["ok"], node["ssh"]["error"], node["holds_vip"]) == (False, "no route to host", None)
    for section in ("redis", "keepalived"):
        assert node[section]["ok"] is False
        assert node[section]["error"]
        rest = [value for key, value in node[section].items() if key not in {"ok", "error", "config_error"}]
        assert rest == [None] * len(rest)


@pytest.mark.parametrize(
    "sample",
    [
        samples.healthy_pair,
        samples.failed_over_pair,
        samples.fresh_pair,
        samples.stale_master_back,
        samples.split_brain,
        samples.syncing_pair,
        samples.unreachable_node,
    ],
)
def test_every_state_prints_in_every_form(sample):
    state = sample()
    json.loads(as_json([seen(state)], samples.NOW))
    assert as_openmetrics([seen(state)]).endswith("# EOF\n")
    table = as_table([seen(state)], colour=False)
    assert "\x1b" not in table
    assert "next: run one-shot-rebuild" in table


def test_the_table_says_the_same_without_colour():
    state = samples.failed_over_pair()
    plain, painted = (as_table([seen(state)], colour=colour) for colour in (False, True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain
    assert "cache  WARNING  VIP 192.168.100.123 on redis-a, reaches redis-a" in plain


@pytest.mark.parametrize(
    ("healths", "code"),
    [
        (["healthy"], 0),
        (["healthy", "warning"], 1),
        (["warning", "unknown"], 3),
        (["unknown", "critical"], 2),
    ],
)
def test_exit_codes_are_those_of_monitoring_plugins(healths, code):
    assert exit_code([seen(samples.healthy_pair(), Health(one)) for one in healths]) == code


def adapters(state: ClusterState, **more: object) -> Adapters:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("status has no hands and no screen")

    return Adapters(
        clock=fakes.FakeClock,
        inspector=lambda *_, **__: fakes.FakeInspector(lambda: state),
        run_starter=never,
        run_app=never,
        **more,
    )


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    return path


def test_the_whole_command(capsys, inventory):
    assert run(["-i", str(inventory), "status"], adapters(samples.healthy_pair())) == 0
    assert "redis-b" in capsys.readouterr().out
    assert run(["status", "-i", str(inventory), "cache", "-f", "json"], adapters(samples.failed_over_pair())) in {1, 2}
    found = json.loads(capsys.readouterr().out)
    assert "one-shot-rebuild" in [one["next"].get("runbook") for one in found["clusters"][0]["findings"]]
    assert run(["status", "-i", str(inventory), "-f", "openmetrics"], adapters(samples.healthy_pair())) == 0
    assert capsys.readouterr().out.endswith("# EOF\n")


WRONG = """\
  - name: sessions
    kind: keepalived
    vip: 192.168.200.123
    nodes: [{name: redis-c, address: 192.168.200.201, colour: red}, {name: redis-d, address: 192.168.200.202}]
"""
LOCKED = WRONG.replace("colour: red", "redis: {password: {env: A_VARIABLE_THAT_IS_NOT_SET}}")


@pytest.mark.parametrize(
    ("more", "said"),
    [(WRONG, "inventory.yaml:10: clusters[1].nodes[0].colour: is not a key here"), (LOCKED, "is not set")],
)
def test_a_cluster_that_cannot_be_used_is_shown_beside_the_others(capsys, inventory, more, said):
    inventory.write_text(INVENTORY + more)
    looks = adapters(samples.healthy_pair())
    assert run(["status", "-i", str(inventory)], looks) == 3
    table = capsys.readouterr().out
    assert [line.split()[:2] for line in table.splitlines()[1:3]] == [["UNKNOWN", "sessions"], ["HEALTHY", "cache"]]
    assert said in table
    assert run(["status", "--verbose", "-i", str(inventory)], looks) == 3
    detail = capsys.readouterr().out
    assert "cache  HEALTHY" in detail
    assert "sessions  UNKNOWN" in detail
    assert said in detail
    assert run(["status", "-i", str(inventory), "-f", "json"], looks) == 3
    sound, wrong = json.loads(capsys.readouterr().out)["clusters"]
    assert sound.keys() == wrong.keys()
    assert (sound["problems"], wrong["name"], wrong["health"]) == ([], "sessions", "unknown")
    assert said in wrong["problems"][0]
    assert run(["status", "-i", str(inventory), "-f", "openmetrics"], looks) == 3
    metrics = capsys.readouterr().out
    assert 'redis_ha_cluster_health{cluster="sessions",redis_ha_cluster_health="unknown"} 1' in metrics
    assert run(["status", "cache", "-i", str(inventory)], looks) == 0
    assert "sessions" not in capsys.readouterr().out
    assert run(["status", "sessions", "-i", str(inventory)], looks) == 3
    assert said in capsys.readouterr().err


def test_what_connecting_needs_is_imported_before_anything_else_and_leaving_comes_last(capsys, inventory, monkeypatch):
    done = []
    looks = adapters(
        samples.healthy_pair(),
        import_connection_libraries=lambda: done.append(sorted(closed)),
        exit_at_once=lambda code: done.append((code, sorted(closed), capsys.readouterr().out != "")),
    )
    closed: list[str] = []
    monkeypatch.setattr(fakes.FakeInspector, "close", lambda one: closed.append(one.cluster))
    assert run(["-i", str(inventory), "status"], looks) == 0
    assert done == [[], (0, ["cache"], True)]


def test_a_call_that_fails_ends_as_every_other(capsys, inventory):
    def exit_at_once(code: int) -> None:
        raise AssertionError(f"left with {code}")

    assert (
        run(["-i", str(inventory), "status", "nothing"], adapters(samples.healthy_pair(), exit_at_once=exit_at_once))
        == 3
    )
    assert "has no cluster nothing" in capsys.readouterr().err


def test_sentinels_directors_and_consul_stand_beside_the_nodes():
    cluster = document(sample_sets.sentinel_vip_set())["clusters"][0]
    assert [one["master"] for one in cluster["sentinels"]] == ["10.18.14.72:6379"] * 3
    assert [one["holds_read_vip"] for one in cluster["read_vip"]["directors"]] == [True, False]
    assert cluster["read_vip"]["directors"][0]["ipvs"]["real_servers"][0]["weight"] == 1
    other = document(sample_sets.sentinel_consul_set())["clusters"][0]
    assert other["vip"]["address"] is None
    assert [one["passing"] for one in other["consul"]["instances"]] == [False, True]
    assert other["consul"]["dns"]["addresses"] == ["192.168.3.2"]
    assert not {"sentinels", "read_vip", "consul"} & set(document(samples.healthy_pair())["clusters"][0])


def test_the_table_has_the_columns_of_the_kind():
    table = as_table([seen(sample_sets.sentinel_consul_set())], colour=False)
    assert "KEEPALIVED" not in table
    assert "redis.service.consul resolves to 192.168.3.2" in table
    assert "sentinel (192.168.3.2:26379): master 192.168.3.2:6379, config epoch 3, quorum 1" in table


def test_half_a_pair_of_surrogates_is_escaped():
    state = samples.healthy_pair()
    first = state.nodes[0]
    name = first.ssh.map(lambda host: replace(host, hostname="red\ud800\u202eis"))
    text = as_json([seen(replace(state, nodes=(replace(first, ssh=name), *state.nodes[1:])))], samples.NOW)
    assert text.isascii()
    assert json.loads(text)["clusters"][0]["nodes"][0]["ssh"]["hostname"] == "red\ud800\u202eis"


@pytest.mark.parametrize(
    "state",
    [samples.failed_over_pair(), samples.split_brain(), sample_sets.sentinel_vip_set()],
    ids=["failed-over", "split-brain", "set"],
)
def test_status_fits_into_a_terminal_and_says_the_same(state):
    whole = as_table([seen(state)], colour=False)
    narrow = as_table([seen(state)], colour=False, width=80)
    words = whole.split()
    assert all(len(one) <= 80 or len(one.split()) == 1 for one in narrow.splitlines())
    assert set(words) == set(narrow.split())


def test_what_has_scrolled_away_is_said_again_at_the_end():
    """One cluster, longer than the terminal: the verdict and the worst findings stand above the prompt."""
    state = samples.split_brain()
    findings = diagnose(state, samples.NOW)
    told = ClusterStatus(state, findings, Health.CRITICAL)
    table = as_table([told], colour=False, width=80, height=24)
    assert table.count("\n") >= 24
    _, _, end = table.rpartition(f"{state.name}  CRITICAL, the worst of it again:")
    assert end.count("\n") < 23
    critical = [one.code for one in findings if one.severity is Severity.CRITICAL]
    assert critical
    assert all(code in end for code in critical[:3])
    assert "next: " in end
    whole = as_table([told], colour=False, width=80)
    assert as_table([told], colour=False, width=80, height=500) == whole
    calm = ClusterStatus(samples.healthy_pair(), (), Health.HEALTHY)
    assert "again" not in as_table([calm], colour=False, width=80, height=2)
