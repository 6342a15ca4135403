"""Clients write through the VIP all the time: the guided rebuild loses none of it, the naive restart does."""

from __future__ import annotations

import pytest
from lab.plain import assert_healthy_and_protected, run_plain
from lab.writer import Writer

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"


def test_the_guided_rebuild_loses_no_acknowledged_increment(pair, tmp_path):
    lab = pair("failed-over")
    with Writer(lab.vip) as writer:
        writer.wait_for(100, 10)
        run = run_plain(lab, "one-shot-rebuild", state=tmp_path)
        assert (run.outcome, run.code) == ("done", 0), run.text
        writer.wait_for(100, 10)
    assert writer.lost() == 0
    assert_healthy_and_protected(lab, A)


def test_the_naive_restart_does_lose_some(pair):
    """H01: keepalived still runs on the failed host, its priority is the higher one, its data is old."""
    lab = pair("failed-over")
    with Writer(lab.vip) as writer:
        writer.wait_for(100, 10)
        lab.host(B).service("redis-server", "start")
        lab.wait(lambda: lab.vip_holders() == [B], 60, "the stale node takes the VIP")
        writer.wait_for(100, 20)
    assert writer.lost() > 0
