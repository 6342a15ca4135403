from __future__ import annotations

from dataclasses import replace

import pytest
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.model import DumpFile, LogTail, ProblemKind, read, unread
from console.core.model.verdict import Verdict
from console.core.previews.loss_preview import preview
from console.core.replication.history import compare_histories, own_writes
from console.core.replication.resync import ResyncKind, predict_resync

HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN


def judged(state, source=s.A, target=s.B):
    return compare_histories(state, state.node(source), state.node(target))


def both_restarted(source_dump: float | None, target_dump: float):
    """After a power cut: both came back as masters from their dumps, redis-a is behind the VIP."""
    state = s.stale_master_back()
    facts = {"uptime": 90, "replid": "9" * 40, "replid2": None, "second_offset": -1, "offset": 0}
    state = s.with_redis(state, s.A, **facts)
    state = s.with_persistence(state, s.A, changes_since_save=0, rdb_last_save=s.NOW - 90)
    for name, at in ((s.A, source_dump), (s.B, target_dump)):
        missing = unread(ProblemKind.NOT_AVAILABLE)
        saved = missing if at is None else read(DumpFile("/data/redis/d.rdb", 5_000, s.NOW - at), s.NOW)
        state = s.with_node(state, name, dump=saved)
    return state


def failed_again(*log, uptime=90_000, dump=30, **facts):
    """redis-b was a master of its own for a while, and failed before redis-a had begun to follow it."""
    state = s.with_redis(s.stale_master_back(), s.B, **{"replid2": None, "second_offset": -1, "offset": 0} | facts)
    state = s.with_redis(state, s.A, uptime=uptime)
    state = s.with_node(state, s.B, redis_log=read(LogTail("/data/redis/redis.log", log), s.NOW))
    return s.with_node(state, s.B, dump=read(DumpFile("/data/redis/d.rdb", 5_000, s.NOW - dump), s.NOW))


OWN = "7" * 40
PROMOTED = f"45:M 21 Nov 2026 07:30:00.000 # Setting secondary replication ID to {s.REPLID}, valid up to offset: 921. New replication ID is {OWN}"  # noqa: E501 - as a server writes it
SYNCED = "45:S 21 Nov 2026 07:31:00.000 * MASTER <-> REPLICA sync: Finished with success"
ASKED = "45:M 21 Nov 2026 07:31:00.000 * Replica 192.168.100.201:6379 asks for synchronization"
RESTORED = {"replid2": OWN, "second_offset": 8455, "offset": 8454}

AOF_LONG_AGO = s.with_redis(s.with_persistence(s.stale_master_back(), s.B, aof=True), s.B, uptime=90_000)


@pytest.mark.parametrize(
    ("case", "state", "verdict"),
    [
        ("the stale master took no write", s.stale_master_back(), HOLDS),
        ("the source stands exactly where they parted", s.with_redis(s.split_brain(), s.B, offset=8107), HOLDS),
        ("one byte more is one too many", s.with_redis(s.split_brain(), s.B, offset=8108), FAILS),
        ("both took writes", s.split_brain(), FAILS),
        ("writes after the restart", s.with_persistence(s.stale_master_back(), s.B, changes_since_save=3), FAILS),
        ("a save after the restart", s.with_persistence(s.stale_master_back(), s.B, rdb_last_save=s.NOW - 20), FAILS),
        ("a save right after the restart", s.with_persistence(s.stale_master_back(), s.B, rdb_last_seconds=0), FAILS),
        ("no count of changes", s.with_persistence(s.stale_master_back(), s.B, changes_since_save=None), UNKNOWN),
        ("an AOF just loaded", s.with_persistence(s.stale_master_back(), s.B, aof=True, changes_since_save=50), HOLDS),
        ("an AOF loaded long ago", AOF_LONG_AGO, UNKNOWN),
        ("an empty target", s.with_redis(s.stale_master_back(), s.B, keys={}), HOLDS),
        ("many more keys on the target", s.with_redis(s.stale_master_back(), s.A, keys={0: 100}), FAILS),
        ("the target is being synced", s.syncing_pair(), HOLDS),
        ("the target follows already", s.in_sync_unprotected(), HOLDS),
        ("the target does not run", s.failed_over_pair(), UNKNOWN),
        ("the target is loading", s.with_redis(s.stale_master_back(), s.B, loading=True), UNKNOWN),
        ("nothing is known of the target", s.unreachable_node(), UNKNOWN),
        ("its dump is of a history of its own", failed_again(**RESTORED), FAILS),
        ("its log tells of a history of its own", failed_again(PROMOTED), FAILS),
        ("a history of its own that was synced away", failed_again(PROMOTED, SYNCED), HOLDS),
        ("a history of its own that a replica was fed from", failed_again(PROMOTED, ASKED), HOLDS),
        ("the source was down when the dump was written", failed_again(PROMOTED, uptime=20, dump=30), HOLDS),
        ("a history that the source had, too", failed_again(PROMOTED.replace(OWN, s.REPLID)), HOLDS),
        ("both restarted, the target from the newer dump", both_restarted(5_000, 1_000), FAILS),
        ("both restarted, the source from the newer dump", both_restarted(1_000, 5_000), HOLDS),
        ("both restarted, one dump unknown", both_restarted(None, 5_000), UNKNOWN),
    ],
)
def test_whether_the_target_holds_more(case, state, verdict):
    found = judged(state)
    assert found.verdict is verdict, (case, found.reason)
    assert found.reason


def restarted_with_history(**changes):
    """From 7.0 on a restarted master still knows where its RDB stood in the history that it shared."""
    return s.with_redis(
        s.stale_master_back(), s.B, **({"replid2": s.REPLID, "second_offset": 8001, "offset": 8000} | changes)
    )


