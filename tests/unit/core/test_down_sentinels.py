"""Where Sentinels do not run, every advice names them with the command, and nobody is sent to ask them why."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples as s

from console.core.kinds.diagnose import diagnose
from console.core.model import ProblemKind, read, unread

SETS = {"sentinel-vip": sets.sentinel_vip_set(), "sentinel-consul": sets.sentinel_consul_set()}
START = "service redis-sentinel start"


def silent(state, kind, start=START):
    gone = unread(kind, "no answer", s.NOW)
    return replace(state, sentinels=tuple(replace(one, sentinel=gone, start=start) for one in state.sentinels))


def without_master(state):
    (name,) = state.masters
    gone = replace(state.node(name).processes.value, redis=())
    state = s.with_node(state, name, redis=s.refused(), processes=read(gone, s.NOW))
    if state.consul is None:
        return state
    nobody = tuple(sets.instance(one, "critical") for one in (sets.APP01, sets.APP02))
    return replace(state, consul=replace(state.consul, instances=read(nobody, s.NOW)))


def advice(state):
    return {one.code: one.next.advice or "" for one in diagnose(state, s.NOW)}


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("start", [START, ""])
def test_one_that_does_not_run_is_started_by_its_command(kind, start):
    state = silent(SETS[kind], ProblemKind.REFUSED, start)
    told = advice(state)["sentinel-unreachable"]
    assert (start or "systemctl start redis-sentinel") in told
    assert any(one.name in told for one in state.sentinels)
    told = advice(without_master(state))
    assert all((start or "systemctl") in told[code] for code in ("no-master", "consul-none-passing") if code in told)
    assert "no-master" in told


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("problem", [ProblemKind.REFUSED, ProblemKind.TIMEOUT])
def test_nobody_is_asked_why_that_could_not_be_read(kind, problem):
    told = advice(without_master(silent(SETS[kind], problem)))
    assert not any("see why the Sentinels" in one for one in told.values()), told
    few = [one.summary for one in diagnose(silent(SETS[kind], problem), s.NOW) if one.code == "sentinel-too-few"]
    assert not any("if it or its host dies" in one for one in few)


def test_a_quorum_that_is_lost_names_the_ones_to_start():
    state = SETS["sentinel-vip"]
    first, *others = state.sentinels
    down = [replace(one, sentinel=unread(ProblemKind.REFUSED, "no", s.NOW), start=START) for one in others]
    lost = replace(
        first, sentinel=first.sentinel.map(lambda one: replace(one, quorum_ok=False, quorum_text="NOQUORUM"))
    )
    told = advice(replace(state, sentinels=(lost, *down)))["sentinel-no-quorum"]
    assert told.count(START) == len(down)


def test_the_replica_with_the_newest_data_is_named_where_one_history_tells():
    state = s.healthy_pair()
    gone = replace(state.node(s.B).processes.value, redis=())
    state = s.with_node(state, s.B, redis=s.refused(), processes=read(gone, s.NOW))
    told = advice(state)["no-master"]
    assert f"promote {s.A}" in told
    assert f"redis-cli -h {s.ADDRESS[s.A]} -p 6379 SLAVEOF NO ONE" in told
