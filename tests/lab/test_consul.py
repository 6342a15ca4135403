"""The set whose clients find the master by a name in Consul, on real servers: the old master comes back."""

from __future__ import annotations

import json
import re

import pytest
from lab.name_clients import NameWriter, Watch
from lab.plain import console, failed_steps, run_plain, status
from lab.screen import answer_all, arm, screen_on, text_of

from console.core.runs.state import Outcome
from console.lab.scenarios.sentinel_consul import api, passing, resolved, sentinel
from console.lab.systems import sentinel_consul as consul

pytestmark = pytest.mark.lab

A, B = consul.FIRST, consul.SECOND
BOOK = "consul-return-old-master"
TOKEN = "5f0c9a1e-8d5e-4a33-9df8-0e6f5b0c1f77"
BARE = """\
version: 1
name: bare
title: One verb and nothing that keeps it from harm
kind: sentinel-consul
summary: An operator's own runbook that requires nothing at all.
roles:
  target: {description: Whom the verb is for., operator_may_choose: true}
  source: {description: The other node., other_than: target}
steps:
  - id: act
    title: Do it
    why: It was done like this the last time.
    role: target
    gate: type-name
    do: VERB
    verify: [redis-up: target]
    within: 3
"""


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def walk(lab, verb, target):
    """Runs one verb that requires nothing: why it was blocked; nothing was asked, so nothing was sent."""
    own = lab.folder / "runbooks" / "bare.yaml"
    own.parent.mkdir(exist_ok=True)
    own.write_text(BARE.replace("VERB", verb), encoding="utf-8")
    run = run_plain(lab, "bare", "--bind", f"target={target}", state=lab.folder)
    assert (run.outcome, run.gates) == ("aborted", []), run.text
    return " ".join(run.stuck.split())


def report(lab, folder):
    return json.loads(console(lab, "runs", "report", "--format", "json", state=folder).stdout)


def seconds_wrong(document):
    """What the run itself measured, by each way of looking."""
    return {way["way"]: way["elsewhere"] + way["nowhere"] for way in document["name"]["ways"]}


def findings(lab):
    """Code → the first finding of it."""
    return {one["code"]: one for one in reversed(status(lab)["findings"])}


def follows(lab, name):
    found = lab.host(name).redis("INFO", "replication")
    return "role:slave" in found and "master_link_status:up" in found


def leads_to(name):
    return passing_is(name) and resolved() == [consul.ADDRESSES[name]]


def passing_is(name):
    import urllib.request

    with urllib.request.urlopen(f"{consul.HTTP}/v1/health/service/{consul.SERVICE}?passing=1", timeout=2) as answer:
        found = json.load(answer)
    return [one["Service"]["Address"] for one in found] == [consul.ADDRESSES[name]]


@pytest.mark.parametrize(("version", "returning"), [("6.0", (A,)), ("8.0", (A, B))])
def test_the_old_master_comes_back_and_is_never_in_the_name(pair, tmp_path, version, returning):
    """And the next failure is survived, and the other node comes back in the same way."""
    lab = pair("consul-failed-over", redis=version, password=TOKEN)
    shown = []
    for old in returning:
        master = B if old == A else A
        with NameWriter(TOKEN) as writer, Watch(consul.ADDRESSES[master]) as watch:
            writer.wait_for(20, 10)
            run = run_plain(lab, BOOK, state=tmp_path / old)
            writer.wait_for(20, 10)
        assert run.outcome == "done", run.text
        assert run.gates == [old, old], "its name is typed where its data goes: at its file, and at its start"
        assert watch.wrong == (0.0, 0.0), watch.tally
        assert writer.lost() == 0
        assert set(writer.by_address) == {consul.ADDRESSES[master]}
        document = report(lab, tmp_path / old)
        assert seconds_wrong(document) == {"checks": 0.0, "DNS": 0.0}
        assert document["name"]["samples"] > 5
        printed = console(lab, "runs", "report", state=tmp_path / old).stdout
        assert "wrong for 0.0 s by checks; wrong for 0.0 s by DNS" in printed
        assert status(lab)["health"] == "healthy", json.dumps(findings(lab), indent=1)
        shown += [run.text, printed]
        lab.fault("kill", master, "redis")
        lab.wait(lambda name=old: leads_to(name), 30, f"the name follows to {old}")
        lab.wait(lambda: not any(one["failover_in_progress"] for one in status(lab)["sentinels"]), 30, "it is over")
    # H29: the token, which is Redis' password here too, is nowhere but where it was.
    words = (["status", "--format", "json"], ["plan", BOOK, "cache"], ["runs", "show"])
    shown += [answer.stdout + answer.stderr for answer in (console(lab, *one, state=tmp_path / A) for one in words)]
    written = [one.read_text(encoding="utf-8", errors="replace") for one in tmp_path.rglob("*") if one.is_file()]
    assert written
    assert not [one for one in (*shown, *written) if TOKEN in one]


