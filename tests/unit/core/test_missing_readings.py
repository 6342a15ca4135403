"""What could not be read states nothing: no difference and no finding about a value, for every reading."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import samples
from holes import STATES, holes

from console.core.conditions.predicate import Question
from console.core.conditions.servers import ssh_readable
from console.core.diagnosis.finding import Health
from console.core.kinds import kind_of
from console.core.kinds.diagnose import diagnose, health
from console.core.kinds.protection import protection
from console.core.model import ClusterState, ProblemKind, unread
from console.core.model.silence import SILENCE, fell_silent, silent_sources
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Condition, Runbook
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.gate import differences, material, unread_facts
from console.documents.runbooks.library import shipped_folder
from console.documents.runbooks.runbook import load_runbook
from console.engine.steps.step_view import conditions

SAYS_THAT_IT_IS_UNREAD = {
    "ssh-unreachable", "redis-hung", "sentinel-unreachable", "consul-unreachable", "lvs-director-unread",
    "vip-silent", "failover-not-known",
}  # fmt: skip


def in_no_file() -> ClusterState:
    """A healthy pair whose replica has no replicaof line in its file."""
    state = samples.healthy_pair()
    file = state.node(samples.A).redis_file.map(lambda one: replace(one, master="", line=0))
    return samples.with_node(state, samples.A, redis_file=file)


CASES = [
    pytest.param(state, hole, id=f"{label}: {name}, {kind.value}")
    for label, make in {**STATES, "in no file": in_no_file}.items()
    for state in [make()]
    for kind in (ProblemKind.NOT_READ, ProblemKind.TIMEOUT)
    for name, hole in holes(state, kind)
]

WHOLE = {id(case.values[0]): case.values[0] for case in CASES}


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


@pytest.mark.parametrize(("state", "hole"), CASES)
def test_an_unknown_health_says_its_reason_and_what_to_do(state, hole):
    del state
    found = diagnose(hole, hole.observed_at)
    if health(hole, found) is Health.UNKNOWN:
        assert found, "nobody is left with the word alone"
        assert all(one.evidence and (one.next.advice or one.next.runbook) for one in found)
        assert protection(hole).sentences[0] in next(one for one in found if one.code == "failover-not-known").evidence


def test_silence_is_named_with_its_source():
    state = samples.healthy_pair()
    assert silent_sources(state) == {}
    quiet = samples.with_node(state, samples.A, ssh=unread(ProblemKind.TIMEOUT, "no answer since 3 s"))
    assert {name: str(problem) for name, problem in silent_sources(quiet).items()} == {
        f"{samples.A}, SSH": "no answer since 3 s"
    }
    refused = samples.with_node(state, samples.A, redis=unread(ProblemKind.REFUSED))
    assert silent_sources(refused) == {}
    assert list(fell_silent(state, quiet)) == [f"{samples.A}, SSH"]
    assert fell_silent(quiet, quiet) == fell_silent(quiet, state) == {}


def _conditions() -> list[tuple[str, Condition, dict[str, str]]]:
    """Every condition of the shipped runbooks, by kind of cluster, with their roles bound to the first nodes."""
    found = []
    for path in sorted(shipped_folder().glob("*.yaml")):
        runbook = load_runbook(path)
        for step in runbook.steps:
            for one in (*conditions(step, runbook.require), *step.verify, *step.skip_if):
                found += [(runbook.kind, one, roles) for roles in _bound(runbook)]
    return found


def _bound(runbook: Runbook) -> list[dict[str, str]]:
    """Roles bound both ways round."""
    names = [node.name for node in FIRST[runbook.kind].nodes]
    roles = [one.name for one in runbook.roles]
    return [dict(zip(roles, order, strict=False)) for order in (names, names[::-1]) if len(roles) <= len(names)]


FIRST = {state().kind: state() for state in reversed(STATES.values())}
CONDITIONS = _conditions()


@pytest.mark.long
@pytest.mark.parametrize(("state", "hole"), CASES)
def test_no_condition_fails_because_of_what_gives_no_answer(state, hole):
    if not silent_sources(hole):
        return
    for condition, roles in not_failing(id(state)):
        check = evaluate(condition, hole, roles)
        assert check.verdict is not Verdict.FAILS, (condition, check)


@cache
def not_failing(number):
    """The conditions that do not fail in a whole state, of which this is the id. Many holes share it."""
    state = WHOLE[number]
    of_kind = [(condition, roles) for kind, condition, roles in CONDITIONS if kind == state.kind]
    return [(one, roles) for one, roles in of_kind if evaluate(one, state, roles).verdict is not Verdict.FAILS]


@pytest.mark.parametrize("kind", sorted(SILENCE))
def test_a_node_that_gives_no_answer_over_ssh_is_not_known_to_be_unreadable(kind):
    quiet = samples.with_node(samples.healthy_pair(), samples.A, ssh=unread(kind))
    assert ssh_readable(Question(quiet, quiet.node(samples.A), {})).verdict is Verdict.UNKNOWN
