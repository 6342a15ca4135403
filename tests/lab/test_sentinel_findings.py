"""Findings about Sentinels and the read VIP, each provoked on real servers: a few laboratories, many states."""

from __future__ import annotations

import pytest
from lab.plain import failed_steps, status

from console.lab.scenarios.sentinel_vip import DIRECTORS, MASTER, REDIS_HOSTS, ask_sentinel, readers_find
from console.lab.systems.sentinel_vip import MASTER_NAME, OUTSIDE, READ_VIP

pytestmark = pytest.mark.lab

ODD = REDIS_HOSTS[-1]
SERVICE = f"{READ_VIP}:6379"


def codes(lab):
    return {one["code"] for one in status(lab)["findings"]}


def found(lab, *wanted, deadline=25):
    lab.wait(lambda: set(wanted) <= codes(lab), deadline, f"{', '.join(wanted)} found, last: {status(lab)['findings']}")


def well(lab, deadline=60):
    lab.wait(lambda: status(lab)["health"] == "healthy", deadline, "all is well again")


def sentinel(lab, name, *words):
    return ask_sentinel(lab.host(name), "SENTINEL", *words)


def test_what_sentinels_say(pair):
    lab = pair("sentinel-healthy", redis="8.0")
    assert status(lab)["health"] == "healthy"
    assert not failed_steps(lab)

    sentinel(lab, ODD, "MONITOR", "another", "192.168.100.99", "6379", "2")
    well(lab, 5)  # another master of theirs is none of this cluster's
    sentinel(lab, ODD, "REMOVE", "another")

    lab.fault("freeze", ODD, "sentinel")
    found(lab, "sentinel-unreachable")
    lab.wait(lambda: "s_down" in sentinel(lab, MASTER, "SENTINELS", MASTER_NAME), 60, "the others noticed")
    lab.fault("thaw", ODD, "sentinel")
    found(lab, "sentinel-tilt")

    lab.fault("stop", REDIS_HOSTS[1], "sentinel")
    lab.fault("kill", ODD, "sentinel")
    found(lab, "sentinel-no-quorum", "sentinel-unreachable")
    away = failed_steps(lab)
    assert {step for _, step in away} == {"Sentinel"}
    assert all("start it if it is down" in change for change in away.values())
    for name in REDIS_HOSTS[1:]:
        lab.fault("start", name, "sentinel")
    well(lab)

    stranger = lab.host(ODD)
    stranger.run(["ip", "addr", "add", "192.168.100.77/24", "dev", "eth2"], check=True)
    sentinel(lab, ODD, "REMOVE", MASTER_NAME)
    sentinel(lab, ODD, "MONITOR", MASTER_NAME, lab.host(REDIS_HOSTS[1]).address, "6379", "2")
    found(lab, "sentinel-disagree")


def test_a_failover_under_way_and_one_whose_script_is_gone(pair):
    lab = pair("sentinel-healthy", redis="6.2", failover_timeout=20000)
    for name in REDIS_HOSTS:
        lab.host(name).run(["chmod", "a-x", "/var/lib/redis/reconfig_master.sh"], check=True)
    # The ones to be promoted hang: the failover waits for them, and is seen.
    for name in REDIS_HOSTS[1:]:
        lab.host(name).redis("CONFIG", "SET", "replica-priority", "100")
    sentinel(lab, MASTER, "FAILOVER", MASTER_NAME)
    lab.wait(lambda: "sentinel-failover-in-progress" in codes(lab) or promoted(lab), 60)
    lab.wait(lambda: promoted(lab), 30, "another one is promoted")
    found(lab, "sentinel-master-not-vip")
    assert lab.vip_holders() == [MASTER], "the script could not run"


def promoted(lab):
    named = {sentinel(lab, name, "GET-MASTER-ADDR-BY-NAME", MASTER_NAME).split()[0] for name in REDIS_HOSTS}
    return len(named) == 1 and named != {lab.host(MASTER).address}


def test_what_readers_find(pair):
    lab = pair("sentinel-stale-reads", redis="6.2")
    stale, first, second = lab.host(REDIS_HOSTS[-1]), *(lab.host(name) for name in DIRECTORS)
    found(lab, "lvs-serves-stale")
    stale.redis("CONFIG", "SET", "masterauth", lab.options.password)
    well(lab)

    server = f"{OUTSIDE[REDIS_HOSTS[1]]}:6379"
    second.run(["ipvsadm", "-d", "-t", SERVICE, "-r", server], check=True)
    found(lab, "lvs-real-server-missing", "lvs-director-split")
    second.run(["ipvsadm", "-a", "-t", SERVICE, "-r", server, "-g", "-w", "1"], check=True)

    stale.run(["ip", "addr", "del", f"{READ_VIP}/32", "dev", "lo"], check=True)
    stale.run("echo 0 >/proc/sys/net/ipv4/conf/all/arp_ignore", check=True)
    found(lab, "read-vip-not-on-node")
    stale.run(["ip", "addr", "add", f"{READ_VIP}/32", "dev", "lo", "label", "lo:0"], check=True)
    found(lab, "arp-not-suppressed")
    stale.run("echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore", check=True)
    well(lab)

    second.run("mv /opt/sbin/ipvsadm /opt/sbin/ipvsadm.away", check=True)
    found(lab, "lvs-director-unread")
    assert "install ipvsadm" in failed_steps(lab)[DIRECTORS[1], "ipvsadm"]
    second.run("mv /opt/sbin/ipvsadm.away /opt/sbin/ipvsadm", check=True)

    second.run(["ip", "addr", "add", f"{READ_VIP}/32", "dev", "eth2"], check=True)
    found(lab, "lvs-director-split")
    second.run(["ip", "addr", "del", f"{READ_VIP}/32", "dev", "eth2"], check=True)
    for host in (first, second):
        host.service("keepalived", "stop")
    assert readers_find(lab) == []
    found(lab, "lvs-director-split", "lvs-real-server-missing")
