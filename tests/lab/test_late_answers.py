"""Nodes whose SSH answers late and with gaps: nobody has to look again, and nothing untrue is told."""

from __future__ import annotations

import pytest
from lab.late_answers import late_ssh
from lab.plain import assert_healthy_and_protected, run_plain

pytestmark = pytest.mark.lab


def test_the_rebuild_goes_through_and_asks_nobody_to_look_again(pair, tmp_path):
    lab = pair("failed-over")
    with late_ssh(lab, seed=7):
        run = run_plain(lab, "one-shot-rebuild", state=tmp_path, deadline=400)
    assert (run.outcome, run.code, run.stuck) == ("done", 0, ""), run.text
    assert run.gates == ["redis-b"]
    assert_healthy_and_protected(lab, "redis-a")
