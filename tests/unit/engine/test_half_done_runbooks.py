"""Every half-done state of a shipped runbook has a way out: what the run names at its end leads to a protected pair."""

from __future__ import annotations

import os

import pytest
from dying import Room, insist
from fakes import choose
from walks import RUNBOOKS, WALKS, walk

from console.core.kinds.diagnose import diagnose
from console.core.kinds.protection import protection
from console.core.model.verdict import Verdict
from console.core.runbooks.binding import Unbound, bind_roles
from console.core.runs.question import Choice
from console.core.runs.state import Outcome
from console.documents.runbooks.runbook import load_runbook

MOST_RUNS = 4


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)


def named(world):
    """The runbooks that the findings name, the worst finding first."""
    state = world.look()
    return list(dict.fromkeys(one.next.runbook for one in diagnose(state, state.observed_at) if one.next.runbook))


def bound(book, state, roles):
    """As an operator binds them, who knows which node's data is to be kept: the one of the run before."""
    found = bind_roles(book, state, {})
    if isinstance(found, Unbound):
        kept = next(iter(roles.values()))
        found = bind_roles(book, state, {found.role: kept})
    return None if isinstance(found, Unbound) else found


def led_on(folder, world, roles):
    """Runs what is named until the pair is protected; the names of what was run."""
    walked = []
    while protection(world.look()).verdict is not Verdict.HOLDS:
        assert len(walked) < MOST_RUNS, walked
        for name in named(world):
            book = load_runbook(RUNBOOKS / f"{name}.yaml")
            chosen = bound(book, world.look(), roles)
            if chosen is None:
                continue
            ended = Room(folder / f"{len(walked)}-{name}", world, book, chosen).run(answer=insist)
            if ended.outcome is Outcome.DONE:
                walked.append(name)
                break
            assert "Nothing was sent" in ended.message, "one that cannot help refuses before it sends anything"
        else:
            pytest.fail(f"nothing that is named leads on: {named(world)}, after {walked}")
    return walked


@pytest.mark.parametrize("name", WALKS)
def test_a_run_that_is_given_up_at_any_step_names_what_leads_on(tmp_path, name):
    """After each step, and after each command of it that was sent."""
    steps = [one.id for one in walk(tmp_path / "any", name).runbook.steps]
    for stop in steps:
        room = walk(tmp_path / stop, name)
        ended = room.run(answer=lambda q, stop=stop: (choose(Choice.ABORT) if q.step.id == stop else insist)(q))
        if ended.outcome is Outcome.DONE:
            continue  # nothing is asked at this step
        wanted = named(room.pair)
        assert all(f"run {one}" in ended.message for one in wanted), (stop, ended.message)
        led_on(tmp_path / f"{stop} on", room.pair, room.roles)
        assert protection(room.pair.look()).verdict is Verdict.HOLDS, stop


def test_a_step_that_ended_badly_is_in_the_journal_with_its_ways(tmp_path):
    room = walk(tmp_path / "runs", "one-shot-rebuild")
    whole = walk(tmp_path / "whole", "one-shot-rebuild")
    whole.run()
    room.run(whole.moments.names.index("before sending SLAVEOF 192.168.100.201 6379"))
    room.resume(answer=choose(Choice.ABORT))
    step, closed = room.past().entries[-2:]
    assert (step.kind, step.data["status"], step.data["id"]) == ("step", "unknown", "replicate")
    assert [one.partition(":")[0] for one in step.data["ways"]] == ["look again", "retry", "take it back", "stop here"]
    assert closed.data["outcome"] == "unknown"
    assert "run one-shot-rebuild" in closed.data["message"]
