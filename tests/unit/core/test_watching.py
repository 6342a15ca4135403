"""What `status --watch` tells: the present state, then changes; what cannot be read has not changed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import sample_sets
import samples
from hypothesis import given
from hypothesis import strategies as st

from console.core.changes.watching import Watched, watch
from console.core.diagnosis.finding import Finding, Severity
from console.core.kinds.diagnose import all_rules, diagnose, health, told_instead
from console.core.model import ClusterState, ProblemKind, unknown_node
from console.core.model.reading import Problem

RULES = {row.code: row for row in all_rules()}
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
        watched, events = watch(
            watched,
            state,
            findings,
            health(state, findings),
            lambda ended, state=state, findings=findings: told_instead(ended, state, findings),
        )
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
    assert first[0].startswith("health: ")
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
    opened = [line for line in lines if line.startswith("finding: open: ")]
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
        opened = {line.split()[3] for line in lost if line.startswith("finding: open")}
        ended = {line.split()[2] for line in back if line.startswith(("finding: closed", "finding: replaced"))}
        assert ended == opened, "what was opened by the silence ends with it, and nothing else"
        assert not [line for line in back if line.startswith("finding: open")], back


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
    assert first[0].startswith("health: not known, master not known")
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
            elif what in {"closed", "replaced"}:
                assert named.split(" is now ")[0] in open_now
                open_now.remove(named.split(" is now ")[0])
        found = {f"{one.code}{' on ' + ' and '.join(one.nodes) if one.nodes else ''}" for one in diagnose(state, 0)}
        assert found <= open_now


def dead_holder() -> ClusterState:
    """The Redis of the failed-over pair that is down is on the node that has the virtual IP now."""
    held = samples.with_vip(samples.failed_over_pair(), samples.A, held=False)
    return samples.with_vip(held, samples.B, held=True)


def test_a_finding_that_another_one_says_more_of_is_replaced_and_not_closed():
    _, worse, better = told(samples.failed_over_pair(), dead_holder(), samples.failed_over_pair())
    assert "finding: replaced: redis-down on redis-b is now vip-on-dead-redis on redis-b" in worse
    assert [line for line in worse if line.startswith("finding: open: critical vip-on-dead-redis on redis-b: ")]
    assert not [line for line in worse if line.startswith("finding: closed: redis-down")]
    assert "finding: closed: vip-on-dead-redis on redis-b" in better, "the virtual IP has left the dead Redis"
    assert [line for line in better if re.match("finding: open: .* redis-down on redis-b: ", line)]


def mixed(base: ClusterState, other: ClusterState, names: set[str], held: set[str]) -> ClusterState:
    """A pair with some nodes of another state, and the virtual IP on these."""
    state = replace(base, nodes=tuple(other.node(one.name) if one.name in names else one for one in base.nodes))
    for node in state.nodes:
        if node.addresses.ok:
            state = samples.with_vip(state, node.name, held=node.name in held)
    return state


NAMES = st.sets(st.sampled_from((samples.A, samples.B)))
MIXED = st.builds(
    lambda base, other, names, held, lost: dark(mixed(base(), other(), names, held), *lost),
    *(st.sampled_from(PAIRS), st.sampled_from(PAIRS), NAMES, NAMES, st.just(()) | NAMES),
)


@given(st.lists(MIXED, min_size=2, max_size=5))
def test_what_is_closed_is_read_as_no_longer_true_and_what_replaces_is_open(states):
    for state, lines in zip(states[1:], told(*states)[1:], strict=True):
        found = {named(one) for one in diagnose(state, 0)}
        for line in lines:
            _, what, *rest = line.split(": ")
            if line.startswith("finding: ") and what == "closed":
                code, nodes = rest[0].split(" on ")[0], set(re.split(" on | and ", rest[0])[1:])
                still = {node for one in RULES[code].find(state) for node in one.nodes}
                assert not still & nodes, line
            elif line.startswith("finding: ") and what == "replaced":
                before, after = rest[0].split(" is now ")
                assert before not in found
                assert [name for name in found if name in after], line


def named(finding: Finding) -> str:
    return f"{finding.code}{' on ' + ' and '.join(finding.nodes) if finding.nodes else ''}"


def test_the_worst_finding_is_told_first():
    for sample in (*PAIRS, *SETS, dead_holder):
        first, *_ = told(sample())
        severities = [Severity(line.split()[2]).rank for line in first if line.startswith("finding: ")]
        assert severities == sorted(severities)
