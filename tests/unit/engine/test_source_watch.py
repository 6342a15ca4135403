"""After SLAVEOF each look compares the source with the one that was shown, until the replica is in sync."""

from __future__ import annotations

import sample_sets as sets
import samples as s

from console.core.model import ProblemKind, unread
from console.engine.steps.source_watch import SourceWatch

SYNCING = s.syncing_pair()
SHOWN = SYNCING.node(s.A).redis.value.run_id


def watching(*states):
    watch = SourceWatch()
    watch.begin(s.A, s.B, SHOWN)
    for state in states:
        watch.look(state)
    return watch


def test_the_process_that_was_shown_is_no_news():
    assert not watching(SYNCING, SYNCING).to_be_asked


def test_another_process_is_told_with_what_keeps_the_data():
    watch = watching(s.with_redis(SYNCING, s.A, run_id="e" * 40))
    assert watch.to_be_asked
    assert "SLAVEOF NO ONE on redis-b keeps it" in watch.found


def test_a_source_that_has_ended_is_told_and_told_again_when_another_process_answers():
    gone = SYNCING.node(s.A).processes.map(lambda seen: s.replace(seen, redis=()))
    ended = s.with_node(SYNCING, s.A, redis=unread(ProblemKind.REFUSED, at=s.NOW), processes=gone)
    watch = watching(ended)
    assert "has ended" in watch.found
    watch.asked = True
    watch.look(s.with_redis(SYNCING, s.A, run_id="e" * 40))
    assert watch.to_be_asked
    assert "was started again" in watch.found


def test_the_node_that_sentinels_promoted_is_watched():
    old, new = sets.WEB01, sets.WEB02
    before, after = sets.sentinel_vip_set(old), sets.sentinel_vip_set(new)
    watch = SourceWatch()
    watch.begin_failover(old, {one.name: one.redis.value.run_id for one in before.nodes})
    watch.look(before)
    assert not watch.to_be_asked
    watch.look(s.with_redis(after, new, run_id="e" * 40))
    assert watch.to_be_asked
    assert f"a stop of Redis on {old} keeps it" in watch.found


def test_silence_is_not_the_end():
    assert not watching(s.with_node(SYNCING, s.A, redis=unread(ProblemKind.TIMEOUT))).to_be_asked


def test_it_ends_when_the_replica_is_in_sync():
    restarted = s.with_redis(s.healthy_pair(), s.A, run_id="e" * 40)
    source = "redis-b"
    watch = SourceWatch()
    watch.begin(source, s.A, s.healthy_pair().node(source).redis.value.run_id)
    watch.look(s.healthy_pair())
    watch.look(s.with_redis(restarted, source, run_id="f" * 40))
    assert not watch.to_be_asked
