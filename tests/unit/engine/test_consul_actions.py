"""Verbs about the name in Consul, and the one that makes a Redis start as a replica: the exact texts, and why not."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import sample_sets as sets
import samples

from console.core.command import ConsulCommand
from console.core.inventory import ClusterSpec, ConsulSpec, KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.core.model import ProblemKind, read, unread
from console.core.runbooks.document import Action, Step
from console.core.watchers.service_name_history import NameSample
from console.engine.actions.commands import CommandContext, PlanError, plan_commands
from console.engine.steps.name_watch import NameWatch

A, B, NOW = sets.APP01, sets.APP02, samples.NOW
HTTP = "http://192.168.3.1:8500"
CONF = b"port 6379\nrequirepass hush-hush\n"


def spec(name, **redis):
    return NodeSpec(name, sets.ADDRESS[name], SshSpec(), RedisSpec(**redis), KeepalivedSpec())


def command_context(conf=CONF, **redis):
    cluster = ClusterSpec(
        "app", "sentinel-consul", "", (spec(A, **redis), spec(B)), consul=ConsulSpec(http=HTTP, service="redis")
    )
    read_file = None if conf is None else lambda _node, _path: conf
    return CommandContext(cluster, {"writable": B, "returning": A}, "RUN 1", "20261121T034000Z", read_file)


def seen(**changes):
    state = sets.sentinel_consul_set()
    return replace(state, consul=replace(state.consul, **{"registered": read((A, B), NOW), **changes}))


def plan(verb, state=None, work=None, **arguments):
    step = Step("s", "title", "why", "returning", action=Action(verb, arguments))
    return plan_commands(step, state or seen(), work or command_context())


def test_maintenance_is_asked_of_the_agent_that_has_the_service():
    (held,) = plan("hold-service")
    path = "/v1/agent/service/maintenance/app01?enable="
    assert held.render() == f"PUT {HTTP}{path}true&reason=redis-ha-console%20RUN%201"
    assert (held.node, held.channel) == (A, "consul")
    assert isinstance(held.command, ConsulCommand)
    assert (held.command.address, held.command.port) == (sets.ADDRESS[A], 6379)
    (let_in,) = plan("release-service")
    assert let_in.render() == f"PUT {HTTP}{path}false"


def test_another_nodes_agent_is_asked_where_the_service_is_registered_there():
    state = seen(registered=read((), NOW))
    moved = state.consul.instances.map(lambda found: tuple(replace(one, node_address="10.0.0.7") for one in found))
    (held,) = plan("hold-service", replace(state, consul=replace(state.consul, instances=moved)))
    assert held.command.agent == "http://10.0.0.7:8500"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"registered": unread(ProblemKind.TIMEOUT, "silent", NOW)}, "registered with http.* silent"),
        ({"instances": unread(ProblemKind.TIMEOUT, "silent", NOW)}, "could not be read: silent"),
        ({"instances": read((), NOW)}, "no instance of redis at 192.168.3.1:6379"),
    ],
)
def test_nothing_is_guessed_where_consul_does_not_tell(changes, words):
    with pytest.raises(PlanError, match=words):
        plan("hold-service", seen(**changes))


def test_the_file_gets_one_line_and_its_passwords_are_not_shown():
    (edit,) = plan("set-replicaof", work=command_context(config="/etc/redis.conf"), source="writable")
    assert edit.command.stdin.endswith(CONF + b"slaveof 192.168.3.2 6379\n")
    assert "+slaveof 192.168.3.2 6379" in edit.detail
    assert "hush-hush" not in edit.detail + edit.render() + edit.summary
    assert "keepalived" not in edit.render()
    assert (
        plan("set-replicaof", work=command_context(b"slaveof 192.168.3.2 6379\n", config="/c"), source="writable") == ()
    )


def test_the_lines_that_name_a_master_are_taken_out():
    told = b"port 6379\r\n  SlaveOf 10.0.0.1 6379\r\nreplicaof 10.0.0.2 1\nmasterauth hush-hush\n"
    (edit,) = plan("clear-replicaof", work=command_context(told, config="/etc/redis.conf"))
    after = edit.command.stdin.partition(b"\n")[2]
    assert after == b"port 6379\r\nmasterauth hush-hush\n"
    assert "hush-hush" not in edit.detail + edit.render() + edit.summary
    assert plan("clear-replicaof", work=command_context(after, config="/c")) == ()


def test_a_plan_without_hands_says_what_will_become_of_the_line():
    (later,) = plan("set-replicaof", work=command_context(None, config="/etc/redis.conf"), source="writable")
    assert "192.168.3.2 6379" in later.detail
    assert later.summary.endswith("in /etc/redis.conf.")


def test_a_file_that_is_not_known_and_a_node_that_follows_itself_are_refused():
    nowhere = samples.with_node(seen(), A, redis_file=unread(ProblemKind.NOT_CONFIGURED, "not known", NOW))
    with pytest.raises(PlanError, match=r"name it in the inventory"):
        plan("set-replicaof", nowhere, source="writable")
    with pytest.raises(PlanError, match="cannot follow itself"):
        plan("set-replicaof", source="returning")


class Sampler:
    """Leads astray at first."""

    asks_dns = True

    def __init__(self):
        self.looks = 0
        self.closed = False

    def sample(self):
        self.looks += 1
        if self.looks == 2:
            raise OSError("a look that fails is no sample")
        return NameSample(float(self.looks), ("192.168.3.1",) if self.looks < 4 else ("192.168.3.2",), None)

    def close(self):
        self.closed = True


class Clock:
    def now(self):
        return 99.0


def test_the_name_is_watched_from_the_beginning_of_a_run_to_its_end(monkeypatch):
    monkeypatch.setattr("console.engine.steps.name_watch.EVERY", 0.001)
    sampler = Sampler()
    watch = NameWatch(sampler, Clock())
    watch.start()
    watch.look(seen())
    until = time.monotonic() + 5
    while sampler.looks < 6 and time.monotonic() < until:
        time.sleep(0.001)
    found = watch.finish()
    assert watch.finish() is found
    assert sampler.closed
    checks, dns = found.ways
    assert (found.name, checks.elsewhere, dns.unread > 0) == ("redis.service.consul", 3.0, True)
    assert found.until == 99.0
