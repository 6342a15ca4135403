"""What is measured for a preview: at gates and in plans, not at each look; shown, and kept in the journal."""

from __future__ import annotations

from dataclasses import replace

import fakes
import pytest
import samples as s
from fakes import CLUSTER, ROLES, RUNBOOK, FakeClock, FakeInspector, ScriptedOperator, Stage

from console.core.inventory import QuietHours
from console.core.previews.key_comparison import ClientGroup, Clients
from console.core.previews.loss_preview import preview
from console.core.replication.resync import ResyncKind
from console.engine.actions.commands import CommandContext
from console.engine.plan import SECOND_LOOK, make_plan, measure_plan
from console.engine.steps.loss_measurement import measure_preview

LOST = s.comparison(s.A, s.B, "user:17", clients=Clients((ClientGroup("10.0.0.5", "client", 2),)))


def inspector_with(state, comparison=LOST):
    inspector = FakeInspector(lambda: state)
    inspector.comparison = comparison
    return inspector


def test_the_gate_shows_keys_clients_and_traffic_and_the_journal_keeps_them(monkeypatch):
    monkeypatch.setattr(s, "comparison", lambda *_: LOST)
    stage = Stage()
    stage.run(ScriptedOperator())
    (gate,) = stage.operator.asked("replicate")
    assert any("1 key of redis-b is not on redis-a and would be lost" in one for one in gate.preview.warnings)
    assert any("2 clients still connected to redis-b" in one for one in gate.preview.warnings)
    assert any(one.startswith("traffic: ") for one in gate.preview.details)
    kept = [data["preview"] for kind, data in stage.journal.entries if kind == "preview"]
    assert kept == [gate.preview]
    assert kept[0].comparison == LOST
    assert kept[0].traffic is not None


def test_nothing_is_compared_between_the_answer_and_the_sending(monkeypatch):
    asked = []
    monkeypatch.setattr(FakeInspector, "compare", lambda _, *pair: asked.append(pair) or LOST)
    stage = Stage()
    stage.run(ScriptedOperator())
    assert asked == [(fakes.A, fakes.B)], "once, for the question"


@pytest.mark.parametrize("state", [s.failed_over_pair(), s.unreachable_node()])
def test_a_server_that_cannot_be_read_is_not_compared(state):
    inspector = inspector_with(state)
    found = measure_preview(preview(state, s.A, s.B), state, inspector, CLUSTER)
    assert inspector.compared == []
    assert found.comparison is None
    assert found.traffic is not None


def test_where_nothing_would_happen_nothing_is_measured():
    state = s.in_sync_unprotected()
    shown = preview(state, s.A, s.B)
    inspector = inspector_with(state)
    assert shown.resync is ResyncKind.NONE
    assert measure_preview(shown, state, inspector, CLUSTER) is shown
    assert inspector.compared == []


def test_quiet_hours_of_the_inventory_are_said():
    state = s.stale_master_back()
    cluster = replace(CLUSTER, quiet_hours=(QuietHours(0, 1),), timezone="UTC")
    found = measure_preview(preview(state, s.A, s.B), state, inspector_with(state), cluster)
    assert any("quiet hours: 00:00-00:01" in one for one in found.details)


def test_a_plan_looks_twice_and_compares_each_pair_once():
    state = s.stale_master_back()
    clock, inspector = FakeClock(state.observed_at + 0.4), inspector_with(state)
    plan = make_plan(RUNBOOK, state, CommandContext(CLUSTER, ROLES, "RUN-ID", "20261121T074000Z"))
    found = measure_plan(plan, state, inspector, CLUSTER, clock)
    assert inspector.compared == [(s.A, s.B)]
    assert inspector.observations == 1
    assert clock.now() == pytest.approx(state.observed_at + SECOND_LOOK)
    (shown,) = [one.preview for one in found.steps if one.preview is not None]
    assert shown.comparison == LOST
    assert [one.prospect for one in found.steps] == [one.prospect for one in plan.steps]


def test_a_plan_without_a_preview_waits_for_nothing():
    state = s.rebuilt_pair()
    clock, inspector = FakeClock(state.observed_at), inspector_with(state)
    plan = make_plan(RUNBOOK, state, CommandContext(CLUSTER, ROLES, "RUN-ID", "20261121T074000Z"))
    assert measure_plan(plan, state, inspector, CLUSTER, clock) == plan
    assert clock.now() == state.observed_at
    assert inspector.observations == 0