@pytest.mark.long
async def test_at_the_full_screen_it_is_never_in_the_name_either(pair, tmp_path):
    lab = pair("consul-failed-over", password=TOKEN)
    with NameWriter(TOKEN) as writer, Watch(consul.ADDRESSES[B]) as watch:
        writer.wait_for(20, 10)
        shown = []
        async with screen_on(lab, runbook=BOOK) as pilot:
            await arm(pilot)
            run = await answer_all(pilot, before=lambda _: shown.append(text_of(pilot)))
            shown.append(text_of(pilot))
        writer.wait_for(20, 10)
    assert run.outcome is Outcome.DONE, shown[-1]
    assert run.gates == [A, A]
    assert watch.wrong == (0.0, 0.0), watch.tally
    assert writer.lost() == 0
    assert follows(lab, A)
    assert seconds_wrong(report(lab, tmp_path)) == {"checks": 0.0, "DNS": 0.0}
    assert not [one for one in shown if TOKEN in one]


def test_started_as_it_was_it_is_in_the_name_beside_the_master(pair, tmp_path):
    """H24, and what the document's set does by itself: the window of some 10 s in which clients lose writes."""
    lab = pair("consul-failed-over")
    assert "it starts as a master too" in walk(lab, "start-redis", A)
    assert "no other node is a master" in walk(lab, "hold-service", B)
    refused = walk(lab, "{set-replicaof: {source: target}}", B)
    assert "cannot follow itself" in refused
    assert not lab.host(A).running("redis-server")
    with NameWriter() as writer, Watch(consul.ADDRESSES[B]) as watch:
        writer.wait_for(20, 10)
        lab.host(A).service("redis-server", "start")
        lab.wait(lambda: len(passing(lab)) == len(resolved()) == 2, 60, "the name is two nodes")
        found = findings(lab)
        assert found["consul-several-passing"]["next"] == {"runbook": BOOK}
        assert "is a master too" in walk(lab, "release-service", A)
        lab.wait(lambda: follows(lab, A) and leads_to(B), 40, "the Sentinel has converted it")
    assert min(watch.wrong) > 0
    assert consul.ADDRESSES[A] in writer.by_address, "clients wrote to the old master, and lost it"
    run = run_plain(lab, BOOK, state=tmp_path)
    assert (run.outcome, run.gates, run.confirmed) == ("done", [], 0), run.text
    assert "nothing to do" in run.text


