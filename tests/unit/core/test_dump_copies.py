"""Recovery from another node's dump: what counts as the last save, as its copy, and as a server that runs on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples as s

from console.core.conditions.switching import PAUSED
from console.core.model import (
    Backup,
    DiskRoom,
    DumpFile,
    ProblemKind,
    Processes,
    RedisConfig,
    RedisFile,
    read,
    unread,
)
from console.core.model.verdict import Verdict
from console.core.replication.backups import find_backup, parse_note
from console.core.replication.dump_copies import key_counts_in_words, loaded_from_source, same_key_counts
from console.core.replication.history import compare_histories
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import VOCABULARY, evaluate

HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN
COUNTS = {"keys": {0: 10, 1: 5000}, "expires": {0: 0, 1: 500}}
SAVED_AT = s.NOW - 100
COPY = Backup("/data/redis/dump6379.rdb.redis-ha-console.20261121T075820Z", 5_300_000, SAVED_AT, "a1" * 32, 5010, 500,
              "redis-check-rdb: RDB looks OK", s.A, s.NOW - 90)  # fmt: skip


def saved_survivor(state):
    """redis-a holds its writes back and has just been saved."""
    config = RedisConfig(min_replicas_to_write=PAUSED)
    state = s.with_redis(state, s.A, config=config, good_replicas=0, **COUNTS)
    done = {"changes_since_save": 0, "rdb_last_save": SAVED_AT, "rdb_last_seconds": 1, "rdb_last_status": "ok"}
    state = s.with_persistence(state, s.A, **done)
    return s.with_node(state, s.A, dump=read(DumpFile("/data/redis/slave_dump.rdb", 5_300_000, SAVED_AT), s.NOW))


def copied(state):
    """The dump of redis-a is that of redis-b too."""
    dump = DumpFile("/data/redis/dump6379.rdb", 5_300_000, SAVED_AT)
    return s.with_node(state, s.B, dump=read(dump, s.NOW), backups=read((COPY,), s.NOW))


def file(**changes):
    return read(replace(RedisFile("/etc/redis.conf", "", dir="/data/redis", dbfilename="dump6379.rdb"), **changes), 0)


DOWN = s.with_node(saved_survivor(s.failed_over_pair()), s.B, redis_file=file())
PLACED = copied(DOWN)
RUNS = s.with_redis(copied(saved_survivor(s.stale_master_back())), s.B, **COUNTS)
OWN = s.with_node(PLACED, s.B, backups=read((replace(COPY, origin=""),), 0))
NO_DUMP = unread(ProblemKind.ABSENT, "dump6379.rdb does not exist", s.NOW)
HIDDEN = unread(ProblemKind.NOT_AVAILABLE, "dump6379.rdb: not there, or hidden from this user", s.NOW)
WRITING = s.with_persistence(DOWN, s.A, changes_since_save=1)
KEPT = s.with_backup(DOWN, s.B)
TABLE = [
    ("saved-for-good", DOWN, s.A, {}, HOLDS),
    ("saved-for-good", WRITING, s.A, {}, FAILS),
    ("saved-for-good", s.with_redis(DOWN, s.A, config=RedisConfig(min_replicas_to_write=0)), s.A, {}, FAILS),
    ("saved-for-good", s.with_persistence(DOWN, s.A, rdb_in_progress=True), s.A, {}, FAILS),
    ("saved-for-good", s.with_redis(DOWN, s.A, keys={}), s.A, {}, FAILS),
    ("saved-for-good", DOWN, s.B, {}, FAILS),
    ("dump-kept", DOWN, s.B, {}, FAILS),
    ("dump-kept", KEPT, s.B, {}, HOLDS),
    ("dump-kept", s.with_node(DOWN, s.B, dump=NO_DUMP), s.B, {}, HOLDS),
    ("dump-kept", s.with_node(DOWN, s.B, dump=HIDDEN), s.B, {}, UNKNOWN),
    ("no-disk-keys", DOWN, s.B, {}, FAILS),
    ("no-disk-keys", s.with_node(DOWN, s.B, dump=NO_DUMP), s.B, {}, HOLDS),
    ("no-disk-keys", s.with_node(DOWN, s.B, dump=HIDDEN), s.B, {}, UNKNOWN),
    ("no-disk-keys", s.stale_master_back(), s.B, {}, HOLDS),
    ("no-disk-keys", s.unreachable_node(), s.B, {}, UNKNOWN),
    ("copy-room", DOWN, s.B, {"source": s.A}, HOLDS),
    ("copy-room", s.with_node(DOWN, s.B, disk=read(DiskRoom("/data/redis", 5_300_000, 9 * s.GIB), 0)), s.B,
     {"source": s.A}, FAILS),
    ("copy-room", s.with_node(DOWN, s.A, dump=NO_DUMP), s.B, {"source": s.A}, UNKNOWN),
    ("has-dump-of", PLACED, s.B, {"source": s.A}, HOLDS),
    ("has-dump-of", DOWN, s.B, {"source": s.A}, FAILS),
    ("has-dump-of", OWN, s.B, {"source": s.A}, FAILS),
    ("has-dump-of", s.with_save(PLACED, s.A), s.B, {"source": s.A}, FAILS),
    ("has-dump-of", s.with_node(PLACED, s.B, dump=NO_DUMP), s.B, {"source": s.A}, FAILS),
    ("runs-on-copy", RUNS, s.B, {"source": s.A}, HOLDS),
    ("runs-on-copy", s.with_redis(RUNS, s.B, keys={0: 10, 1: 4800}, expires={1: 300}), s.B, {"source": s.A}, HOLDS),
    ("runs-on-copy", s.with_redis(RUNS, s.B, keys={0: 10, 1: 4999}), s.B, {"source": s.A}, FAILS),
    ("runs-on-copy", s.with_redis(RUNS, s.B, keys={0: 5010}, expires={0: 500}), s.B, {"source": s.A}, FAILS),
    ("runs-on-copy", s.with_persistence(RUNS, s.B, changes_since_save=1), s.B, {"source": s.A}, FAILS),
    ("runs-on-copy", s.with_persistence(RUNS, s.A, changes_since_save=1), s.B, {"source": s.A}, FAILS),
    ("runs-on-copy", s.with_persistence(RUNS, s.B, aof=True), s.B, {"source": s.A}, FAILS),
    ("runs-on-copy", s.with_redis(RUNS, s.B, uptime=3600), s.B, {"source": s.A}, FAILS),
    ("runs-on-copy", PLACED, s.B, {"source": s.A}, FAILS),
    ("out-of-the-way", DOWN, s.B, {"source": s.A}, HOLDS),
    ("out-of-the-way", RUNS, s.B, {"source": s.A}, HOLDS),
    ("out-of-the-way", s.stale_master_back(), s.B, {"source": s.A}, FAILS),
    ("loads-dump", DOWN, s.B, {}, HOLDS),
    ("loads-dump", s.with_node(DOWN, s.B, redis_file=file(appendonly=True)), s.B, {}, FAILS),
    ("loads-dump", s.with_node(DOWN, s.B, redis_file=file(dbfilename="other.rdb")), s.B, {}, FAILS),
    ("loads-dump", s.with_node(DOWN, s.B, redis_file=file(dir="", dbfilename="")), s.B, {}, HOLDS),
    ("loads-dump", s.with_node(DOWN, s.B, redis_file=file(includes=("/etc/more.conf",))), s.B, {}, UNKNOWN),
    ("loads-dump", s.with_node(DOWN, s.B, redis_file=unread(ProblemKind.NOT_AVAILABLE)), s.B, {}, UNKNOWN),
    # What keepalived may be started on: a second master only where the first one gives nothing away any more
    ("brings-no-stale-data", RUNS, s.B, {}, HOLDS),
    ("brings-no-stale-data", s.with_redis(RUNS, s.A, config=RedisConfig(min_replicas_to_write=0)), s.B, {}, FAILS),
    ("brings-no-stale-data", s.with_persistence(RUNS, s.A, changes_since_save=1), s.B, {}, FAILS),
    ("brings-no-stale-data", s.stale_master_back(), s.B, {}, FAILS),
]  # fmt: skip


@pytest.mark.parametrize(("predicate", "state", "subject", "arguments", "verdict"), TABLE)
def test_each_predicate(predicate, state, subject, arguments, verdict):
    roles = {name: name for name in (s.A, s.B)}
    check = evaluate(Condition(predicate, subject, arguments), state, roles)
    assert check.verdict is verdict, check
    assert check.statement
    assert check.evidence
    assert check.hazard == VOCABULARY[predicate].hazard


def test_a_node_that_was_started_from_the_dump_has_all_that_was_saved_and_what_it_wrote_since():
    b, a = RUNS.node(s.B), RUNS.node(s.A)
    assert "was started from the dump of redis-a" in loaded_from_source(b, a)
    later = s.with_persistence(s.with_redis(RUNS, s.B, keys={0: 99, 1: 6000}), s.B, changes_since_save=1090)
    assert compare_histories(later, later.node(s.B), later.node(s.A)).verdict is HOLDS
    written = s.with_persistence(RUNS, s.A, changes_since_save=1)
    assert compare_histories(written, written.node(s.B), written.node(s.A)).verdict is not HOLDS
    older = s.with_node(RUNS, s.B, processes=read(Processes(), s.NOW), backups=read((replace(COPY, received=None),), 0))
    assert loaded_from_source(older.node(s.B), a) == ""


def test_a_copy_from_another_node_is_no_backup_of_this_ones_own_data():
    own = Backup(s.BACKUP_PATH, 1, 1.0)
    assert find_backup((own, COPY)) is own
    assert find_backup((COPY,)) is None
    assert find_backup((own, COPY), "20261121T075820Z") is COPY
    note = parse_note({"size": "7", "sha256": "a1" * 32, "origin": s.A, "received": "1795000000"})
    assert (note.origin, note.received) == (s.A, 1_795_000_000)


def test_counts_are_told_by_database():
    redis = RUNS.node(s.B).redis.value
    assert key_counts_in_words(redis) == "db0 10 keys, db1 5,000 keys (500 expire)"
    assert key_counts_in_words(replace(redis, keys={})) == "no keys"
    assert same_key_counts(replace(redis, keys={0: 3}, expires={0: 3}), replace(redis, keys={}))
