"""A refusal whose cause is the choice of roles says so first, and gives no advice about the node that serves."""

from __future__ import annotations

import re

import pytest
import samples
from fakes import CLUSTER, A, B, MemoryJournal, Pair, ScriptedOperator, Stage

from console.cli.runs.plan import plan_text
from console.core.model import ClusterState
from console.core.runbooks.binding import Unbound, bind_roles
from console.core.runbooks.candidates import judged
from console.core.runbooks.role_choice import better_choice
from console.core.runs.question import QuestionKind
from console.core.runs.state import Outcome
from console.documents.runbooks.library import load_runbooks
from console.engine.actions.commands import CommandContext
from console.engine.plan import RunPlan, make_plan

RUNBOOKS = {one.name: one for one in load_runbooks(None).runbooks}
EMPTY_MASTER = samples.with_redis(samples.stale_master_back(), B, keys={})
"""redis-a serves all data behind the VIP; redis-b is a master that holds nothing."""
STATES = {
    "failed over": samples.failed_over_pair(),
    "stale master back": samples.stale_master_back(),
    "empty master": EMPTY_MASTER,
    "syncing": samples.syncing_pair(),
    "in sync, unprotected": samples.in_sync_unprotected(),
}
AGAINST_THE_SERVING_NODE = re.compile(r"stop its keepalived|take the VIP|stop it:|set by hand|remove it|start it first")


def planned(name: str, state: ClusterState, first: str, second: str) -> RunPlan:
    runbook = RUNBOOKS[name]
    roles = dict(zip([role.name for role in runbook.roles], (first, second, first), strict=False))
    return make_plan(runbook, state, CommandContext(CLUSTER, roles, "RUN-ID", "20261121T034000Z"))


@pytest.mark.parametrize("name", ["one-shot-rebuild", "initial-build"])
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_the_wrong_roles_are_named_first_and_the_right_ones_offered(name, state):
    made = planned(name, state, B, A)
    assert not made.could_start
    text = " ".join(" ".join(plan_text(made)).split())
    first, second = RUNBOOKS[name].roles
    assert f"Choose {first.name} = {A} and {second.name} = {B}." in text
    assert text.index("The roles do not fit.") < text.index("== 1/")
    assert not AGAINST_THE_SERVING_NODE.search(text), text


@pytest.mark.parametrize("name", ["one-shot-rebuild", "initial-build", "planned-switchover", "resolve-dual-master"])
@pytest.mark.parametrize(
    "state", [*STATES.values(), samples.healthy_pair(), samples.split_brain(), samples.fresh_pair()]
)
def test_what_is_offered_passes_and_is_not_offered_twice(name, state):
    names = [role.name for role in RUNBOOKS[name].roles]
    for chosen in ((A, B), (B, A)):
        roles = dict(zip(names, chosen, strict=True))
        better = better_choice(RUNBOOKS[name], state, roles)
        if better is not None:
            assert better.roles != roles
            assert better_choice(RUNBOOKS[name], state, better.roles) is None


def test_where_neither_choice_passes_none_is_offered():
    made = planned("one-shot-rebuild", samples.with_redis(samples.stale_master_back(), A, keys={}), A, B)
    assert not made.could_start
    assert made.role_choice == ""


def test_at_the_gate_it_is_the_reason():
    stage = Stage(pair=Pair(EMPTY_MASTER), journal=MemoryJournal())
    operator = ScriptedOperator()
    run = stage.run_starter().arm("cache", RUNBOOKS["initial-build"], {"master": B, "replica": A}).execute(operator)
    asked = operator.questions[-1]
    assert asked.kind is QuestionKind.BLOCKED
    assert asked.reason.startswith("The roles do not fit.")
    assert "Choose master = redis-a and replica = redis-b." in asked.reason
    assert not any(check.advice for check in asked.checks if not check.holds)
    assert run.outcome in {Outcome.ABORTED, Outcome.REFUSED}
    assert stage.actuator.texts == []


@pytest.mark.parametrize("state", [samples.failed_over_pair(), samples.stale_master_back()], ids=["down", "back"])
def test_a_node_that_the_runbook_gives_the_role_back_to_fits(state):
    """safe-return moves the virtual IP to it by its own steps: it need not have it now."""
    book = RUNBOOKS["safe-return"]
    unbound = bind_roles(book, state, {})
    assert isinstance(unbound, Unbound)
    assert unbound.role == "master"
    found = judged(book, state, unbound, {})
    assert {one.name: one.against for one in found.of} == {A: "", B: ""}
    assert found.decided == ""
