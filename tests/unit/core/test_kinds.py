"""Each kind of cluster: a healthy one has no finding and is protected, and what is missing is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples

from console.core.conditions.switching import PAUSED
from console.core.diagnosis.finding import Health
from console.core.kinds import all_kinds, kind_of
from console.core.kinds.diagnose import diagnose, health
from console.core.kinds.protection import protection
from console.core.model import ProblemKind, unread
from console.core.model.verdict import Verdict
from console.core.runbooks.binding import bind_roles
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.gate import differences, material
from console.documents.runbooks.library import load_runbooks

HEALTHY = {
    "keepalived": samples.healthy_pair(),
    "sentinel-vip": sets.sentinel_vip_set(),
    "sentinel-consul": sets.sentinel_consul_set(),
}


def with_sentinel(state, name, **changes):
    def changed(one):
        return replace(one, sentinel=one.sentinel.map(lambda value: replace(value, **changes)))

    return replace(state, sentinels=tuple(changed(one) if one.name == name else one for one in state.sentinels))


@pytest.mark.parametrize("kind", [kind.name for kind in all_kinds()])
def test_a_healthy_one_has_no_finding_and_is_protected(kind):
    state = HEALTHY[kind]
    found = diagnose(state, samples.NOW)
    documented = ["sentinel-too-few"] if kind == "sentinel-consul" else []  # its one Sentinel is worth a word
    assert [one.code for one in found] == documented
    assert health(state, found) is Health.HEALTHY
    assert protection(state).reason == kind_of(kind).protected


def test_a_set_without_a_replica_in_sync_is_not_protected():
    state = HEALTHY["sentinel-vip"]
    for name in (sets.WEB02, sets.WEB03):
        state = samples.with_link(state, name, up=False, down_seconds=40)
    assert protection(state).verdict is Verdict.FAILS
    one_left = samples.with_link(HEALTHY["sentinel-vip"], sets.WEB02, up=False, down_seconds=40)
    assert protection(one_left).verdict is Verdict.HOLDS


def test_a_set_whose_next_master_may_refuse_writes_is_not_protected():
    """A switchover was given up before its last step: the old master follows, with its writes still paused."""
    state = HEALTHY["sentinel-vip"]
    server = state.node(sets.WEB02).redis.value
    paused = {"config": replace(server.config, min_replicas_to_write=1_000_000)}
    found = protection(samples.with_redis(state, sets.WEB02, **paused))
    assert (found.verdict, "the Sentinels may promote web02" in found.reason) == (Verdict.FAILS, True), found
    assert protection(samples.with_redis(state, sets.WEB02, **paused, replica_priority=0)).verdict is Verdict.HOLDS
    behind = samples.with_link(samples.with_redis(state, sets.WEB02, **paused), sets.WEB02, up=False, down_seconds=40)
    assert protection(behind).verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    "changes", [{"tilt": True}, {"quorum_ok": False, "quorum_text": "NOQUORUM 1 usable"}, {"master": None}]
)
def test_sentinels_that_cannot_fail_over_do_not_protect(changes):
    state = with_sentinel(HEALTHY["sentinel-consul"], "sentinel", **changes)
    assert protection(state).verdict is Verdict.FAILS
    assert health(state, ()) is not Health.HEALTHY


def silenced(state, *places):
    lost = unread(ProblemKind.TIMEOUT, "no answer", samples.NOW)
    return replace(
        state,
        sentinels=tuple(replace(one, sentinel=lost) if at in places else one for at, one in enumerate(state.sentinels)),
    )


def on_hosts_of_their_own(state):
    sentinels = (replace(one, address=f"10.0.0.{at}", host="") for at, one in enumerate(state.sentinels, start=1))
    return replace(state, sentinels=tuple(sentinels))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_silent_sentinel_of_a_node_does_not_move_the_address_there(place):
    """The others promote the node, and no script gives it the address that clients write to. A night has found it."""
    found = protection(silenced(HEALTHY["sentinel-vip"], place))
    assert found.verdict is Verdict.UNKNOWN
    name = HEALTHY["sentinel-vip"].sentinels[place].host or HEALTHY["sentinel-vip"].nodes[place].name
    assert f"its script adds {sets.WRITE_VIP} on {name}" in found.reason


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_sentinels_that_answer_fail_over_without_one_that_is_silent(place):
    state = silenced(on_hosts_of_their_own(HEALTHY["sentinel-vip"]), place)
    found = protection(state)
    assert found.verdict is Verdict.HOLDS
    checks = kind_of(state.kind).protection(state)
    assert "the 2 Sentinels that answer fail over without the other" in [one.statement for one in checks]
    assert any(f"{state.sentinels[place].name}: no answer" in one.evidence for one in checks)
    findings = diagnose(state, samples.NOW)
    assert "sentinel-unreachable" in {one.code for one in findings}
    assert health(state, findings) is not Health.HEALTHY


def test_too_few_sentinels_that_answer_are_not_known_to_fail_over():
    healthy = on_hosts_of_their_own(HEALTHY["sentinel-vip"])
    assert protection(silenced(healthy, 0, 1)).verdict is Verdict.UNKNOWN
    assert protection(silenced(healthy, 0, 1, 2)).verdict is Verdict.UNKNOWN
    assert protection(silenced(HEALTHY["sentinel-consul"], 0)).verdict is Verdict.UNKNOWN
    two = silenced(healthy, 0)
    name = two.sentinels[1].name
    watched = two.sentinels[1].sentinel.value.master
    strict = with_sentinel(two, name, master=replace(watched, quorum=3))
    assert protection(strict).verdict is Verdict.UNKNOWN
    peers = two.sentinels[1].sentinel.value.peers
    more = with_sentinel(two, name, peers=(*peers, replace(peers[0], port=1), replace(peers[0], port=2)))
    assert protection(more).verdict is Verdict.UNKNOWN, "two of five elect nobody"
    assert protection(with_sentinel(two, name, quorum_ok=None)).verdict is Verdict.UNKNOWN
    assert protection(with_sentinel(two, name, quorum_ok=False)).verdict is Verdict.FAILS


def test_a_gate_closes_when_the_sentinels_or_consul_say_something_else():
    state, roles = HEALTHY["sentinel-consul"], {"returning": sets.APP01}
    watched = state.sentinels[0].sentinel.value.master
    moved = with_sentinel(state, "sentinel", master=replace(watched, config_epoch=4))
    (line,) = differences(material(state, roles), material(moved, roles))
    assert line.startswith("sentinel: master: was 192.168.3.2:6379, config epoch 3, is ")
    elsewhere = replace(state.consul, dns=state.consul.dns.map(lambda one: replace(one, addresses=())))
    (line,) = differences(material(state, roles), material(replace(state, consul=elsewhere), roles))
    assert line == "Consul: DNS: was 192.168.3.2, is no address now"


def paused(state, name):
    config = state.node(name).redis.value.config
    return samples.with_redis(state, name, config=replace(config, min_replicas_to_write=1_000_000))


def test_a_replica_that_would_be_promoted_and_refuses_writes_leaves_a_set_unprotected():
    state = paused(HEALTHY["sentinel-vip"], sets.WEB02)
    assert protection(state).verdict is Verdict.FAILS
    never_promoted = samples.with_redis(state, sets.WEB02, replica_priority=0)
    assert protection(never_promoted).verdict is Verdict.HOLDS


def without_redis(state):
    for node in state.nodes:
        running = node.processes.map(lambda seen: replace(seen, redis=()))
        state = samples.with_node(
            state, node.name, redis=unread(ProblemKind.REFUSED, at=samples.NOW), processes=running
        )
    return state


@pytest.mark.parametrize("kind", ["sentinel-vip", "sentinel-consul"])
def test_where_no_redis_of_a_set_runs_no_runbook_is_named_that_needs_a_master(kind):
    named = {one.code: one.next for one in diagnose(without_redis(HEALTHY[kind]), samples.NOW)}
    assert named["no-master"].runbook is None
    assert "newest data" in named["no-master"].advice
    assert not {"sentinel-return-old-master", "consul-return-old-master"} & {one.runbook for one in named.values()}


def test_a_consul_set_whose_only_master_is_paused_has_a_runbook_that_can_begin():
    state = HEALTHY["sentinel-consul"]
    (master,) = state.masters
    config = replace(state.node(master).redis.value.config, min_replicas_to_write=PAUSED)
    paused = samples.with_redis(state, master, config=config, good_replicas=1)
    (found,) = [one for one in diagnose(paused, paused.observed_at) if one.code == "writes-refused"]
    assert found.next.runbook == "consul-resume-writes"
    book = next(one for one in load_runbooks(None).runbooks if one.name == found.next.runbook)
    assert bind_roles(book, paused, {}) == {"paused": master}
    assert all(evaluate(one, paused, {"paused": master}).holds for step in book.steps for one in step.require)
