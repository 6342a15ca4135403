"""What a start of Redis would load, and whether a copy of it is there: the dump, the append-only file, or both."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.model import (
    AofFiles,
    DataForm,
    DiskRoom,
    DumpFile,
    Problem,
    ProblemKind,
    Reading,
    RedisFile,
    read,
    unread,
)
from console.core.model.facts import proved_down
from console.core.model.verdict import Verdict
from console.core.previews.loss_preview import preview
from console.core.replication.backups import find_backup
from console.core.replication.disk_data import UnreadDataError, disk_data, newest_data
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate
from console.documents.runbooks.library import shipped_folder
from console.documents.runbooks.runbook import load_runbook
from console.tui.present.clusters.cells import data_cells

DOWN = s.failed_over_pair()
HIDDEN = unread(ProblemKind.NOT_AVAILABLE, "not there, or hidden from this user", s.NOW)
ABSENT = unread(ProblemKind.ABSENT, "does not exist", s.NOW)


def kept(state):
    return evaluate(Condition("dump-kept", s.B, {}), state, {s.B: s.B, s.A: s.A})


def forms(state):
    return [one.form for one in disk_data(state.node(s.B))]


def without_dump(state):
    return s.with_node(state, s.B, dump=ABSENT)


def test_an_append_only_file_without_a_dump_is_data():
    """The case that lost 5,001 keys: AOF on, no dump, and the old master about to be made a replica."""
    state = without_dump(s.with_aof(DOWN, s.B))
    assert kept(state).verdict is Verdict.FAILS
    assert "appendonlydir" in kept(state).evidence
    state = s.with_aof_backup(state, s.B)
    assert kept(state).verdict is Verdict.HOLDS
    assert "redis-check-aof: no errors" in kept(state).evidence
    written = s.with_node(state, s.B, aof=state.node(s.B).aof.map(lambda one: replace(one, size=one.size + 1)))
    assert kept(written).verdict is Verdict.FAILS


def test_the_configuration_file_and_the_files_decide_what_is_loaded():
    on = s.with_aof(DOWN, s.B)
    off = s.with_node(on, s.B, redis_file=DOWN.node(s.B).redis_file)
    assert forms(DOWN) == [DataForm.DUMP]
    assert forms(on) == [DataForm.AOF_FOLDER]
    assert forms(s.with_node(on, s.B, aof=ABSENT)) == [DataForm.DUMP], "not loaded, but all that there is"
    assert forms(off) == [DataForm.AOF_FOLDER, DataForm.DUMP], "newer than the dump"
    older = s.with_node(off, s.B, aof=off.node(s.B).aof.map(lambda one: replace(one, modified=s.NOW - 9000)))
    assert forms(older) == [DataForm.DUMP]
    saved = off.node(s.B).dump.value.modified
    while_saving = s.with_node(off, s.B, aof=off.node(s.B).aof.map(lambda one: replace(one, modified=saved - 60)))
    assert forms(while_saving) == [DataForm.AOF_FOLDER, DataForm.DUMP], "its last writes came while the dump was saved"
    assert forms(without_dump(older)) == [DataForm.AOF_FOLDER]
    included = s.with_node(older, s.B, redis_file=older.node(s.B).redis_file.map(with_include))
    assert forms(included) == [DataForm.AOF_FOLDER, DataForm.DUMP], "AOF may be on in the other file"
    nowhere = s.with_node(included, s.B, aof=ABSENT)
    assert kept(nowhere).verdict is Verdict.UNKNOWN, "the other file may name it otherwise"
    assert forms(s.with_node(without_dump(DOWN), s.B)) == []


def test_the_newest_data_is_known_without_the_configuration_file():
    unread_file = s.with_node(s.with_aof(DOWN, s.B), s.B, redis_file=HIDDEN)
    assert newest_data(unread_file.node(s.B)).form is DataForm.AOF_FOLDER
    older = s.with_node(unread_file, s.B, aof=unread_file.node(s.B).aof.map(lambda one: replace(one, modified=1.0)))
    assert newest_data(older.node(s.B)).form is DataForm.DUMP
    assert newest_data(without_dump(DOWN).node(s.B)) is None, "its folder was read"
    for unknown in (without_dump(s.with_node(older, s.B, aof=ABSENT)), s.with_node(older, s.B, dump=HIDDEN)):
        with pytest.raises(UnreadDataError):
            newest_data(unknown.node(s.B))


def with_include(file):
    return replace(file, includes=("/etc/redis/more.conf",))


def test_another_folder_than_the_one_in_the_configuration_file_is_not_taken_for_empty():
    state = s.with_node(without_dump(DOWN), s.B, disk=read(DiskRoom("/var/lib/redis", 1, 1), 0))
    named = state.node(s.B).redis_file.map(lambda one: replace(one, dir="/data/redis"))
    assert kept(s.with_node(state, s.B, redis_file=named)).verdict is Verdict.UNKNOWN
    linked = named.map(lambda one: replace(one, real_dir="/var/lib/redis"))
    assert kept(s.with_node(state, s.B, redis_file=linked)).verdict is Verdict.HOLDS


def problems():
    kinds = st.sampled_from([one for one in ProblemKind if one is not ProblemKind.ABSENT])
    return kinds.map(lambda kind: Reading(None, Problem(kind, "why"), s.NOW))


def readings(value):
    return st.one_of(problems(), st.just(ABSENT), value.map(lambda one: read(one, s.NOW)))


SIZES, TIMES = st.integers(0, 9), st.floats(1, 9).map(int).map(float)


@given(
    dump=readings(st.builds(DumpFile, st.just("/d/dump.rdb"), SIZES, TIMES)),
    aof=readings(st.builds(AofFiles, st.just("/d/a"), SIZES, TIMES, st.sampled_from([(), ("a.1.base.rdb",)]))),
    file=readings(st.builds(RedisFile, st.just("/c"), st.just(""), appendonly=st.booleans())),
)
def test_what_could_not_be_read_is_never_nothing(dump, aof, file):
    state = s.with_node(DOWN, s.B, dump=dump, aof=aof, redis_file=file)
    node = state.node(s.B)
    assert proved_down(node)
    unreadable = [one for one in (dump, aof) if one.problem and one.problem.kind is not ProblemKind.ABSENT]
    answer = kept(state).verdict
    if unreadable or file.value is None:
        with pytest.raises(UnreadDataError):
            disk_data(node)
        assert answer is Verdict.UNKNOWN
        return
    found = disk_data(node)
    loaded = [one.value for one in (dump, aof) if one.value is not None and one.value.size]
    assert (answer is Verdict.HOLDS) == (not found)
    if loaded:
        assert found, "there is data, so there is something to keep"


def test_of_two_copies_of_one_run_the_append_only_file_comes_first():
    state = s.with_backup(s.with_aof_backup(DOWN, s.B), s.B)
    backups = (*state.node(s.B).backups.value, *s.with_aof_backup(DOWN, s.B).node(s.B).backups.value)
    same = tuple(replace(one, path=one.path[:-16] + "20261121T080000Z") for one in backups)
    assert find_backup(same).form is DataForm.AOF_FOLDER
    assert find_backup(same, same[0].path) == same[0]


def test_the_preview_says_what_a_node_that_is_down_would_lose():
    source = {0: 10, 1: 900}
    state = s.with_aof_backup(without_dump(s.with_aof(DOWN, s.B)), s.B)
    state = s.with_redis(state, s.A, keys=source)
    seen = preview(state, s.A, s.B)
    (line,) = [one for one in seen.lines if "on disk" in one]
    assert "/data/redis/appendonlydir (append-only folder, 204.0 kB, 2 files)" in line
    assert "written 5 min ago; its copy has 5,001 keys" in line
    assert any("holds at least 4,091 keys that redis-a does not have" in one for one in seen.warnings)
    bare = preview(s.with_aof(DOWN, s.B), s.A, s.B)
    assert any("no copy of it yet" in one for one in bare.lines)
    nothing = preview(without_dump(DOWN), s.A, s.B)
    assert any("no dump and no append-only file" in one for one in nothing.lines)
    hidden = preview(s.with_node(DOWN, s.B, dump=HIDDEN), s.A, s.B)
    assert any("could not be read" in one for one in hidden.lines)
    assert not [one for one in preview(s.stale_master_back(), s.A, s.B).lines if "on disk" in one]


def test_a_card_shows_what_a_node_that_is_down_would_load():
    assert "saved 5.2 MB" in data_cells(DOWN.node(s.B)).plain
    assert "AOF 204.0 kB" in data_cells(s.with_aof(DOWN, s.B).node(s.B)).plain
    unread_file = s.with_node(DOWN, s.B, redis_file=unread(ProblemKind.NOT_PERMITTED, "denied", s.NOW))
    assert "saved 5.2 MB" in data_cells(unread_file.node(s.B)).plain
    assert data_cells(without_dump(DOWN).node(s.B)).plain == "—"


KEEPS = {"unknown-to-sentinels", "dump-kept"}


@pytest.mark.parametrize("path", sorted(shipped_folder().glob("*.yaml")), ids=lambda one: one.stem)
def test_under_sentinels_nothing_starts_before_its_data_is_kept(path):
    """In each runbook: a master that runs is stopped, then its data is copied, and only then it starts again."""
    runbook = load_runbook(path)
    verbs = [step.action.verb if step.action else "" for step in runbook.steps]
    if runbook.kind == "keepalived" or "start-redis" not in verbs:
        return
    assert verbs.index("stop-redis") < verbs.index("start-redis")
    if "backup" in verbs:
        assert verbs.index("stop-redis") < verbs.index("backup") < verbs.index("start-redis")
    start = runbook.steps[verbs.index("start-redis")]
    assert {one.predicate for one in start.require} & KEEPS
