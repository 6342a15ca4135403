"""The runbooks of the set that Sentinels steer, from every state of its document, on real servers."""

from __future__ import annotations

import re

import pytest
from lab.plain import console, run_plain, status
from lab.screen import answer_all, arm, screen_on, text_of
from lab.writer import Writer

from console.core.runs.state import Outcome
from console.lab.scenarios.sentinel_vip import DIRECTORS, MASTER, REDIS_HOSTS, master_named_by, master_of, take_vip
from console.lab.systems.sentinel_vip import OUTSIDE, READ_VIP, WRITE_VIP

pytestmark = pytest.mark.lab


def codes(lab):
    return [one["code"] for one in status(lab)["findings"]]


def settled(lab):
    """Healthy to the console, and to the servers themselves."""
    lab.wait(lambda: status(lab)["health"] == "healthy", 30, "the set is healthy")
    master = master_of(lab)
    assert lab.vip_holders() == [master.name]
    assert {master_named_by(lab.host(name)) for name in REDIS_HOSTS} == {master.address}
    for name in REDIS_HOSTS:
        if name != master.name:
            seen = lab.host(name).redis("INFO", "replication")
            assert f"master_host:{master.address}" in seen
            assert "master_link_status:up" in seen
    return master


def weights(lab):
    """Director → real server → weight, as its table has it."""
    found = {}
    for name in DIRECTORS:
        lines = lab.host(name).run(["ipvsadm", "-Ln"]).stdout.splitlines()[3:]
        rows = [line.split() for line in lines if "->" in line]
        found[name] = {row[1].rpartition(":")[0]: int(row[3]) for row in rows}
    return found


@pytest.mark.parametrize("version", ["6.2", "8.0"])
def test_the_role_is_given_away_and_no_acknowledged_write_is_lost(pair, tmp_path, version):
    lab = pair("sentinel-healthy", redis=version)
    old = lab.host(MASTER)
    password = lab.options.password
    with (
        Writer(lab.vip, password=password) as writer,
        Writer(old.address, password=password, key="writer:direct") as direct,
    ):
        writer.wait_for(100, 10)
        direct.wait_for(100, 10)
        run = run_plain(lab, "sentinel-switchover", state=tmp_path)
        assert (run.outcome, run.code) == ("done", 0), run.text
        writer.wait_for(100, 10)
    assert run.gates == [MASTER, MASTER], "typed where clients begin to wait, and at the failover"
    assert writer.lost() == 0
    assert direct.refused > 0
    new = settled(lab)
    assert new.name != MASTER
    with new_client(lab, new) as client:
        assert int(client.ask("GET", "writer:direct")) >= direct.acknowledged, "what was acknowledged past the VIP"
    told = re.search(r"Clients could not write for ([\d.]+) s, then (web-\d)\s+took\s+their\s+writes", run.text)
    assert told, run.text
    assert told[2] == new.name
    assert old.redis("CONFIG", "GET", "min-replicas-to-write").split()[-1] == "0"
    assert "min-replicas-to-write 1" not in old.read("/etc/redis/redis6379.conf"), "nor after its next start"


def new_client(lab, host):
    from console.lab.hosts.redis_client import RedisConnection

    return RedisConnection(host.address, lab.options.password)


def test_a_switchover_that_is_not_carried_on_is_called_off(pair, tmp_path):
    lab = pair("sentinel-healthy", redis="7.0")
    cut = run_plain(lab, "sentinel-switchover", state=tmp_path, typed=MASTER)
    assert (cut.outcome, cut.gates) == ("aborted", [MASTER, MASTER]), cut.text
    refused = [one for one in status(lab)["findings"] if one["code"] == "writes-refused"]
    assert [one["next"] for one in refused] == [{"runbook": "sentinel-resume-writes"}]
    back = run_plain(lab, "sentinel-resume-writes", state=tmp_path)
    assert (back.outcome, back.gates) == ("done", []), back.text
    assert settled(lab).name == MASTER
    assert lab.host(MASTER).redis("SET", "key", "value") == "OK"