def test_of_two_masters_the_other_one_is_saved_before_it_follows(pair, tmp_path):
    lab = pair("consul-second-master")
    found = findings(lab)
    assert {"consul-several-passing", "dual-master"} <= set(found)
    assert "SENTINEL" in walk(lab, "{replicate: {source: source}}", A).upper()  # H20
    lab.host(A).redis("SET", "only:here", "1")

    with Watch(consul.ADDRESSES[B]) as watch:
        run = run_plain(lab, BOOK, "--bind", f"writable={B}", state=tmp_path)
    assert run.outcome == "done", run.text
    assert "service redis-sentinel start" in run.text
    document = report(lab, tmp_path)
    # It was wrong when the run began, and until its service was held: both watches tell of it, and of an end of it.
    assert watch.tally.ways[0].led[-1].addresses == (consul.ADDRESSES[B],)
    assert document["name"]["ways"][0]["led"][-1]["addresses"] == [consul.ADDRESSES[B]]
    assert min(seconds_wrong(document).values()) > 0
    assert min(watch.wrong) > 0
    (export,) = tmp_path.rglob("keys-of-app01.jsonl")
    assert "only:here" in export.read_text(encoding="utf-8")
    assert document["backups"]
    assert follows(lab, A)
    assert leads_to(B)
    assert status(lab)["health"] == "healthy"
    assert sentinel(lab, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", consul.MASTER_NAME).split()[0] == consul.ADDRESSES[B]


def test_a_name_that_leads_to_a_stranger_or_to_nobody_is_named(pair):
    lab = pair("consul-healthy")
    assert status(lab)["health"] == "healthy"
    assert not failed_steps(lab)
    stranger = {"ID": "redisnode3", "Name": consul.SERVICE, "Address": "192.168.3.9", "Port": 6379}
    api(lab, "/v1/agent/service/register", stranger)
    found = findings(lab)
    assert "192.168.3.9" in found["consul-several-passing"]["summary"]
    assert "none of the nodes" in found["consul-disagrees"]["summary"]
    api(lab, "/v1/agent/service/deregister/redisnode3", {})
    api(lab, "/v1/agent/service/deregister/redisnode1", {})
    lab.wait(lambda: passing(lab) == [], 60, "nobody is in the name")
    found = findings(lab)
    assert "register 192.168.3.1:6379" in found["consul-none-passing"]["next"]["advice"]
    lab.fault("stop", A, "consul")
    assert findings(lab)["consul-unreachable"]["severity"] == "critical"
    assert "consul.http" in failed_steps(lab)["Consul", "HTTP"]


@pytest.mark.parametrize(
    ("scenario", "code", "words"),
    [
        ("consul-stale-check", "consul-disagrees", "whose Redis is a replica"),
        ("consul-stale-dns", "consul-dns-disagrees", "DNS leads clients of redis.service.consul to app01"),
        ("consul-none-passing", "consul-none-passing", "leads nowhere"),
    ],
)
def test_what_consul_says_otherwise_than_the_servers_is_named(pair, scenario, code, words):
    lab = pair(scenario)
    found = findings(lab)[code]
    assert (found["severity"], words in found["summary"]) == ("critical", True), found


def test_a_sentinel_that_watches_the_replica_protects_nothing_until_it_is_told_of_the_master(pair):
    """Somebody changed the roles while it was away. It takes nobody for the master, and what the finding says helps."""
    lab = pair("consul-healthy", redis="7.0")
    lab.fault("stop", B, "sentinel")
    lab.host(B).redis("SLAVEOF", "NO", "ONE")
    lab.host(A).redis("SLAVEOF", consul.ADDRESSES[B], "6379")
    lab.wait(lambda: leads_to(B), 30, "the name follows")
    lab.host(B).service("redis-sentinel", "start")
    lab.wait(lambda: "sentinel-wrong-master" in findings(lab), 30, "the Sentinel is found to watch the replica")
    found = findings(lab)["sentinel-wrong-master"]
    assert status(lab)["health"] == "critical"
    assert f"{A} ({consul.ADDRESSES[A]}:6379)" in found["summary"]
    commands = re.findall(r"SENTINEL (?:REMOVE|MONITOR) [\w. ]+", found["next"]["advice"])
    assert [one.split()[1] for one in commands] == ["REMOVE", "MONITOR"]
    for one in commands:
        sentinel(lab, *one.split())
    sentinel(lab, "SENTINEL", "SET", consul.MASTER_NAME, "down-after-milliseconds", str(lab.options.down_after))
    lab.wait(lambda: "sentinel-wrong-master" not in findings(lab), 30, "the Sentinel watches the master")
    lab.wait(lambda: "slaves=1" in sentinel(lab, "INFO", "sentinel"), 30, "it knows the replica")
    lab.fault("kill", B, "redis")
    lab.wait(lambda: leads_to(A), 60, "the Sentinel promotes the replica")
