"""A master that saves nothing: what lies on its disk, what it would come back with, and what a start has cost."""

from __future__ import annotations

from dataclasses import replace

import samples as s

from console.core.diagnosis.finding import Severity
from console.core.kinds.diagnose import diagnose
from console.core.model import read

STATE = s.with_redis(s.healthy_pair(), s.B, config=s.RedisConfig(save=""))


def found(state):
    (one,) = [one for one in diagnose(state, s.NOW) if one.code == "persistence-off"]
    return one


def dumped(state, age):
    dump = replace(state.node(s.B).dump.value, modified=s.NOW - age)
    return s.with_node(state, s.B, dump=read(dump, s.NOW))


def test_it_comes_back_with_what_is_on_its_disk_and_not_empty():
    told = found(dumped(STATE, 128))
    assert "with data that is 2 min" in told.next.advice
    assert "would come back empty" not in told.next.advice
    assert told.severity is Severity.INFO
    nothing = s.with_node(STATE, s.B, dump=s.unread(s.ProblemKind.ABSENT, "no such file", s.NOW))
    assert "would come back empty" in found(nothing).next.advice


def test_the_only_copy_is_worth_a_warning():
    alone = s.with_link(STATE, s.A, up=False, down_seconds=40)
    assert found(alone).severity is Severity.WARNING
    assert "no replica is known to be in sync" in found(alone).summary


def test_a_start_with_an_old_dump_is_told_until_it_has_saved_again():
    started = s.with_redis(dumped(STATE, 188), s.B, uptime=60)
    told = found(started)
    assert told.severity is Severity.WARNING
    assert "started 60 s ago with data that was 2 min" in told.summary
    saved = s.with_redis(dumped(STATE, 30), s.B, uptime=60)
    assert found(saved).severity is Severity.INFO
