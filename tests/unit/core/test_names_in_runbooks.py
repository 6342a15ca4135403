"""At run time the texts of a runbook name the nodes: "the other node" has to be looked up, at night."""

from __future__ import annotations

import re

import pytest
from fakes import CLUSTER

from console.cli.documents.runbook_text import as_text
from console.core.runbooks.naming import named
from console.core.runs.state import new_run
from console.documents.runbooks.library import load_runbooks
from console.tui.present.runs.arming import arming_lines, runbook_about

RUNBOOKS = {one.name: one for one in load_runbooks(None).runbooks}
NOBODY = re.compile(r"\bthe other node\b|\bother\s+node's\b", re.IGNORECASE)


def texts(runbook):
    yield runbook.title
    yield runbook.summary
    for step in runbook.steps:
        yield from (step.title, step.why, step.on_failure, step.if_skipped)


@pytest.mark.parametrize("name", RUNBOOKS)
def test_no_text_says_the_other_node_where_a_role_names_it(name):
    for text in texts(RUNBOOKS[name]):
        assert not NOBODY.search(" ".join(text.split())), text


@pytest.mark.parametrize("name", RUNBOOKS)
def test_every_placeholder_is_a_role_and_becomes_its_node(name):
    runbook = RUNBOOKS[name]
    roles = {one.name: f"node-{at}" for at, one in enumerate(runbook.roles)}
    for made in (new_run("r", CLUSTER.name, runbook, roles).runbook, named(runbook, roles), named(runbook, {})):
        assert not [text for text in texts(made) if "{" in text]
    run = new_run("r", CLUSTER.name, runbook, roles)
    assert [one.step for one in run.steps] == list(run.runbook.steps)
    assert run.runbook.digest == runbook.digest


@pytest.mark.parametrize("name", RUNBOOKS)
def test_before_roles_are_bound_a_text_names_the_role(name):
    runbook = RUNBOOKS[name]
    shown = [as_text(runbook), *map(str, runbook_about(runbook, 80)), *map(str, arming_lines(runbook, {}, "c", (), 80))]
    asked = [one.action.arguments for one in runbook.steps if one.action and one.action.verb == "manual"]
    for role in runbook.roles:
        found = "".join(shown).count(f"{{{role.name}}}")
        assert found == sum(str(one).count(f"{{{role.name}}}") for one in asked), role.name
