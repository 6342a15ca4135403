"""Bare runbooks of one verb walk into H20 to H23 on a set that Sentinels steer, and are stopped."""

from __future__ import annotations

import pytest
from lab.plain import console, run_plain, status

from console.lab.scenarios.sentinel_vip import DIRECTORS, MASTER, REDIS_HOSTS, ask_sentinel, master_of
from console.lab.systems.sentinel_vip import MASTER_NAME, OUTSIDE, READ_VIP

pytestmark = pytest.mark.lab

BARE = """\
version: 1
name: bare
title: One verb and nothing that keeps it from harm
kind: sentinel-vip
summary: An operator's own runbook that requires nothing at all.
roles:
  target: {description: Whom the verb is for., operator_may_choose: true}
  source: {description: Another node., other_than: target, operator_may_choose: true}
steps:
  - id: act
    title: Do it
    why: To see what happens.
    role: target
    gate: type-name
    do: VERB
    verify: [ssh-readable: target]
    on_failure: Nothing.
"""
OTHER, ODD = REDIS_HOSTS[1:]


def walk(lab, verb, target, source=OTHER):
    """Runs the bare verb on a node: why it was blocked; nothing was asked, so nothing was sent."""
    own = lab.folder / "runbooks" / "bare.yaml"
    own.parent.mkdir(exist_ok=True)
    own.write_text(BARE.replace("VERB", verb), encoding="utf-8")
    source = next(name for name in (source, *REDIS_HOSTS) if name != target)
    run = run_plain(lab, "bare", "--bind", f"target={target}", "--bind", f"source={source}", state=lab.folder)
    assert run.outcome == "aborted", run.text
    assert run.gates == [], run.text
    return " ".join(run.stuck.split())


def roles(lab):
    return {name: lab.host(name).redis("ROLE").split()[0] for name in REDIS_HOSTS}


def test_h20_slaveof_is_the_sentinels_own(pair):
    lab = pair("sentinel-healthy", redis="6.2")
    before = roles(lab)
    said = walk(lab, "{replicate: {source: source}}", ODD)
    assert "no Sentinel decides whom web-3 follows" in said
    assert "Choose target = web-3 and source = web-1." in said, "whom the Sentinels name themselves is offered"
    assert "no Sentinel decides" in walk(lab, "promote", OTHER)
    assert roles(lab) == before

    # What they do to one that does it past the console, and why it is not left to anybody.
    odd, other = lab.host(ODD), lab.host(OTHER)
    odd.redis("SLAVEOF", other.address, "6379")
    lab.wait(
        lambda: f"master_host:{lab.host(MASTER).address}" in odd.redis("INFO", "replication"), 40, "it is turned back"
    )


def test_h21_no_failover_is_asked_of_sentinels_that_cannot(pair):
    lab = pair("sentinel-no-quorum", redis="8.0")
    lab.wait(lambda: "sentinel-no-quorum" in [one["code"] for one in status(lab)["findings"]], 60)
    said = walk(lab, "sentinel-failover", MASTER)
    assert "the Sentinels can decide and authorize a failover" in said
    assert "the writes of web-1 are paused" in said, "what it acknowledges meanwhile would be lost"
    plan = console(lab, "plan", "sentinel-switchover", lab.cluster, "--bind", f"old-master={MASTER}", state=lab.folder)
    assert plan.returncode == 1
    for name in (OTHER, ODD):
        lab.fault("start", name, "sentinel")
    lab.fault("freeze", ODD, "sentinel")
    lab.wait(lambda: "s_down" in ask_sentinel(lab.host(MASTER), "SENTINEL", "SENTINELS", MASTER_NAME), 60)
    lab.fault("thaw", ODD, "sentinel")
    assert "no Sentinel is in TILT mode" in walk(lab, "sentinel-failover", MASTER)
    odd = lab.host(ODD)
    ask_sentinel(odd, "SENTINEL", "REMOVE", MASTER_NAME)
    ask_sentinel(odd, "SENTINEL", "MONITOR", MASTER_NAME, lab.host(OTHER).address, "6379", "2")
    assert "the Sentinels agree that web-1 is the master" in walk(lab, "sentinel-failover", MASTER)
    assert roles(lab) == {MASTER: "master", OTHER: "slave", ODD: "slave"}


def test_h22_redis_is_not_started_where_the_address_is_left(pair):
    lab = pair("sentinel-vip-on-two", redis="6.2")
    said = walk(lab, "start-redis", MASTER, master_of(lab).name)
    assert "clients do not reach web-1 when its Redis starts" in said
    assert not lab.host(MASTER).running("redis-server")
    assert "no other node than" in walk(lab, "take-vip", master_of(lab).name)


def test_h23_readers_are_sent_to_nobody_who_misleads_them(pair):
    lab = pair("sentinel-stale-reads", redis="6.2")
    service, server = f"{READ_VIP}:6379", f"{OUTSIDE[ODD]}:6379"
    for name in DIRECTORS:
        lab.host(name).run(["ipvsadm", "-e", "-t", service, "-r", server, "-g", "-w", "0"], check=True)
    assert "web-3 has the data of the master for readers" in walk(lab, "serve-readers", ODD)
    master = f"{OUTSIDE[MASTER]}:6379"
    lab.host(DIRECTORS[1]).run(["ipvsadm", "-e", "-t", service, "-r", master, "-g", "-w", "0"], check=True)
    assert "serves the readers" in walk(lab, "drain-readers", OTHER), "it would leave nobody"
