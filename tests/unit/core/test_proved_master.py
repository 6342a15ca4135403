"""The master that keys may be brought to is proved as its kind of cluster decides it, or none is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples
from sample_sets import APP02, WEB01, WEB02, sentinel_consul_set, sentinel_vip_set

from console.core.model import Role, unread
from console.core.model.reading import ProblemKind
from console.core.runs.replays.master import NoMasterError, identity_of, proved_master

A, B = samples.A, samples.B


def refusal(state, expected=""):
    with pytest.raises(NoMasterError) as refused:
        proved_master(state, expected)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_healthy_pair_has_one():
    state = samples.healthy_pair()
    node, checks = proved_master(state)
    assert node.name == state.masters[0] == state.vip_reaches
    assert {"the Redis that answers"} <= {one.statement[:22] for one in checks}
    assert proved_master(state, identity_of(node))[0] is node


def test_another_process_on_the_master_is_another_master():
    state = samples.healthy_pair()
    node, _ = proved_master(state)
    restarted = samples.with_redis(state, node.name, run_id="f" * 40)
    restarted = replace(
        restarted, vip_reach=replace(state.vip_reach, value=replace(state.vip_reach.value, run_id="f" * 40))
    )
    assert "run_id" in refusal(restarted, identity_of(node))


def test_two_masters_are_none():
    assert "are masters" in refusal(samples.split_brain())


def test_no_master_is_none():
    state = samples.healthy_pair()
    assert "no node" in refusal(samples.with_redis(state, state.masters[0], role=Role.REPLICA))


def test_a_node_that_cannot_be_read_may_be_a_second_one():
    state = samples.healthy_pair()
    other = B if state.masters[0] == A else A
    silent = samples.with_node(state, other, redis=unread(ProblemKind.TIMEOUT, "no answer", samples.NOW))
    assert "could not be read" in refusal(silent)


def test_an_address_that_leads_elsewhere_proves_nothing():
    state = samples.healthy_pair()
    reach = replace(state.vip_reach, value=replace(state.vip_reach.value, run_id="e" * 40))
    assert samples.VIP in refusal(replace(state, vip_reach=reach))
    silent = replace(state, vip_reach=unread(ProblemKind.TIMEOUT, "no answer", samples.NOW))
    assert samples.VIP in refusal(silent)


def test_a_master_that_refuses_writes_takes_no_keys():
    state = samples.healthy_pair()
    config = replace(state.node(state.masters[0]).redis.value.config, min_replicas_to_write=3)
    assert "NOREPLICAS" in refusal(samples.with_redis(state, state.masters[0], config=config, good_replicas=1))


def test_sets_under_sentinels_have_the_one_that_the_sentinels_name():
    assert proved_master(sentinel_vip_set())[0].name == WEB01
    assert proved_master(sentinel_consul_set())[0].name == APP02


def test_sentinels_that_name_another_node_or_fail_over_prove_none():
    state = sentinel_vip_set()
    others = sentinel_vip_set(WEB02).sentinels
    assert "the Sentinels agree" in refusal(replace(state, sentinels=others))
    assert "the Sentinels agree" in refusal(replace(state, sentinels=(*state.sentinels[:1], *others[1:])))
    seen = state.sentinels[0].sentinel
    going = replace(seen.value, master=replace(seen.value.master, failover_state="select_slave"))
    first = replace(state.sentinels[0], sentinel=replace(seen, value=going))
    assert "no failover is under way" in refusal(replace(state, sentinels=(first, *state.sentinels[1:])))


def test_a_name_that_leads_elsewhere_proves_none():
    state = sentinel_consul_set()
    consul = replace(state.consul, instances=replace(state.consul.instances, value=()))
    assert "leads to" in refusal(replace(state, consul=consul))