@pytest.mark.parametrize("scenario", ["sentinel-failed-over", "sentinel-vip-on-two"])
def test_the_old_master_comes_back_as_a_replica(pair, tmp_path, scenario):
    lab = pair(scenario, redis="6.2")
    old, kept = lab.host(MASTER), scenario.endswith("two")
    before = master_of(lab).redis("GET", "laboratory:counter")
    assert old.running("redis-sentinel") is not kept
    run = run_plain(lab, "sentinel-return-old-master", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert run.gates == [MASTER] * (3 if kept else 2), "the address, the line in its file, its start"
    assert ("service redis-sentinel start" in run.text) is kept, "started by the console, where it did not run"
    new = settled(lab)
    assert new.name != MASTER
    assert int(new.redis("GET", "laboratory:counter")) >= int(before)
    assert "MASTER MODE" not in old.read("/data/redis/redis6379.log").rpartition("Ready to accept")[2]
    assert all(table[OUTSIDE[MASTER]] == 1 for table in weights(lab).values()), "readers are sent to it again"
    again = console(
        lab, "plan", "sentinel-return-old-master", lab.cluster, "--bind", f"returning={MASTER}", state=tmp_path
    )
    assert again.returncode == 0, again.stdout


async def test_the_write_vip_is_taken_off_the_old_master_at_the_full_screen(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lab = pair("sentinel-vip-on-two", redis="8.0")
    master = master_of(lab)
    assert "vip-duplicate" in codes(lab)
    async with screen_on(lab, runbook="sentinel-repair-write-vip") as pilot:
        await arm(pilot)
        run = await answer_all(pilot)
        assert run.outcome is Outcome.DONE, [one.reason for one in run.stuck] or text_of(pilot)
    assert run.gates == [MASTER]
    assert lab.vip_holders() == [master.name]
    seen = lab.host("lb-1").run(f"redis-cli -h {WRITE_VIP} INFO server").stdout
    assert f"run_id:{master.redis('INFO', 'server').split('run_id:')[1][:40]}" in seen


@pytest.mark.long
def test_the_write_vip_is_set_on_the_master_from_none_and_from_a_replica(pair, tmp_path):
    lab = pair("sentinel-vip-on-none", redis="6.2")
    master = master_of(lab)
    assert "vip-missing" in codes(lab)
    run = run_plain(lab, "sentinel-repair-write-vip", state=tmp_path)
    assert (run.outcome, run.gates) == ("done", [master.name]), run.text
    assert lab.vip_holders() == [master.name]
    assert f"{WRITE_VIP}/20" in master.run("ip -o addr show dev eth2").stdout

    other = next(lab.host(name) for name in REDIS_HOSTS if name not in (MASTER, master.name))
    master.run(["ip", "addr", "flush", "to", f"{WRITE_VIP}/32"], check=True)
    take_vip(other)
    assert {"vip-on-replica", "sentinel-master-not-vip"} & set(codes(lab))
    run = run_plain(lab, "sentinel-repair-write-vip", state=tmp_path)
    assert (run.outcome, run.gates) == ("done", [other.name, master.name]), run.text
    assert lab.vip_holders() == [master.name]


def test_a_replica_that_lost_its_master_is_taken_out_of_the_read_vip_and_brought_back(pair, tmp_path):
    lab = pair("sentinel-stale-reads", redis="6.2")
    stale = lab.host(REDIS_HOSTS[-1])
    assert "lvs-serves-stale" in codes(lab)
    # Somebody mends it while the run waits for that.
    drained = f"ipvsadm -Ln | grep -q '{OUTSIDE[stale.name]}:6379 *Route *0'"
    watch = f"exec >/dev/null 2>&1; until {drained}; do sleep 0.1; done; touch /tmp/drained"
    mend = f"exec >/dev/null 2>&1; sleep 6; redis-cli CONFIG SET masterauth {lab.options.password}"
    for host, script in ((lab.host(DIRECTORS[1]), watch), (stale, mend)):
        host.run(["setsid", "--fork", "sh", "-c", script])
    run = run_plain(lab, "lvs-drain-replica", state=tmp_path)
    assert (run.outcome, run.gates) == ("done", [stale.name]), run.text
    assert lab.host(DIRECTORS[1]).run(["test", "-e", "/tmp/drained"]).returncode == 0, "it was out in between"
    assert all(table[OUTSIDE[stale.name]] == 1 for table in weights(lab).values())
    settled(lab)
    assert f"{READ_VIP}" in run.text
