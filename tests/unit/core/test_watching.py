"""What `status --watch` tells: the present state, then changes; what cannot be read has not changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets
import samples
from hypothesis import given
from hypothesis import strategies as st

from console.core.changes.watching import Watched, watch
from console.core.kinds.diagnose import diagnose, health
from console.core.model import ClusterState, ProblemKind, unknown_node
from console.core.model.reading import Problem

PAIRS = (
    samples.healthy_pair,
    samples.failed_over_pair,
    samples.stale_master_back,
    samples.split_brain,
    samples.syncing_pair,
    samples.rebuilt_pair,
)
SETS = (sample_sets.sentinel_vip_set, sample_sets.sentinel_consul_set)


def told(*states: ClusterState) -> list[list[str]]:
    """The lines after each observation."""
    watched: Watched | None = None
    lines = []
    for state in states:
        findings = diagnose(state, state.observed_at)
        watched, events = watch(watched, state, findings, health(state, findings))
        lines.append([f"{one.subject}: {one.text}" for one in events])
    return lines


def dark(state: ClusterState, *names: str, kind: ProblemKind = ProblemKind.TIMEOUT) -> ClusterState:
    """The state with nodes of which nothing can be read."""
    problem = Problem(kind, kind.value)
    return replace(
        state,
        nodes=tuple(
            unknown_node(one.name, one.address, one.redis_port, problem) if one.name in names else one
            for one in state.nodes
        ),
    )


def test_the_present_state_comes_first():
    first, again = told(samples.failed_over_pair(), samples.failed_over_pair(samples.NOW + 60))
    assert first[0].startswith("now: health ")
    assert ", master redis-a" in first[0]
    assert "VIP held by redis-a, clients reach redis-a" in first[0]
    codes = [one.code for one in diagnose(samples.failed_over_pair(), samples.NOW)]
    assert [line.split()[3] for line in first[1:]] == codes
    assert all(line.startswith("finding: open: ") for line in first[1:])
    assert again == []


def test_a_failover_is_health_virtual_ip_master_and_findings():
    _, lines = told(samples.healthy_pair(), samples.failed_over_pair())
    assert lines[0].startswith("health: healthy → ")
    assert "VIP: held by redis-b → redis-a" in lines
    assert "redis-a: Redis replica → master" in lines
    opened = [line for line in lines if line.startswith("finding: opened: ")]
    assert [line.split()[3] for line in opened] == [one.code for one in diagnose(samples.failed_over_pair(), 0)]


def test_what_is_repaired_is_closed():
    _, lines = told(samples.failed_over_pair(), samples.rebuilt_pair())
    assert any(line.startswith("health: ") and line.endswith("→ healthy") for line in lines)
    closed = {line.split()[2] for line in lines if line.startswith("finding: closed: ")}
    left = {one.code for one in diagnose(samples.rebuilt_pair(), 0)}
    assert closed == {one.code for one in diagnose(samples.failed_over_pair(), 0)} - left


@pytest.mark.parametrize("kind", [ProblemKind.TIMEOUT, ProblemKind.UNREACHABLE, ProblemKind.AUTH_FAILED])
@pytest.mark.parametrize("sample", [*PAIRS, *SETS])
def test_what_cannot_be_read_closes_nothing_and_changes_nothing(sample, kind):
    state = sample()
    for node in state.nodes:
        _, lost, back = told(state, dark(state, node.name, kind=kind), state)
        assert not [line for line in lost if line.startswith("finding: closed")], lost
        assert not [line for line in lost if line.startswith("VIP")], lost
        assert not [line for line in lost if " → " in line and not line.startswith(("health", "finding"))], lost
        opened = {line.split()[3] for line in lost if line.startswith("finding: opened")}
        closed = {line.split()[2] for line in back if line.startswith("finding: closed")}
        assert closed == opened, "what was opened by the silence ends with it, and nothing else"
        assert not [line for line in back if line.startswith("finding: opened")], back


def test_nothing_known_is_said_once_and_is_not_a_change_of_health():
    state = samples.failed_over_pair()
    word = health(state, diagnose(state, 0))
    names = [node.name for node in state.nodes]
    _, lost, still, back = told(state, dark(state, *names), dark(state, *names), state)
    assert lost[0] == f"health: not known any more, it was {word}"
    assert still == []
    assert back[0] == f"health: known again, {word} as before"
    _, _, other = told(state, dark(state, *names), samples.rebuilt_pair())
    assert f"health: {word} → healthy" in other


def test_health_that_was_never_known_begins():
    state = samples.healthy_pair()
    first, now = told(dark(state, *(node.name for node in state.nodes)), state)
    assert first[0].startswith("now: health not known, master not known")
    assert "health: healthy" in now


@given(st.lists(st.tuples(st.sampled_from(PAIRS), st.sets(st.sampled_from((samples.A, samples.B)))), max_size=8))
def test_in_any_order_of_states_what_is_closed_was_open_and_nothing_is_opened_twice(steps):
    states = [dark(sample(samples.NOW + at), *names) for at, (sample, names) in enumerate(steps)]
    open_now: set[str] = set()
    for state, lines in zip(states, told(*states), strict=True):
        for line in lines:
            what, _, rest = line.removeprefix("finding: ").partition(": ")
            named = rest.split(": ")[0]
            if line.startswith("finding: open"):
                _, finding = named.split(" ", 1)
                assert finding not in open_now
                open_now.add(finding)
            elif line.startswith("finding: closed"):
                assert what == "closed"
                assert named in open_now
                open_now.remove(named)
        found = {f"{one.code}{' on ' + ' and '.join(one.nodes) if one.nodes else ''}" for one in diagnose(state, 0)}
        assert found <= open_now