@pytest.mark.parametrize(
    ("changes", "persistence", "verdict", "beyond"),
    [
        ({}, {}, HOLDS, 0),
        ({"second_offset": 8108, "offset": 8107}, {}, HOLDS, 0),
        ({"second_offset": 8200, "offset": 8199}, {}, FAILS, 92),
        ({"offset": 8050}, {}, HOLDS, 0),
        ({"offset": 8050}, {"changes_since_save": 2}, FAILS, 50),
    ],
)
def test_a_restarted_master_with_a_second_history(changes, persistence, verdict, beyond):
    state = s.with_persistence(restarted_with_history(**changes), s.B, **persistence)
    found = judged(state)
    assert (found.verdict, found.beyond) == (verdict, beyond), found.reason


def test_before_4_0_the_counters_decide():
    old = {"version": "3.0.4", "replid": None, "replid2": None, "second_offset": None}
    state = s.with_redis(s.with_redis(s.stale_master_back(), s.A, **old), s.B, **old)
    assert judged(state).verdict is HOLDS
    assert judged(s.with_persistence(state, s.B, changes_since_save=1)).verdict is FAILS


def test_the_wrong_direction_fails():
    assert judged(s.stale_master_back(), s.B, s.A).verdict is FAILS


def test_the_clock_of_the_node_is_taken_into_account():
    state = s.stale_master_back()
    ahead = replace(state.node(s.B).clock.value, offset=500.0)
    state = s.with_node(state, s.B, clock=read(ahead, s.NOW))
    state = s.with_persistence(state, s.B, rdb_last_save=s.NOW + 440)
    assert own_writes(state.node(s.B)).verdict is HOLDS


# --- full or partial ----------------------------------------------------------------------------------------------


def predicted(state, source=s.A, target=s.B):
    return predict_resync(state, state.node(source), state.node(target))[0]


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (s.stale_master_back(), ResyncKind.FULL),
        (s.split_brain(), ResyncKind.FULL),
        (s.with_redis(s.split_brain(), s.B, offset=8107), ResyncKind.PARTIAL),
        (s.syncing_pair(), ResyncKind.NONE),
        (s.failed_over_pair(), ResyncKind.UNKNOWN),
        (s.with_redis(s.with_redis(s.split_brain(), s.B, offset=8107), s.A, backlog=None), ResyncKind.FULL),
        (s.with_redis(s.stale_master_back(), s.B, replid=None), ResyncKind.FULL),
        (s.with_redis(s.stale_master_back(), s.B, offset=None), ResyncKind.UNKNOWN),
    ],
)
def test_full_or_partial_by_the_servers_rule(state, kind):
    assert predicted(state) is kind


@given(
    offset=st.integers(0, 30_000),
    second=st.integers(1, 20_000),
    first=st.integers(1, 20_000),
    histlen=st.integers(0, 20_000),
    history=st.sampled_from([s.REPLID, s.REPLID_PROMOTED, s.REPLID_RESTARTED]),
)
def test_the_rule_of_replication_c(offset, second, first, histlen, history):
    backlog = replace(s.promoted().backlog, first_byte_offset=first, histlen=histlen)
    state = s.with_redis(s.split_brain(), s.A, backlog=backlog, second_offset=second)
    state = s.with_redis(state, s.B, replid=history, offset=offset)
    wanted = offset + 1
    known = history == s.REPLID_PROMOTED or (history == s.REPLID and wanted <= second)
    partial = known and not (wanted < first or wanted > first + histlen)
    assert (predicted(state) is ResyncKind.PARTIAL) == partial


def test_the_preview_says_what_is_lost():
    found = preview(s.stale_master_back(), s.A, s.B)
    text = "\n".join((*found.lines, *found.details))
    assert found.resync is ResyncKind.FULL
    assert found.source_keys == {0: 12, 1: 249_931}
    assert found.target_keys == {0: 10, 1: 249_925}
    for words in ("full resync", "249,925", "249,931", "12 operations/s", "4 clients", "overcommit always"):
        assert words in text
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (s.split_brain(), "1,843 bytes exist only on redis-b"),
        (s.with_redis(s.stale_master_back(), s.A, keys={}), "249,935 keys of redis-b would be wiped"),
        (s.with_redis(s.stale_master_back(), s.A, ops_per_second=5_000), "5,000 operations/s"),
        (s.with_redis(s.stale_master_back(), s.B, keys={}), "a dump of 5.2 MB"),
        (s.with_persistence(s.stale_master_back(), s.B, aof=True), "AOF"),
    ],
)
def test_the_preview_warns(state, words):
    assert any(words in line for line in preview(state, s.A, s.B).warnings)


def test_a_preview_of_what_cannot_be_read():
    found = preview(s.unreachable_node(), s.A, s.B)
    assert found.resync is ResyncKind.UNKNOWN
    assert found.target_keys is None


def test_what_a_promoted_node_wrote_in_its_own_history_is_counted_too():
    """It has bytes of the old history that the source lacks, and all that it has written since it was promoted."""
    state = s.with_redis(
        s.split_brain(), s.A, replid=s.REPLID_PROMOTED, replid2=s.REPLID, second_offset=2_871, offset=9_000
    )
    state = s.with_redis(state, s.B, replid=s.REPLID, replid2=None, offset=881)
    found = compare_histories(state, state.node(s.B), state.node(s.A))
    assert found.verdict is Verdict.FAILS
    assert found.beyond == 1_989 + (9_000 - 2_870)
    assert "1,989 bytes exist only on redis-a, and it wrote 6,130 bytes of its own since" in found.reason
