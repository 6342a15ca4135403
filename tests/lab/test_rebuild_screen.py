"""The rebuild through the full screen, by its keys, from each state that a pair can be found in, on real servers."""

from __future__ import annotations

import pytest
from lab.plain import assert_fails_over_again, assert_healthy_and_protected, console
from lab.screen import answer_all, arm, screen_on, text_of, until

from console.core.runs.state import Outcome

pytestmark = pytest.mark.lab


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.long
@pytest.mark.parametrize(
    ("scenario", "choose", "size"),
    [("failed-over", "", (80, 24)), ("fresh", "redis-a", (120, 40)), ("stale-master-back", "", (80, 24))],
)
async def test_the_rebuild_ends_healthy_and_survives_another_failure(pair, tmp_path, scenario, choose, size):
    lab = pair(scenario)
    async with screen_on(lab, runbook="one-shot-rebuild", size=size) as pilot:
        await arm(pilot, choose=choose)
        run = await answer_all(pilot)
        assert run.outcome is Outcome.DONE, [one.reason for one in run.stuck] or text_of(pilot)
        assert run.gates == ["redis-b"], "the name is typed once: at SLAVEOF"
        await until(pilot, lambda: "READ-ONLY" in text_of(pilot), what="after the run the console is read-only again")
        await pilot.press("escape")
        await until(pilot, lambda: "HEALTHY" in text_of(pilot).upper(), what=text_of(pilot))
    assert_healthy_and_protected(lab, "redis-a")
    assert console(lab, "runs", "verify", state=tmp_path).returncode == 0
    assert_fails_over_again(lab, "redis-a")
