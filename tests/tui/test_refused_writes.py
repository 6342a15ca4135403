"""A master that refuses writes is told as one everywhere, and whoever skips a step is told what goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples as s
from tui_stage import question

from console.core.runbooks.verb_effects import PAUSE, READERS, REDIS, SENTINELS, SERVICE_NAME, VIRTUAL_IP
from console.core.runbooks.verbs import verb_of
from console.core.runs.question import Choice, QuestionKind
from console.documents.runbooks.library import shipped_folder
from console.documents.runbooks.runbook import load_runbook
from console.engine.steps.step_view import may_skip, situation
from console.tui.present.clusters.cards import compact, in_full
from console.tui.present.clusters.cells import role_cells
from console.tui.present.clusters.kinds import presentation_of

STATES = {"pair": s.healthy_pair(), "set": sets.sentinel_vip_set(), "consul": sets.sentinel_consul_set()}
REFUSALS = {
    "paused": (lambda state, name: _configured(state, name, min_replicas_to_write=1_000_000), "writes paused"),
    "too few replicas": (lambda state, name: _configured(state, name, min_replicas_to_write=9), "NOREPLICAS"),
    "a failed save": (lambda state, name: s.with_persistence(state, name, rdb_last_status="err"), "MISCONF"),
}
MET_BY_CLIENTS = VIRTUAL_IP | PAUSE | REDIS | SERVICE_NAME | SENTINELS | READERS


def _configured(state, name, **changes):
    config = replace(state.node(name).redis.value.config, **changes)
    return s.with_redis(state, name, config=config)


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("why", REFUSALS)
def test_no_tick_stands_at_a_master_that_refuses_writes(kind, why):
    change, word = REFUSALS[why]
    healthy = STATES[kind]
    (master,) = healthy.masters
    state = change(healthy, master)
    assert "✓ MASTER" in role_cells(healthy, healthy.node(master)).plain
    assert word in role_cells(state, state.node(master)).plain
    drawn = (
        *compact(state, s.NOW, 200),
        *in_full(state, s.NOW, 200),
        *presentation_of(state.kind).topology(state, 200),
    )
    assert not [one.plain for one in drawn if "✓ MASTER" in one.plain and not one.plain.startswith("keepalived")]
    assert "takes writes" in situation(healthy)
    assert "refuses every write" in situation(state)
    assert "takes writes" not in situation(state)


@pytest.mark.parametrize("path", sorted(shipped_folder().glob("*.yaml")), ids=lambda one: one.stem)
def test_whoever_skips_a_step_that_clients_feel_is_told_so(path):
    book = load_runbook(path)
    for index, step in enumerate(book.steps):
        verb = verb_of(step.action)
        asked = question(QuestionKind.CONFIRM)
        shown = replace(asked, step=step, choices=(Choice.SKIP, Choice.RUN)).if_skipped
        generic = "What this step does stays undone" in shown
        if may_skip(book, index) and verb.mutating and verb.undo and verb.affects & MET_BY_CLIENTS:
            assert not generic, (step.id, verb.name)
