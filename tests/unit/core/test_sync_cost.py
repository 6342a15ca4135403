"""What a full sync will take: measured where it can be, and a guess that is called one where it cannot."""

from __future__ import annotations

from dataclasses import replace

import samples as s

from console.core.model import DiskRoom, Memory, ProblemKind, read, unread
from console.core.previews.loss_preview import preview
from console.core.previews.sync_cost import cost
from console.core.replication.resync import ResyncKind

STATE = s.stale_master_back()


def costs(state=STATE):
    found = cost(state, state.node(s.A), state.node(s.B))
    return "\n".join(found.lines), "\n".join(found.warnings)


def test_figures_of_a_sync_that_fits():
    state = s.with_persistence(STATE, s.A, rdb_last_seconds=3, last_fork_seconds=0.012)
    lines, warnings = costs(state)
    assert "its last fork stopped it for 12 ms" in lines
    assert "saving 3 s as its last time" in lines
    assert "its last dump had 5.2 MB" in lines
    assert "(both guesses)" in lines
    assert lines.count("beside the old dump") == 2
    assert "memory on redis-b: 26.8 MB of data to hold" in lines
    assert warnings == ""


def test_without_a_save_the_rate_is_a_guess_too():
    assert "saving at 100.0 MB/s (a guess)" in costs()[0]


def test_a_source_without_a_dump_is_judged_by_its_memory():
    lines, _ = costs(s.with_node(STATE, s.A, dump=unread(ProblemKind.NOT_AVAILABLE, "no dump")))
    assert "26.8 MB in memory, an RDB is smaller" in lines


def test_diskless_needs_no_disk_and_waits():
    config = replace(s.promoted().config, diskless_sync=True)
    lines, _ = costs(s.with_redis(STATE, s.A, config=config))
    assert "disk on redis-a: none" in lines
    assert "waiting 5 s for more replicas" in lines


def test_what_does_not_fit_warns():
    full = s.with_node(STATE, s.B, disk=read(DiskRoom("/data", 1_000, 10**9), s.NOW))
    assert "disk on redis-b: 1.0 kB free in /data" in costs(full)[1]
    tight = s.with_node(STATE, s.A, memory=read(Memory(8 * s.GIB, 10_000, 2), s.NOW))
    assert "no headroom for the fork on redis-a" in costs(tight)[1]
    small = s.with_redis(s.with_node(STATE, s.B, memory=read(Memory(10**9, 0, 1), s.NOW)), s.B, used_memory=0)
    assert "memory on redis-b: 26.8 MB of data to hold, room for 0 bytes" in costs(small)[1]


def test_what_is_not_known_is_said():
    unknown = unread(ProblemKind.UNREACHABLE, "no route to host")
    state = s.with_node(s.with_node(STATE, s.A, memory=unknown), s.B, disk=unknown, memory=unknown)
    lines, _ = costs(state)
    assert "memory not known" in lines
    assert "headroom for the fork on redis-a is not known" in lines
    assert "what is free is not known" in lines


def test_a_partial_resync_costs_nothing_worth_saying():
    state = s.with_redis(s.split_brain(), s.B, offset=8_000)
    found = preview(state, s.A, s.B)
    assert found.resync is ResyncKind.PARTIAL
    assert not any(line.startswith(("cost", "time", "disk")) for line in found.lines)
    assert any(line.startswith("time") for line in preview(STATE, s.A, s.B).details)


def test_a_source_that_is_down_has_no_cost():
    assert cost(s.fresh_pair(), s.fresh_pair().node(s.A), s.fresh_pair().node(s.B)) is None
