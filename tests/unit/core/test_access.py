"""What works between this machine and a cluster, step by step: every failure has one step and says what to change."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import pytest
import requirements_page as page
import sample_sets
import samples
from samples import A, B

from console.core.access.examine import examine
from console.core.access.host_steps import CONNECTING
from console.core.access.redis_advice import RULES, Refused
from console.core.access.step import Outcome
from console.core.access.trial import NEEDED, Permission, RedisTrial
from console.core.inventory import PasswordKind, PasswordSource, RedisRoute, TlsSpec
from console.core.model import (
    ConnectStep,
    LogTail,
    Problem,
    ProblemKind,
    Process,
    Processes,
    ProcessPlace,
    Reading,
    read,
)
from console.core.model.assembling import nothing_read
from console.documents.inventories.inventory import load_inventory

INVENTORY = load_inventory(Path(__file__).parents[3] / "inventory.example.yaml")
STATES = {
    "cache": samples.healthy_pair(),
    "sessions": sample_sets.sentinel_vip_set(),
    "app": sample_sets.sentinel_consul_set(),
}
GIVEN = RedisTrial(permissions=dict.fromkeys(NEEDED, Permission.GIVEN))


def spec(name="cache", **node):
    """The cluster of this name; keywords change its first node: `redis`, `ssh` and `keepalived` in parts."""
    cluster = INVENTORY.cluster(name)
    first = cluster.nodes[0]
    parts = {key: replace(getattr(first, key), **value) for key, value in node.items()}
    return replace(cluster, nodes=(replace(first, **parts), *cluster.nodes[1:]))


def steps(state, cluster=None, trial=GIVEN, subject=A):
    found = examine(cluster or spec(state.name), state, {A: trial, B: GIVEN})
    return {one.name: one for one in next(one for one in found if one.name == subject).steps}


def failed(problem):
    return Reading(None, problem, samples.NOW)


@pytest.mark.parametrize("name", STATES)
def test_a_cluster_in_which_everything_works(name):
    cluster = INVENTORY.cluster(name)
    state = replace(STATES[name], name=name)
    found = examine(cluster, state, dict.fromkeys([one.name for one in cluster.nodes], GIVEN))
    kinds = [one.kind for one in found]
    assert kinds.count("node") == len(cluster.nodes)
    assert kinds.count("Sentinel") == len(cluster.sentinels)
    assert kinds.count("director") == len(cluster.directors)
    assert ("Consul" in kinds) == (cluster.consul is not None)
    assert not [one for each in found for one in each.steps if one.outcome is Outcome.FAILS]


@pytest.mark.parametrize(("step", "kind"), product(ConnectStep, ProblemKind))
def test_each_problem_of_ssh_fails_one_step_and_says_what_to_change(step, kind):
    state = samples.healthy_pair()
    problem = Problem(kind, "what was seen", step)
    broken = {
        one.name: failed(problem)
        for one in fields(state.nodes[0])
        if isinstance(getattr(state.nodes[0], one.name), Reading)
    }
    state = samples.with_node(state, A, **{name: value for name, value in broken.items() if name != "redis"})
    found = steps(state)
    (wrong,) = [one for one in found.values() if one.outcome is Outcome.FAILS]
    assert wrong.seen == "what was seen"
    assert wrong.change
    names = list(found)
    place = names.index(wrong.name)
    assert all(found[one].outcome is Outcome.WORKS for one in names[:place])
    later = names[place + 1 : names.index("Redis port")]
    assert all(found[one].outcome is Outcome.NOT_TRIED for one in later)
    assert later or wrong.name == "sudo"
    assert found["INFO"].outcome is Outcome.WORKS, "Redis is reached directly"
    if step in CONNECTING:
        assert wrong.name == step.value


@pytest.mark.parametrize(("step", "kind"), product([None, *ConnectStep], ProblemKind))
@pytest.mark.parametrize("tls", [None, TlsSpec()])
def test_each_problem_of_redis_fails_one_step_and_says_what_to_change(step, kind, tls):
    state = samples.with_node(samples.healthy_pair(), A, redis=failed(Problem(kind, "what was seen", step)))
    found = steps(state, spec(redis={"tls": tls}))
    wrong = [one for one in found.values() if one.outcome is Outcome.FAILS]
    assert [one.seen for one in wrong] == ["what was seen"]
    assert wrong[0].change
    assert list(found)[-1] == "replication"
    assert found["replication"].outcome is Outcome.NOT_TRIED


TEXTS = (
    "what was seen",
    "the server closed the connection",
    "DENIED Redis is running in protected mode",
    "unknown command 'INFO'",
    "max number of clients reached",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "Hostname mismatch, certificate is not valid",
    "self-signed certificate",
    "certificate has expired",
    "TLS: x: no such file",
    "AUTH called without any password",
    "this is Dragonfly",
)
TITLES = ("redis-server *:6379", "redis-server unixsocket:/run/r.sock", "redis-server 0.0.0.0:6380", "")


def test_every_rule_about_redis_is_the_first_that_applies_to_something():
    reached = set()
    nodes = []
    for title in TITLES:
        processes = read(Processes(redis=(Process(7, 1, title),) if title else ()), samples.NOW)
        nodes.append(samples.with_node(samples.healthy_pair(), A, processes=processes).node(A))
    specs = [spec(redis={"via": via, "tls": tls}).nodes[0] for via in RedisRoute for tls in (None, TlsSpec())]
    for step, kind, text, node in product(ConnectStep, ProblemKind, TEXTS, nodes):
        problem = Problem(kind, text, step)
        refusing = replace(node, redis=failed(problem))
        for one, at in product(specs, ("", "127.0.0.1")):
            refused = Refused("cache", one, refusing, problem, RedisTrial(at))
            place = next((place for place, (applies, _) in enumerate(RULES) if applies(refused)), None)
            if place is not None and place not in reached:
                assert RULES[place][1](refused)
                reached.add(place)
    assert reached == set(range(len(RULES)))


def test_what_a_problem_itself_says_to_change_is_told():
    problem = Problem(ProblemKind.AUTH_FAILED, "it refuses the key: add it there", ConnectStep.LOGIN, "add it there")
    found = steps(samples.with_node(samples.healthy_pair(), A, ssh=failed(problem)))["login"]
    assert (found.seen, found.change) == ("it refuses the key", "add it there")
    problem = Problem(ProblemKind.NOT_PERMITTED, "no channel: allow it", ConnectStep.TCP, "allow it")
    state = samples.with_node(samples.healthy_pair(), A, redis=failed(problem))
    assert steps(state)["Redis port"].change == "allow it"
    assert "via: ssh" in steps(state, trial=RedisTrial("127.0.0.1"))["Redis port"].change


def test_where_redis_runs_is_told_by_the_titles_of_its_processes():
    refused = failed(Problem(ProblemKind.REFUSED, "refused", ConnectStep.TCP))

    def change(title):
        processes = read(Processes(redis=(Process(7, 1, title),)), samples.NOW)
        return steps(samples.with_node(samples.healthy_pair(), A, redis=refused, processes=processes))[
            "Redis port"
        ].change

    assert "/run/r.sock only" in change("/usr/bin/redis-server unixsocket:/run/r.sock")
    assert "port 6380" in change("redis-server 127.0.0.1:6380 [cluster]")
    assert "a unix socket only" in change("redis-server *:0")
    assert "redis.port" in change("redis-server *:6379")


def test_an_answer_on_the_loopback_is_offered_with_the_address():
    refused = failed(Problem(ProblemKind.REFUSED, "refused", ConnectStep.TCP))
    state = samples.with_node(samples.healthy_pair(), A, redis=refused)
    assert "{via: ssh, host: 127.0.0.1}" in steps(state, trial=RedisTrial("127.0.0.1"))["Redis port"].change
    assert "{via: ssh}" in steps(state, trial=RedisTrial(samples.ADDRESS[A]))["Redis port"].change


def test_commands_that_the_acl_refuses_are_named_as_rules():
    state = samples.healthy_pair()
    refused = {**GIVEN.permissions, "CLIENT PAUSE": Permission.REFUSED, "SLAVEOF": Permission.REFUSED}
    found = steps(state, spec(redis={"username": "ops"}), RedisTrial(permissions=refused))["commands"]
    assert (found.outcome, found.change) == (Outcome.NOTE, f"ACL SETUSER ops +slaveof +client|pause on {A}")
    gone = {**GIVEN.permissions, "CONFIG SET": Permission.MISSING, "CONFIG REWRITE": Permission.MISSING}
    assert "{CONFIG: its name}" in steps(state, trial=RedisTrial(permissions=gone))["commands"].change


@pytest.mark.parametrize(("step", "kind"), product(ConnectStep, ProblemKind))
@pytest.mark.parametrize("text", ["what was seen", "through SSH: what was seen"])
def test_each_problem_of_a_sentinel_says_what_to_change(step, kind, text):
    state = replace(sample_sets.sentinel_vip_set(), name="sessions")
    first = replace(state.sentinels[0], sentinel=failed(Problem(kind, text, step)))
    found = steps(replace(state, sentinels=(first, *state.sentinels[1:])), subject=first.name)
    assert (found["Sentinel"].outcome, found["Sentinel"].seen) == (Outcome.FAILS, text)
    assert found["Sentinel"].change
    assert found["master"].outcome is Outcome.NOT_TRIED


def test_the_commands_that_are_asked_for_are_documented():
    assert set(NEEDED) <= page.rights(page.redis_user("PASSWORD"))


def test_a_file_that_may_not_be_read_names_the_user_and_the_path():
    hidden = failed(Problem(ProblemKind.NOT_PERMITTED, "not permitted to read it; ssh.sudo may help"))
    state = samples.with_node(samples.healthy_pair(), A, keepalived_config=hidden)
    found = steps(state, spec(ssh={"sudo": False, "user": "ops"}))["keepalived.conf"]
    assert found.outcome is Outcome.FAILS
    assert found.change.startswith("set ssh.sudo: true, or setfacl -m u:ops:rX /etc/keepalived/keepalived.conf")
    assert steps(state, spec(ssh={"sudo": False, "user": "ops"}))["sudo"].outcome is Outcome.NOTE


def test_a_journal_that_shows_nothing_is_told():
    state = samples.healthy_pair()
    found = steps(state)["keepalived log"]
    assert (found.outcome, "usermod -aG systemd-journal ops" in found.change) == (Outcome.NOTE, True)
    line = LogTail("journal", ("Nov 21 07:00:00 redis-a Keepalived_vrrp: (VI_123) Entering BACKUP STATE",))
    told = steps(samples.with_node(state, A, system_log=read(line, samples.NOW)))["keepalived log"]
    assert (told.outcome, told.seen) == (Outcome.WORKS, "the journal of the unit keepalived")
    nowhere = failed(Problem(ProblemKind.NOT_AVAILABLE, "/var/log/messages and the journal: not there"))
    found = steps(samples.with_node(state, A, system_log=nowhere))["keepalived log"]
    assert found.change == f"set keepalived.system_log of {A} to where it is"


def test_a_unit_of_another_name_is_told():
    state = samples.healthy_pair()
    node = state.node(A)
    (redis,), (keepalived,) = node.processes.value.redis, node.processes.value.keepalived
    places = (ProcessPlace(redis.pid, False, "redis@6379"), ProcessPlace(keepalived.pid, False, "vrrp"))
    found = steps(samples.with_node(state, A, places=read(places, samples.NOW)))
    assert (found["INFO"].outcome, found["keepalived"].outcome) == (Outcome.NOTE, Outcome.NOTE)
    assert "redis.service: {systemd: redis@6379}" in found["INFO"].change
    assert "keepalived.service: {systemd: vrrp}" in found["keepalived"].change


def test_keepalived_in_a_container_is_told_where_its_file_is_missing():
    state = samples.healthy_pair()
    (keepalived,) = state.node(A).processes.value.keepalived
    missing = failed(Problem(ProblemKind.NOT_AVAILABLE, "/etc/keepalived/keepalived.conf: not there"))
    places = read((ProcessPlace(keepalived.pid, elsewhere=True),), samples.NOW)
    found = steps(samples.with_node(state, A, places=places, keepalived_config=missing))
    assert "container" in found["keepalived"].seen
    assert "keepalived.config" in found["keepalived"].change
    assert found["VRRP instance"].outcome is Outcome.NOT_TRIED


def test_an_address_that_no_node_has_is_told_at_the_server_that_names_it():
    state = samples.with_link(samples.healthy_pair(), A, host="203.0.113.9")
    found = steps(state)["replication"]
    assert found.outcome is Outcome.NOTE
    assert "203.0.113.9:6379" in found.seen
    assert "replica-announce-ip" in found.change


def test_through_ssh_redis_is_not_tried_without_ssh():
    problem = Problem(ProblemKind.AUTH_FAILED, "no key", ConnectStep.LOGIN)
    state = samples.with_node(samples.healthy_pair(), A, ssh=failed(problem), redis=failed(problem))
    found = steps(state, spec(redis={"via": RedisRoute.SSH}))
    assert found["INFO"].outcome is Outcome.NOT_TRIED
    assert "through SSH" in found["INFO"].seen
    assert nothing_read(problem, 0.0).identity.problem == problem


def test_a_password_in_the_inventory_changes_the_advice():
    denied = failed(Problem(ProblemKind.AUTH_FAILED, "Authentication required.", ConnectStep.AUTH))
    state = samples.with_node(samples.healthy_pair(), A, redis=denied)
    source = PasswordSource(PasswordKind.ENV, "REDIS_PASSWORD")
    assert steps(state, spec(redis={"password": source}))["AUTH"].change.startswith("correct redis.password")
    assert steps(state, spec(redis={"password": None}))["AUTH"].change.startswith("set redis.password")
