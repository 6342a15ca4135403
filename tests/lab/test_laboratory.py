"""The laboratory itself: its scenarios are what they say, its faults do what they say, nothing gets out or stays."""

from __future__ import annotations

import pytest
from lab.writer import Writer

from console.lab import scenarios

pytestmark = pytest.mark.lab


def test_healthy_pair_is_in_sync_behind_its_vip(pair):
    lab = pair("healthy")
    a, b = lab.host("redis-a"), lab.host("redis-b")
    assert lab.vip_holders() == ["redis-b"]
    assert scenarios.role(lab, b) == "master"
    assert scenarios.in_sync(lab, a, b)
    assert a.running("keepalived")
    assert b.running("keepalived")


def test_healthy_pair_fails_over_and_its_writers_go_on(pair):
    lab = pair("healthy")
    with Writer(lab.vip) as writer:
        writer.wait_for(50, 10)
        lab.fault("kill", "redis-b", "redis")
        lab.wait(lambda: lab.vip_holders() == ["redis-a"], 15, "the VIP moves")
        lab.wait(lambda: scenarios.role(lab, lab.host("redis-a")) == "master", 15, "redis-a is promoted")
        writer.wait_for(50, 10)
    assert lab.host("redis-b").running("keepalived")
