"""What only the disk of an old master holds, under Sentinels and Consul: named at the gate, kept, brought back."""

from __future__ import annotations

import pytest
from lab.plain import console, run_plain, status
from lab.test_dual_master import replay

from console.lab.scenarios.sentinel_vip import MASTER, master_of
from console.lab.systems import sentinel_consul as consul

pytestmark = pytest.mark.lab

LOST = ("lost:1", "lost:2", b"lost:\xff".decode("utf-8", "surrogateescape"))
CHANGED = "customer:1"


def die_with_writes(lab, host):
    """Its Redis is down. A Redis on another port adds to its data what the new master never got."""
    words = "--port 7777 --bind 127.0.0.1 --daemonize yes --pidfile /run/other.pid"
    host.run(f"redis-server /etc/redis/redis6379.conf {words}", check=True)
    lab.wait(lambda: host.redis("-p", "7777", "PING") == "PONG", 20)
    for key in LOST:
        assert host.redis("-p", "7777", "SET", key, "never sent") == "OK"
    host.redis("-p", "7777", "SET", CHANGED, "as the old master had it")
    host.redis("-p", "7777", "SHUTDOWN", "SAVE")
    lab.wait(lambda: not host.running("redis-server"), 20, "it is down again")


@pytest.mark.parametrize(
    ("scenario", "book"),
    [("sentinel-failed-over", "sentinel-return-old-master"), ("consul-failed-over", "consul-return-old-master")],
    ids=["sentinels", "consul"],
)
def test_what_only_the_old_master_had_is_named_at_its_gate_and_comes_back(pair, tmp_path, scenario, book):
    lab = pair(scenario)
    old, master = (
        (lab.host(MASTER), master_of(lab))
        if book.startswith("sentinel")
        else (lab.host(consul.FIRST), lab.host(consul.SECOND))
    )
    die_with_writes(lab, old)
    gates = {}

    def at(prompt):
        gates.setdefault(prompt.step, prompt.text)
        return ""

    run = run_plain(lab, book, state=tmp_path, at=at, override="sentence")
    assert (run.outcome, run.code) == ("done", 0), run.text
    shown = " ".join(gates["follow"].split())
    assert f"disk of {old.name}: 3 keys are not on {master.name}" in shown, shown
    assert "kept in keys-of-" in shown
    (file,) = tmp_path.rglob(f"keys-of-{old.name}.jsonl")
    run_id = file.parent.name

    looked = console(lab, "runs", "replay", run_id, "--dry-run", state=tmp_path)
    assert f"3 missing on {master.name}" in " ".join(looked.stdout.split()), looked.stdout + looked.stderr
    told, code = replay(lab, tmp_path, run_id, {"set-expiries": "no"}, "--keys", "lost:*", "--keys", CHANGED)
    assert code == 0, told
    for host in (master, old):
        lab.wait(lambda host=host: host.redis("GET", LOST[2]) == "never sent", 20, f"{host.name} has it")
        assert host.redis("GET", LOST[0]) == "never sent"
        assert host.redis("GET", CHANGED) == "as the old master had it"
    assert "role:slave" in old.redis("INFO", "replication")
    lab.wait(lambda: status(lab)["health"] == "healthy", 30, "the set is healthy")

    lab.fault("kill", master.name, "redis")
    dead = console(lab, "runs", "replay", run_id, "--dry-run", state=tmp_path)
    assert dead.returncode == 2, dead.stdout
    assert "nothing could be brought now" in dead.stderr
    assert len(dead.stderr.splitlines()) == 1
