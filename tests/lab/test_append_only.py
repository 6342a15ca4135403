"""Data that only an append-only file holds is kept before a node becomes a replica, and comes back and stays."""

from __future__ import annotations

import re
import time

import pytest
from lab.name_clients import Watch
from lab.plain import console, run_plain, status

from console.lab.scenarios.sentinel_vip import DIRECTORS, MASTER, REDIS_HOSTS, ask_sentinel
from console.lab.systems import sentinel_consul as consul
from console.lab.systems.sentinel_vip import MASTER_NAME, OUTSIDE

pytestmark = pytest.mark.lab

KEYS = 5001
DIRECTOR_CONF = "/etc/keepalived/keepalived.conf"


def only_here(lab, host, program="/usr/bin/redis-server"):
    """Gives the AOF of a host whose Redis is down keys of its own, and takes its dump away. Returns its key count."""
    host.run("rm -f /data/redis/*.rdb")
    words = "--port 7777 --bind 127.0.0.1 --dir /data/redis --appendonly yes --save '' --daemonize yes"
    host.run(f"{program} {words}", check=True)
    lab.wait(lambda: host.redis("-p", "7777", "PING") == "PONG", 10)
    host.redis("-p", "7777", "EVAL", f"for i = 1, {KEYS} do redis.call('SET', 'only:' .. i, i) end", "0")
    count = host.redis("-p", "7777", "DBSIZE")
    host.redis("-p", "7777", "SHUTDOWN")
    lab.wait(lambda: not host.running("redis-server"), 10, "it is down again")
    return int(count)


def keys(host):
    return int(host.redis("DBSIZE"))


def holds_its_own(host, count):
    return keys(host) == count and host.redis("GET", f"only:{KEYS}") == str(KEYS)


def backups(host):
    found = host.run("ls -d /data/redis/appendonlydir.redis-ha-console.*Z").stdout.split()
    assert found, "there is a backup"
    return found


def asks_the_master_again(lab, host):
    """Waits until the Sentinel of this host has read the master's replicas once more."""

    def refreshed():
        words = ask_sentinel(host, "SENTINEL", "MASTER", MASTER_NAME).split("\n")
        return int(words[words.index("info-refresh") + 1])

    first, began = refreshed(), time.monotonic()
    lab.wait(lambda: refreshed() < first + 1000 * (time.monotonic() - began) - 100, 30, f"{host.name} asks again")


def leave_directors(lab, *, back=False):
    """What the runbook asks for by hand: the node's real_server block out of each keepalived.conf, or into it again."""
    for name in DIRECTORS:
        host = lab.host(name)
        text = host.read(DIRECTOR_CONF)
        if back:
            host.run(f"cp {DIRECTOR_CONF}.whole {DIRECTOR_CONF}", check=True)
        else:
            host.write(f"{DIRECTOR_CONF}.whole", text)
            block = rf"    real_server {re.escape(OUTSIDE[MASTER])} 6379 {{.*?\n    }}\n"
            host.write(DIRECTOR_CONF, re.sub(block, "", text, flags=re.DOTALL))
        host.service("keepalived", "restart")


@pytest.mark.long
def test_under_sentinels_it_is_kept_while_redis_is_down_and_comes_back_unseen_by_them(pair, tmp_path):
    lab = pair("sentinel-failed-over", redis="7.0")
    old = lab.host(MASTER)
    count = only_here(lab, old)

    run = run_plain(lab, "sentinel-return-old-master", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert not holds_its_own(old, count), "it is a replica with the master's data"
    (copy,) = backups(old)
    told = console(lab, "runs", "report", state=tmp_path).stdout
    for words in (f"{MASTER}:{copy}", f"{count:,} keys", "loaded for trial by redis-server", "sentinel-restore-backup"):
        assert words in told, told

    def by_hand(prompt):
        if prompt.step == "leave-directors" and prompt.kind == "asked":
            leave_directors(lab)
        return ""

    back = run_plain(lab, "sentinel-restore-backup", "--bind", f"target={MASTER}", state=tmp_path, at=by_hand)
    assert (back.outcome, back.code) == ("done", 0), back.text
    assert holds_its_own(old, count)
    again = console(lab, "plan", "sentinel-restore-backup", lab.cluster, "--bind", f"target={MASTER}", state=tmp_path)
    assert again.returncode == 0, again.stdout
    for name in REDIS_HOSTS:
        asks_the_master_again(lab, lab.host(name))
        assert old.address not in str(ask_sentinel(lab.host(name), "SENTINEL", "REPLICAS", MASTER_NAME))
    assert holds_its_own(old, count), "no Sentinel has made it a replica"
    assert "role:master" in old.redis("INFO", "replication")

    leave_directors(lab, back=True)
    run = run_plain(lab, "sentinel-return-old-master", "--bind", f"returning={MASTER}", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert "role:slave" in old.redis("INFO", "replication")
    lab.wait(lambda: status(lab)["health"] == "healthy", 30, "the set is healthy")


@pytest.mark.long
def test_outside_the_consul_name_it_is_kept_and_comes_back_unseen(pair, tmp_path):
    lab = pair("consul-failed-over", redis="8.0", redis_config=("appendonly yes",))
    old = lab.host(consul.FIRST)
    count = only_here(lab, old, "LD_LIBRARY_PATH=/opt/redis/lib /opt/redis/redis-server")
    with Watch(consul.ADDRESSES[consul.SECOND]) as watch:
        run = run_plain(lab, "consul-return-old-master", state=tmp_path)
        assert run.outcome == "done", run.text
        assert not holds_its_own(old, count)
        assert backups(old)
        back = run_plain(lab, "consul-restore-backup", "--bind", f"target={consul.FIRST}", state=tmp_path)
        assert back.outcome == "done", back.text
        assert holds_its_own(old, count)
        assert "role:master" in old.redis("INFO", "replication")
    assert watch.wrong == (0.0, 0.0), watch.tally
