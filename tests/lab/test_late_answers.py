"""Nodes whose SSH answers late and with gaps: nobody has to look again, and nothing untrue is told."""

from __future__ import annotations

import pytest
from lab.late_answers import late_ssh
from lab.plain import Prompt, assert_healthy_and_protected, run_plain

pytestmark = pytest.mark.lab


def retry(prompt: Prompt) -> str:
    """A command whose answer was lost, and of which nothing shows, is sent again by the operator alone (H27)."""
    return "retry" if prompt.kind == "stuck" and "retry: sending it twice does no more harm" in prompt.text else ""


def test_the_rebuild_goes_through_and_asks_nobody_to_look_again(pair, tmp_path):
    lab = pair("failed-over")
    with late_ssh(lab, seed=7) as end:
        run = run_plain(lab, "one-shot-rebuild", state=tmp_path, deadline=900, at=retry)
        assert (run.outcome, run.code, run.stuck) == ("done", 0, ""), run.text
        assert run.gates == ["redis-b"]
        assert "Blocked." not in run.text
        end()
        assert_healthy_and_protected(lab, "redis-a")
