"""What could not be read states nothing: no difference and no finding about a value, for every reading."""

from __future__ import annotations

import pytest
import samples
from holes import STATES, holes

from console.core.kinds import kind_of
from console.core.kinds.diagnose import diagnose
from console.core.model import ClusterState, ProblemKind, unread
from console.core.model.silence import silences
from console.core.runs.gate import differences, material, unread_facts

SAYS_THAT_IT_IS_UNREAD = {
    "ssh-unreachable", "redis-hung", "sentinel-unreachable", "consul-unreachable", "lvs-director-unread",
}  # fmt: skip


CASES = [
    pytest.param(state, hole, id=f"{label}: {name}, {kind.value}")
    for label, make in STATES.items()
    for state in [make()]
    for kind in (ProblemKind.NOT_READ, ProblemKind.TIMEOUT)
    for name, hole in holes(state, kind)
]


def facts(state: ClusterState) -> dict[str, str]:
    return dict(material(state, {f"role {one.name}": one.name for one in state.nodes}))


def test_every_kind_of_thing_is_among_them():
    names = {case.id.split(": ")[1].split(".")[0] for case in CASES}
    assert {"cluster", samples.A, samples.B, "consul"} <= names
    assert len(CASES) > 100


@pytest.mark.parametrize(("state", "hole"), CASES)
def test_a_missing_reading_is_no_difference_and_states_nothing(state, hole):
    assert differences(facts(state), facts(hole)) == ()
    assert differences(facts(hole), facts(state)) == ()
    assert not [line for line in unread_facts(facts(state), facts(hole)) if "not known" not in line]


@pytest.mark.parametrize(("state", "hole"), CASES)
def test_a_missing_reading_makes_no_finding_but_that_it_is_missing(state, hole):
    rows = kind_of(state.kind).rules
    before = {one.code for row in rows for one in row.find(state)}  # also those that a better one replaces
    new = {one.code for one in diagnose(hole, hole.observed_at)} - before - SAYS_THAT_IT_IS_UNREAD
    assert not new or (new == {"vip-on-dead-redis"} and "TIMEOUT" in str(hole)), new


def test_silence_is_named_with_its_source():
    state = samples.healthy_pair()
    assert silences(state) == ()
    quiet = samples.with_node(state, samples.A, ssh=unread(ProblemKind.TIMEOUT, "no answer since 3 s"))
    assert silences(quiet) == (f"{samples.A}, SSH: no answer since 3 s",)
    refused = samples.with_node(state, samples.A, redis=unread(ProblemKind.REFUSED))
    assert silences(refused) == ()
