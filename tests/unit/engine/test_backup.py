"""The scripts that copy a dump and bring it back, run by real shells on real files; and the steps around them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import replace

import pytest
import samples
from fakes import CLUSTER, ROLES, A, B, Pair, ScriptedOperator, Stage, agree, choose

from console.core.model import Backup, DumpFile, ProblemKind, read, unread
from console.core.replication.backups import backup_in_words, backups_mentioned, parse_answer
from console.core.runbooks.document import Action, Step
from console.core.runs.question import Choice, QuestionKind
from console.core.runs.state import Outcome, StepStatus
from console.engine.actions.commands import CommandContext, PlanError, plan_commands
from console.engine.ports import Answer, AnswerKind

STAMP = "20261121T034000Z"
DATA = b"REDIS0009" + bytes(range(256)) * 40
OK = "[offset 1] \\o/ RDB looks OK! \\o/\n[info] 7 keys read\n[info] 2 expires\n[info] 1 already expired"
TOO_NEW = "--- RDB ERROR DETECTED ---\n[offset 9] Can't handle RDB format version 99\n[info] 0 keys read"
BROKEN = "--- RDB ERROR DETECTED ---\n[offset 55] Unexpected EOF reading RDB file\n[info] 0 keys read"
SHELLS = [one for one in ("dash", "bash") if shutil.which(one)]


def commands(verb, state, **arguments):
    step = Step("s", "title", "why", "returning", action=Action(verb, arguments))
    return plan_commands(step, state, CommandContext(CLUSTER, ROLES, "RUN-1", STAMP))


class Node:
    """redis-b with a real folder: what the scripts find there is what was observed there."""

    def __init__(self, folder):
        self.bin, self.folder = folder / "bin", folder / "it's $(a) dir"
        self.bin.mkdir()
        self.folder.mkdir()
        self.dump = self.folder / "dump.rdb"
        self.dump.write_bytes(DATA)
        self.dump.chmod(0o640)
        os.utime(self.dump, (1_795_000_000, 1_795_000_000))
        self.check(OK)
        (self.bin / "redis-server").write_text("#!/bin/sh\nexit 1\n")
        (self.bin / "redis-server").chmod(0o755)

    def check(self, said, status=0, name="redis-check-rdb"):
        (self.bin / "redis-check-rdb").unlink(missing_ok=True)
        tool = self.bin / name
        tool.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\nexit {status}\n")
        tool.chmod(0o755)

    def without_check(self):
        for tool in self.bin.iterdir():
            tool.unlink()
        for one in ("sh", "dash", "bash", "cp", "mv", "rm", "stat", "df", "cut", "tail", "awk", "sed", "chmod", "chown",
                    "sync", "dirname", "sha256sum", "readlink", "tr"):  # fmt: skip
            (self.bin / one).symlink_to(shutil.which(one) or f"/bin/{one}")

    def state(self):
        stat = self.dump.stat()
        saved = read(DumpFile(str(self.dump), stat.st_size, float(int(stat.st_mtime))), samples.NOW)
        made = [
            Backup(str(one), one.stat().st_size, float(int(one.stat().st_mtime)), self.note(one))
            for one in sorted(self.folder.iterdir())
            if one.name.endswith("Z")
        ]
        state = samples.with_redis(samples.stale_master_back(), B, process_id=0)
        return samples.with_node(state, B, dump=saved, backups=read(tuple(made), samples.NOW))

    def note(self, backup):
        lines = (backup.parent / f"{backup.name}.note").read_text().splitlines()
        return dict(line.split(" ", 1) for line in lines)["sha256"]

    def run(self, verb="backup", shell="sh", change=str, path=None, **arguments):
        (planned,) = commands(verb, self.state(), **arguments)
        script = change(planned.command.script)
        return subprocess.run(
            [shutil.which(shell), "-c", script],
            env={**os.environ, "PATH": path or f"{self.bin}:{os.environ['PATH']}"},
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip

    @property
    def names(self):
        return sorted(one.name for one in self.folder.iterdir())


COPY = f"dump.rdb.redis-ha-console.{STAMP}"


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_dump_is_copied_and_the_copy_verified(node, shell):
    done = node.run(shell=shell)
    assert done.returncode == 0, done.stderr
    assert node.names == ["dump.rdb", COPY, f"{COPY}.note"]
    copy = node.folder / COPY
    assert (copy.read_bytes(), node.dump.read_bytes()) == (DATA, DATA)
    assert copy.stat().st_mode == node.dump.stat().st_mode
    assert copy.stat().st_mtime == node.dump.stat().st_mtime
    path, note = parse_answer(done.stdout)
    assert path == str(copy)
    assert (note.size, note.sha256) == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert (note.keys, note.expires) == (7, 2)
    assert note.checked.startswith("redis-check-rdb: RDB looks OK; not loaded for trial")
    assert done.stdout.splitlines()[1:] == (node.folder / f"{COPY}.note").read_text().splitlines()


@pytest.mark.parametrize(
    ("said", "status", "tool", "checked"),
    [
        (TOO_NEW, 1, "redis-check-rdb", "not checked: redis-check-rdb is too old for this file"),
        (
            "==== Processed 9 valid opcodes\nCRC64 checksum is OK",
            0,
            "redis-check-dump",
            "redis-check-dump: the checksum",
        ),
    ],
)
def test_answers_of_the_check_are_told_apart(node, said, status, tool, checked):
    node.without_check()
    node.check(said, status, tool)
    (node.bin / "cat").symlink_to(shutil.which("cat"))
    done = node.run(change=own_path_only, path=str(node.bin))
    assert done.returncode == 0, done.stderr
    assert parse_answer(done.stdout)[1].checked.startswith(checked)
    assert parse_answer(done.stdout)[1].keys is None


def own_path_only(script):
    """No program of this machine but those beside it: what is not there must be missing."""
    return "\n".join(line for line in script.splitlines() if not line.startswith("PATH="))


def test_a_node_without_the_check_says_so(node):
    node.without_check()
    done = node.run(change=own_path_only, path=str(node.bin))
    assert done.returncode == 0, done.stderr
    assert parse_answer(done.stdout)[1].checked == (
        "not checked: this node has no redis-check-rdb; not loaded for trial: this node has no redis-server"
    )


@pytest.mark.parametrize(
    ("said", "status"),
    [(BROKEN, 1), ("Total unprocessable opcodes: 2\nCRC64 checksum is OK", 0), ("Segmentation", 139)],
)
def test_a_broken_dump_is_no_backup(node, said, status):
    node.check(said, status)
    done = node.run()
    assert done.returncode == 27
    assert "found errors" in done.stderr
    assert "no backup was made" in done.stderr
    assert node.names == ["dump.rdb"]


def test_a_full_disk_is_refused_with_figures(node):
    done = node.run(change=lambda text: text.replace("wanted=", "wanted=99999999999999999; was="))
    assert done.returncode == 21
    assert "99999999999999999 wanted" in done.stderr
    assert "bytes free" in done.stderr
    assert node.names == ["dump.rdb"]


def test_what_is_there_is_never_overwritten(node):
    assert node.run().returncode == 0
    assert node.run().returncode == 22
    (node.folder / COPY).unlink()
    (node.folder / f"{COPY}.part").write_text("another run is at it")
    assert node.run().returncode == 22
    assert (node.folder / f"{COPY}.part").read_text() == "another run is at it"


def test_another_dump_than_the_one_shown_is_not_copied(node):
    shown = commands("backup", node.state())[0].command.script
    os.utime(node.dump, (1_795_000_001, 1_795_000_001))
    done = node.run(change=lambda _: shown)
    assert done.returncode == 26
    assert node.names == ["dump.rdb"]


def test_it_comes_back_with_mode_and_time_and_what_was_there_is_kept(node):
    node.run()
    node.dump.write_bytes(b"the survivor's")
    done = node.run("restore-dump", backup="newest")
    assert done.returncode == 0, done.stderr
    assert node.dump.read_bytes() == DATA
    assert node.dump.stat().st_mode & 0o7777 == 0o640
    assert node.dump.stat().st_mtime == (node.folder / COPY).stat().st_mtime
    assert (node.folder / f"{COPY}.set-aside").read_bytes() == b"the survivor's"
    assert f"{COPY}.set-aside" in done.stdout
    assert node.run("restore-dump", backup=STAMP).returncode == 22


def test_a_backup_that_was_changed_is_not_restored(node):
    node.run()
    copy = node.folder / COPY
    at = copy.stat().st_mtime
    copy.write_bytes(DATA[:-1] + b"?")
    os.utime(copy, (at, at))
    node.dump.write_bytes(b"the survivor's")
    done = node.run("restore-dump", backup="newest")
    assert done.returncode == 28
    assert node.dump.read_bytes() == b"the survivor's"
    assert node.names == ["dump.rdb", COPY, f"{COPY}.note"]


# --- what is planned ------------------------------------------------------------------------------------------------


def test_nothing_can_be_planned_of_what_was_not_seen():
    state = samples.stale_master_back()
    missing = unread(ProblemKind.NOT_AVAILABLE, "not there", samples.NOW)
    with pytest.raises(PlanError, match="the dump of redis-b could not be read: not there"):
        commands("backup", samples.with_node(state, B, dump=missing))
    assert commands("backup", samples.fresh_pair()) == ()
    with pytest.raises(PlanError, match="has no backup 20200101T000000Z beside"):
        commands("restore-dump", samples.with_backup(state, B), backup="20200101T000000Z")
    with pytest.raises(PlanError, match="backups of redis-b could not be read"):
        commands("restore-dump", samples.with_node(state, B, backups=missing), backup="newest")


def test_how_to_get_it_back_is_shown_before_it_is_made():
    (planned,) = commands("backup", samples.with_persistence(samples.stale_master_back(), B, aof=True))
    path = f"/data/redis/dump6379.rdb.redis-ha-console.{STAMP}"
    assert f"  cp -p {path} /data/redis/dump6379.rdb" in planned.detail.splitlines()
    assert "  redis-ha-console run restore-backup cache --bind target=redis-b" in planned.detail.splitlines()
    assert "  systemctl stop redis-server" in planned.detail.splitlines()
    assert "appendonly" in planned.detail


def test_words_about_a_backup_are_read_back():
    made = Backup(samples.BACKUP_PATH, 52, 1.0, "b" * 64)
    text = f"all is well; {backup_in_words(B, made)}; {backup_in_words(A, replace(made, sha256=''))}"
    assert [(one.node, one.path, one.size, one.sha256) for one in backups_mentioned(text)] == [
        (B, made.path, 52, "b" * 64),
        (A, made.path, 52, ""),
    ]


# --- in a run -------------------------------------------------------------------------------------------------------


def test_what_has_changes_is_saved_before_it_is_copied_unless_nothing_is_thrown_away():
    state = samples.in_sync_unprotected()  # its history is known, and it was written to by its old master
    keys = {0: 10, 1: 249_925}
    alone = {"role": samples.Role.MASTER, "master": None, "replid": samples.REPLID, "offset": 8000, "keys": keys}
    state = samples.with_redis(state, B, **alone)
    partial = Stage(pair=Pair(samples.with_persistence(state, B, changes_since_save=9)))
    run = partial.run()
    assert partial.status(run, "save").status is StepStatus.SKIPPED
    assert "loses no data" in partial.status(run, "backup").note
    stage = Stage(pair=Pair(changed_since_its_save()))
    run = stage.run()
    assert stage.status(run, "save").status is StepStatus.DONE, run.message
    sent = [line.splitlines()[0] for line in stage.actuator.texts]
    assert sent[:3] == [
        "redis-b> BGSAVE",
        "redis-b> data=/data/redis/dump6379.rdb",
        "redis-b> SLAVEOF 192.168.100.201 6379",
    ]


def test_a_backup_that_is_still_fresh_is_not_made_again():
    stage = Stage(pair=Pair(samples.with_backup(samples.stale_master_back(), B)))
    run = stage.run()
    assert run.outcome is Outcome.DONE, run.message
    step = stage.status(run, "backup")
    assert step.status is StepStatus.SKIPPED
    assert samples.BACKUP_PATH in step.note
    assert not [line for line in stage.actuator.texts if "copy_of" in line]


def test_a_node_without_keys_needs_none():
    stage = Stage(pair=Pair(samples.with_redis(samples.stale_master_back(), B, keys={})))
    run = stage.run()
    assert [stage.status(run, one).status for one in ("save", "backup")] == [StepStatus.SKIPPED] * 2
    assert stage.operator.asked("replicate")


def test_without_a_backup_the_gate_does_not_open():
    pair = Pair(samples.with_backup(samples.stale_master_back(), B))
    stage = Stage(pair=pair)

    def writes_and_agrees(question):
        pair.change(lambda state: samples.with_persistence(state, B, changes_since_save=1))
        return agree(question)

    run = stage.run(ScriptedOperator(by_step={"replicate": [writes_and_agrees]}))
    assert run.outcome is Outcome.ABORTED
    assert not [line for line in stage.actuator.texts if "SLAVEOF" in line]
    assert any(
        "1 change since its last save" in line for q in stage.operator.asked("replicate") for line in q.differences
    )


def test_a_lost_answer_is_proved_by_the_file_that_is_there():
    stage = Stage({"copy_of=": [Answer(AnswerKind.UNKNOWN, "arrived")]}, pair=Pair(samples.stale_master_back()))
    run = stage.run()
    assert run.outcome is Outcome.DONE, run.message
    assert "proved by looking" in stage.status(run, "backup").note
    lost = Stage({"copy_of=": [Answer(AnswerKind.UNKNOWN, "lost")]}, pair=Pair(samples.stale_master_back()))
    run = lost.run(ScriptedOperator(by_step={"backup": [agree, choose(Choice.ABORT)]}))
    assert run.outcome is Outcome.UNKNOWN
    trouble = lost.operator.asked("backup", QuestionKind.TROUBLE)[0]
    assert trouble.choices == (Choice.LOOK_AGAIN, Choice.RUN, Choice.ABORT), "a second copy has a name of its own"


def changed_since_its_save():
    """What redis-b holds is known to redis-a as well, and is newer than its dump; a partial resync is not possible."""
    state = samples.in_sync_unprotected()
    keys = {0: 10, 1: 249_925}
    alone = {"role": samples.Role.MASTER, "master": None, "replid": samples.REPLID, "offset": 8000, "keys": keys}
    state = samples.with_redis(state, B, **alone)
    backlog = replace(samples.promoted().backlog, first_byte_offset=8500)
    return samples.with_persistence(samples.with_redis(state, A, backlog=backlog), B, changes_since_save=9)


def test_a_save_that_is_refused_can_be_asked_for_again():
    refused = Answer(AnswerKind.FAILED, "ERR Background save already in progress")
    stage = Stage({"BGSAVE": [refused]}, pair=Pair(changed_since_its_save()))
    run = stage.run()
    assert run.outcome is Outcome.DONE, run.message
    (trouble,) = stage.operator.asked("save", QuestionKind.TROUBLE)
    assert "already in progress" in trouble.reason
    assert Choice.RUN in trouble.choices
    assert len([line for line in stage.actuator.texts if "BGSAVE" in line]) == 2


def test_a_save_that_fails_is_not_taken_for_one():
    pair = Pair(changed_since_its_save())
    stage = Stage(pair=pair)

    def fails(planned):
        if "BGSAVE" in planned.render():
            pair.change(lambda state: samples.with_persistence(state, B, rdb_last_status="err"))
            return Answer(AnswerKind.DONE, "Background saving started")
        return pair.carry_out(planned)

    stage.actuator.carry_out = fails
    run = stage.run()
    assert run.outcome is Outcome.FAILED
    assert "its last background save failed" in run.message
    assert "full disk" in run.message
    assert not [line for line in stage.actuator.texts if "SLAVEOF" in line]


def test_the_shipped_rebuild_asks_for_room_first():
    full = replace(samples.stale_master_back().node(B).disk.value, free=4_000_000)
    state = samples.with_node(samples.stale_master_back(), B, disk=read(full, samples.NOW))
    stage = Stage(pair=Pair(state))
    run = stage.run()
    (question,) = stage.operator.asked("backup")
    assert question.kind is QuestionKind.BLOCKED
    figures = next(one.evidence for one in question.checks if not one.holds)
    assert figures.startswith("4.0 MB free in /data/redis, 5.7 MB needed for a copy of the dump of 5.2 MB")
    assert (run.outcome, stage.actuator.sent) == (Outcome.ABORTED, [])
