"""The load that this console makes by its own scans is never told as the load of clients."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest
import samples
from fakes import node_spec

from console.transport.connections import own_load as module
from console.transport.connections.own_load import DISTORTED_FOR, is_own_load, own_load
from console.transport.redis.inspector import RedisInspector

names = (f"Redis on 10.0.0.{number}:6379" for number in itertools.count(1))


@pytest.fixture
def server():
    return next(names)


@pytest.fixture
def steady(monkeypatch):
    at = [time.monotonic()]
    monkeypatch.setattr(module.time, "monotonic", lambda: at[0])
    return at


def test_it_is_own_load_while_one_scan_is_under_way_and_for_a_while_after_the_last(server, steady):
    assert not is_own_load(server)
    with own_load(server):
        with own_load(server, "another"):
            assert is_own_load(server)
        steady[0] += 100
        assert is_own_load(server)
    steady[0] += DISTORTED_FOR - 0.1
    assert is_own_load(server)
    steady[0] += 0.2
    assert not is_own_load(server)


def test_a_scan_that_fails_has_ended_too(server, steady):
    with pytest.raises(OSError, match="gone"), own_load(server):
        raise OSError("gone")
    steady[0] += DISTORTED_FOR
    assert not is_own_load(server)


def test_the_load_of_a_server_is_the_one_from_before_the_scan_until_it_can_be_told_again(steady):
    inspector = RedisInspector(node_spec(samples.B), None, time.time, lambda *_: None, 1.0)
    redis = samples.redis(samples.B)

    def told(ops, **changes):
        return inspector._of_clients(replace(redis, ops_per_second=ops, **changes)).ops_per_second

    assert told(8) == 8
    with own_load(inspector.where):
        assert told(6_279) == 8
        assert told(5_000, run_id="f" * 40) == 5_000, "of another process nothing is known from before"
    assert told(6_160) == 8
    steady[0] += DISTORTED_FOR
    assert told(1_500) == 1_500
