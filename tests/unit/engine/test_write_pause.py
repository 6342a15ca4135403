from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples
from fakes import CLUSTER, A, B, node_spec

from console.core.conditions.switching import PAUSED
from console.core.inventory import RedisSpec
from console.core.model import ProblemKind, RedisConfig, unread
from console.core.runbooks.document import Action, Step
from console.engine.actions.commands import CommandContext, PlanError, plan_commands
from console.engine.actions.write_pause import PauseWatch

WORK = CommandContext(CLUSTER, {"old-master": B}, "RUN-1", "20261121T034000Z")


def pair(number=0, version="7.0.15"):
    return samples.with_redis(
        samples.healthy_pair(), B, version=version, config=RedisConfig(min_replicas_to_write=number)
    )


def texts(verb, state, work=WORK, **arguments):
    step = Step("s", "title", "why", "old-master", action=Action(verb, arguments))
    return [one.render() for one in plan_commands(step, state, work)]


def test_clients_wait_and_nothing_is_acknowledged_when_they_have_waited_long_enough():
    assert texts("pause-writes", pair(), seconds=120) == [
        "CLIENT PAUSE 120000 WRITE",
        f"CONFIG SET min-replicas-to-write {PAUSED}",
    ]


@pytest.mark.parametrize("version", ["2.8.24", "3.0.4", "4.0.14"])
def test_before_6_2_nothing_silences_the_whole_server(version):
    assert texts("pause-writes", pair(1, version), seconds=120) == [f"CONFIG SET min-slaves-to-write {PAUSED + 1}"]
    assert texts("resume-writes", pair(PAUSED + 1, version)) == ["CONFIG SET min-slaves-to-write 1"]


def test_the_number_that_stood_there_comes_back():
    assert texts("resume-writes", pair(PAUSED + 3)) == ["CONFIG SET min-replicas-to-write 3", "CLIENT UNPAUSE"]


def test_renamed_commands_are_sent_by_their_names():
    renamed = node_spec(B, redis=RedisSpec(aliases={"CONFIG": "C-7f3a", "CLIENT": "L-11"}))
    work = CommandContext(replace(CLUSTER, nodes=(renamed,)), {"old-master": B}, "RUN-1", "20261121T034000Z")
    assert [text.split()[0] for text in texts("pause-writes", pair(), work, seconds=5)] == ["L-11", "C-7f3a"]


@pytest.mark.parametrize(
    ("verb", "state", "arguments", "reason"),
    [
        ("pause-writes", pair(PAUSED), {"seconds": 5}, "paused already"),
        ("pause-writes", pair(), {"seconds": 0}, "whole number"),
        ("pause-writes", pair(0, "2.6.4"), {"seconds": 5}, "came with 2.8"),
        ("resume-writes", pair(2), {}, "not paused"),
        ("resume-writes", samples.with_redis(pair(), B, config=RedisConfig()), {}, "alias of CONFIG"),
        ("resume-writes", samples.with_node(pair(), B, redis=unread(ProblemKind.TIMEOUT, "silent")), {}, "silent"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_sent(verb, state, arguments, reason):
    with pytest.raises(PlanError, match=reason):
        texts(verb, state, **arguments)


def test_the_length_of_the_pause_is_measured_until_a_master_takes_writes_again():
    watch = PauseWatch()
    assert watch.words(samples.NOW) == ""
    watch.begin(B, samples.NOW - 7, B)
    held = replace(pair(PAUSED), observed_at=samples.NOW - 3)
    watch.look(samples.with_redis(held, B, good_replicas=1))
    assert watch.words(samples.NOW) == "Writes have been paused on redis-b for 7.0 s: run resume-writes, or go on."
    watch.look(samples.rebuilt_pair())
    watch.look(replace(samples.rebuilt_pair(), observed_at=samples.NOW + 60))
    assert watch.words(samples.NOW + 99) == f"Clients could not write for 7.0 s, then {A} took their writes."


@pytest.mark.parametrize("serving", [A, None])
def test_a_pause_of_a_node_without_clients_is_no_time_in_which_they_could_not_write(serving):
    watch = PauseWatch()
    watch.begin(B, samples.NOW - 7, serving)
    watch.look(replace(pair(PAUSED), observed_at=samples.NOW - 3))
    assert watch.words(samples.NOW) == "Writes have been paused on redis-b: run resume-writes, or go on."
    watch.look(samples.rebuilt_pair())
    assert watch.words(samples.NOW + 99) == ""
    watch.begin(A, samples.NOW + 100, A)
    assert "for 4.0 s" in watch.words(samples.NOW + 104), "a pause that clients feel counts from its own beginning"


@pytest.mark.parametrize(
    ("state", "is_master", "runbook"),
    [
        (sets.sentinel_vip_set(), True, "sentinel-resume-writes"),
        (sets.sentinel_consul_set(), True, "consul-resume-writes"),
        (sets.sentinel_consul_set(), False, "consul-return-old-master"),
    ],
)
def test_the_way_back_is_a_runbook_of_the_kind_of_the_set(state, is_master, runbook):
    (master,) = state.masters
    node = next(one.name for one in state.nodes if (one.name == master) is is_master)
    watch = PauseWatch()
    watch.begin(node, state.observed_at, None)
    watch.look(state)
    assert f"run {runbook}, or go on" in watch.words(state.observed_at)
