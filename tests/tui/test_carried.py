"""A moment of silence is no state: old readings stay on the screen for a while, and events have known values only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sample_sets
import samples
from tui_stage import spec_of

from console.core.diagnosis.finding import Health
from console.core.model import ClusterState, ProblemKind, VipReach, read, unread
from console.core.model.carried import CARRY_SECONDS, carried
from console.core.runs.gate import material
from console.tui.present.frame import observed_when
from console.tui.state.cluster_view import ClusterView, absorb

STATES: dict[str, Callable[[], ClusterState]] = {
    "healthy": samples.healthy_pair,
    "rebuilt": samples.rebuilt_pair,
    "failed over": samples.failed_over_pair,
    "split brain": samples.split_brain,
    "sentinels": sample_sets.sentinel_vip_set,
    "consul": sample_sets.sentinel_consul_set,
}
LATE = "the shell has not answered since 07:40:01"


def silent(state: ClusterState, source: str, at: float, kind: ProblemKind = ProblemKind.TIMEOUT) -> ClusterState:
    """The same cluster, observed at this time, with one source silent."""
    nothing = unread(kind, LATE, at)
    name, _, what = source.partition(" ")
    if what == "SSH" and name in {node.name for node in state.nodes}:
        node = state.node(name)
        host = {one: nothing for one in node.__slots__ if one not in {"name", "address", "redis_port", "redis"}}
        return replace(samples.with_node(state, name, **host), observed_at=at)
    if what == "Redis":
        return replace(samples.with_node(state, name, redis=nothing), observed_at=at)
    if what == "SSH":
        gone = {"ssh": nothing, "addresses": nothing, "keepalived": nothing, "services": nothing}
        directors = tuple(replace(one, **gone) if one.name == name else one for one in state.directors)
        return replace(state, directors=directors, observed_at=at)
    if source == "Consul":
        return replace(state, consul=replace(state.consul, instances=nothing, dns=nothing), observed_at=at)
    if source == "VIP":
        return replace(state, vip_reach=nothing, observed_at=at)
    sentinels = tuple(replace(one, sentinel=nothing) if one.name == source else one for one in state.sentinels)
    return replace(state, sentinels=sentinels, observed_at=at)


def sources(state: ClusterState) -> Iterator[str]:
    for node in state.nodes:
        yield f"{node.name} SSH"
        if node.redis.ok:
            yield f"{node.name} Redis"
    yield from (f"{one.name} SSH" for one in state.directors)
    yield from (one.name for one in state.sentinels)
    yield from ("Consul",) if state.consul is not None else ()
    yield from ("VIP",) if state.vip_reach.ok else ()


CASES = [
    pytest.param(make(), source, id=f"{label}: {source}")
    for label, make in STATES.items()
    for source in sources(make())
]


def seen(view: ClusterView, state: ClusterState) -> ClusterView:
    return absorb(view, state, state.observed_at)


def first(state: ClusterState) -> ClusterView:
    return seen(ClusterView(spec_of(state)), state)


@pytest.mark.parametrize(("state", "source"), CASES)
def test_a_moment_of_silence_changes_nothing_but_an_age(state, source):
    view = first(state)
    late = seen(view, silent(state, source, samples.NOW + 3))
    assert (late.findings, late.health, late.protection) == (view.findings, view.health, view.protection)
    assert late.events == view.events
    assert material(late.state, {}) == material(view.state, {})
    assert f"{source} 3 s old" in observed_when(late, samples.NOW + 3)
    back = seen(late, replace(state, observed_at=samples.NOW + 4))
    assert back.events == view.events
    assert observed_when(back, samples.NOW + 4) == "observed 0 s ago"


@pytest.mark.parametrize(("state", "source"), CASES)
def test_after_the_bound_it_is_not_known(state, source):
    view = first(state)
    for second in (5, 10, CARRY_SECONDS, CARRY_SECONDS + 1):
        view = seen(view, silent(state, source, samples.NOW + second))
        assert bool(view.old) is (second <= CARRY_SECONDS)
    assert view.state == silent(state, source, samples.NOW + CARRY_SECONDS + 1)
    back = seen(view, replace(state, observed_at=samples.NOW + 60))
    told = [event.text for event in back.events if not event.from_log]
    assert all(("lost: " + LATE in text) or text.endswith(" answers") for text in told), told
    assert len(told) in {0, 2}


@pytest.mark.parametrize(("state", "source"), CASES)
def test_a_value_of_later_than_now_is_never_shown_for_silence(state, source):
    """Seen so: after the clock of the machine was set back, a dead master stayed on the screen as it was."""
    before = silent(state, source, samples.NOW - 600)
    assert carried(state, before) == before


@pytest.mark.parametrize(("state", "source"), CASES)
def test_a_refusal_is_an_answer_and_is_never_covered(state, source):
    refused = silent(state, source, samples.NOW + 1, ProblemKind.REFUSED)
    assert carried(state, refused) == refused


def test_an_old_value_is_not_shown_beside_a_change():
    """The holder falls silent, and the other node is a master with the VIP now: that is a failover, not two masters."""
    before, after = samples.healthy_pair(), samples.failed_over_pair(samples.NOW + 5)
    moved = silent(silent(after, "redis-b SSH", samples.NOW + 5), "redis-b Redis", samples.NOW + 5)
    view = first(before)
    for second in (2, 4):
        hidden = silent(silent(before, "redis-b SSH", samples.NOW + second), "redis-b Redis", samples.NOW + second)
        view = seen(view, hidden)
        assert view.health is Health.HEALTHY
    view = seen(view, moved)
    assert not {"dual-master", "vip-duplicate"} & {one.code for one in view.findings}
    assert "held by redis-b → redis-a (not known of redis-b)" in [event.text for event in view.events]
    again = seen(view, replace(samples.in_sync_unprotected(), observed_at=samples.NOW + 60))
    assert not [event.text for event in again.events[len(view.events) :] if event.text.startswith("held by")]


def test_known_then_not_read_then_known_is_one_transition():
    view = first(samples.healthy_pair())
    blind = samples.healthy_pair(samples.NOW + 20)
    for node in blind.nodes:
        blind = silent(silent(blind, f"{node.name} SSH", samples.NOW + 20), f"{node.name} Redis", samples.NOW + 20)
    blind = silent(blind, "VIP", samples.NOW + 20)
    view = seen(view, replace(blind, observed_at=samples.NOW + 30))
    view = seen(view, samples.failed_over_pair(samples.NOW + 40))
    texts = [f"{event.subject}: {event.text}" for event in view.events if not event.from_log]
    assert texts.count("VIP: held by redis-b → redis-a") == 1
    assert texts.count("VIP: clients reach redis-b → redis-a") == 1
    assert texts.count("redis-a: Redis replica → master") == 1
    assert not [text for text in texts if "nobody" in text or "None" in text]


@pytest.mark.parametrize("make", STATES.values(), ids=STATES)
def test_the_start_is_no_transition(make):
    state = make()
    connecting = replace(state, observed_at=samples.NOW - 5)
    for source in sources(state):
        connecting = silent(connecting, source, samples.NOW - 5, ProblemKind.CONNECTING)
    view = seen(first(connecting), state)
    assert [event.text for event in view.events if not event.from_log] == []


def test_a_server_that_answers_at_the_vip_is_told_by_its_name():
    state = samples.healthy_pair()
    view = first(state)
    stranger = read(VipReach("f" * 40, state.vip_reach.value.role, "direct"), samples.NOW + 1)
    view = seen(view, replace(state, vip_reach=stranger, observed_at=samples.NOW + 1))
    assert [event.text for event in view.events if not event.from_log] == []
