"""The table of hazards and the verbs' own conditions: all they name exists, and no runbook can leave them out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from fakes import RUNBOOK

from console.core.kinds.diagnose import all_rules
from console.core.runbooks.document import Action, Condition, GateKind, Step
from console.core.runbooks.hazards.table import HAZARDS
from console.core.runbooks.interlocks import INTERLOCKS, NODE, WITHOUT_INTERLOCKS, interlocks
from console.core.runbooks.verbs import VERBS
from console.core.runbooks.vocabulary import VOCABULARY
from console.documents.runbooks.library import shipped_folder
from console.documents.runbooks.runbook import load_runbook
from console.engine.steps.step_view import conditions, gate_of

TESTS = Path(__file__).parents[2]
DOCUMENTED = [f"H{number:02}" for number in range(1, 31)]


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda one: one.id)
def test_each_row_is_kept_by_something_that_exists(hazard):
    assert hazard.predicates or hazard.engine
    assert set(hazard.predicates) <= set(VOCABULARY)
    assert set(hazard.findings) <= {row.code for row in all_rules()}
    assert hazard.proofs
    for proof in hazard.proofs:
        file, name = proof.split("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        found = {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in found, proof


def test_every_hazard_of_the_documents_has_its_row_in_order():
    assert [one.id for one in HAZARDS] == DOCUMENTED
    assert [one.id for one in HAZARDS if one.override] == ["H03"], "nothing else may ever be overridden"


def test_every_verb_has_conditions_of_its_own_or_a_reason_to_have_none():
    assert set(INTERLOCKS) | set(WITHOUT_INTERLOCKS) == set(VERBS)
    assert not set(INTERLOCKS) & set(WITHOUT_INTERLOCKS)
    for verb, wanted in INTERLOCKS.items():
        names = {NODE, *VERBS[verb].roles}
        given = {argument.name for argument in VERBS[verb].arguments}
        for one in wanted:
            spec = VOCABULARY[one.predicate]
            assert one.reason
            assert one.subject in names
            assert set(one.arguments.values()) <= names | given
            assert set(one.arguments) <= {argument.name for argument in spec.arguments}
            assert {argument.name for argument in spec.arguments if argument.required} <= set(one.arguments)


def test_they_speak_of_the_roles_of_the_step():
    step = Step("act", "title", "why", "old", action=Action("replicate", {"source": "new"}))
    found = interlocks(step)
    assert Condition("keepalived-stopped", "old") in found
    assert Condition("behind-vip", "new") in found
    assert Condition("not-older-than", "new", {"target": "old"}) in found
    assert conditions(step) == found
    assert gate_of(step) is GateKind.TYPE_NAME
    assert interlocks(Step("look", "title", "why", "old")) == ()
    assert interlocks(Step("odd", "title", "why", "old", action=Action("no-such-verb"))) == ()


def test_the_shipped_rebuild_names_what_wipes_itself():
    step = next(one for one in RUNBOOK.steps if one.id == "replicate")
    assert conditions(step) == step.require, "each condition once: the document says them all"


@pytest.mark.parametrize("path", sorted(shipped_folder().glob("*.yaml")), ids=lambda one: one.stem)
def test_shipped_runbooks_ask_each_condition_once(path):
    for step in load_runbook(path).steps:
        asked = conditions(step)
        assert all(asked.count(one) == 1 for one in asked)
        assert step.verify or step.action is None or step.action.verb == "manual"
