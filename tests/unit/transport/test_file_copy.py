"""A dump carried from one folder to another by real shells: whole, resumed, cut, and never put in place half."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from dataclasses import replace

import pytest
import samples as s
from fakes import CLUSTER, ROLES

from console.core.command import FileCopy
from console.core.model import Backup, DiskRoom, DumpFile, RedisFile, read
from console.core.runbooks.document import Action, Step
from console.core.runs.records.journal import plain
from console.engine.actions.commands import CommandContext, PlanError, plan_commands
from console.engine.ports import AnswerKind
from console.probes.host import backups
from console.transport.connections.errors import RemoteError
from console.transport.ssh import file_copy
from console.transport.ssh.file_copy import copy_file

DATA = os.urandom(3_000_000)
OLD = b"REDIS0009 what lay there before"
SAVED_AT = 1_795_000_000
STAMP = "20261118T110640Z"


class Channel:
    """One command in a shell of this machine, as an SSH channel shows it."""

    def __init__(self, command, shell, limit):
        self.process = subprocess.Popen([shell, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.status_event = threading.Event()
        self.exit_status = -1
        self._left = limit

    def settimeout(self, _):
        pass

    def recv(self, size):
        size = min(size, self._left)
        data = self.process.stdout.read1(size) if size else b""
        self._left -= len(data)
        return data

    def sendall(self, data):
        self.process.stdin.write(data)

    def shutdown_write(self):
        self.process.stdin.close()
        self.exit_status = self.process.wait(10)
        self.status_event.set()

    def close(self):
        self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if not pipe.closed:
                pipe.close()


class Connection:
    """An SSH connection to this machine; `limit`: it is cut after so many bytes of a stream."""

    def __init__(self, shell="sh", limit=1 << 60):
        self.shell, self.limit = shutil.which(shell), limit
        self.asked = []

    def run(self, command, stdin=None, timeout=10.0):
        self.asked.append(command)
        done = subprocess.run(
            [self.shell, "-c", command], input=stdin or b"", capture_output=True, timeout=20, check=False
        )
        return file_copy.Completed(done.returncode, done.stdout, done.stderr)

    def start_script(self, command, timeout):
        self.asked.append(command)
        return Channel(command, self.shell, self.limit)


class Pair:
    """redis-a has the file, redis-b is to get it: two real folders."""

    def __init__(self, folder):
        self.a, self.b = folder / "it's $(a)", folder / "b"
        for one in (self.a, self.b):
            one.mkdir()
        self.source, self.dump = self.a / "slave_dump.rdb", self.b / "master_dump.rdb"
        self.source.write_bytes(DATA)
        os.utime(self.source, (SAVED_AT, SAVED_AT))
        self.dump.write_bytes(OLD)
        self.dump.chmod(0o644)
        self.part = self.b / f"{self.dump.name}.redis-ha-console.{STAMP}.part"
        self.copy_of = self.b / self.part.name.removesuffix(".part")
        self.told = []
        self.cluster = CLUSTER

    def state(self):
        state = s.failed_over_pair()
        for name, dump in ((s.A, self.source), (s.B, self.dump)):
            stat = dump.stat()
            saved = DumpFile(str(dump), stat.st_size, float(int(stat.st_mtime)))
            state = s.with_node(state, name, dump=read(saved, s.NOW))
        return state

    @property
    def planned(self):
        step = Step("copy", "title", "why", "returning", action=Action("copy-dump", {"source": "survivor"}))
        (planned,) = plan_commands(step, self.state(), CommandContext(self.cluster, ROLES, "RUN-1", "20261121T034000Z"))
        return planned

    def copy_file(self, command=None, **limits):
        source, node = Connection(**limits), Connection()
        answer = copy_file(source, node, command or self.planned.command, self.told.append)
        self.asked = source.asked
        return answer

    def whole(self):
        assert self.dump.read_bytes() == DATA
        assert int(self.dump.stat().st_mtime) == SAVED_AT
        assert self.copy_of.read_bytes() == DATA
        assert not self.part.exists()
        return True


FINE = "[offset 1] \\o/ RDB looks OK! \\o/\n[info] 7 keys read\n[info] 2 expires"
BROKEN = "--- RDB ERROR DETECTED ---\n[offset 55] Unexpected EOF reading RDB file"


@pytest.fixture
def check(tmp_path, monkeypatch):
    """What redis-check-rdb says on both nodes, and its exit status."""
    tool = tmp_path / "bin" / "redis-check-rdb"
    tool.parent.mkdir()
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")

    def says(text, status=0):
        tool.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {status}\n")
        tool.chmod(0o755)

    says(FINE)
    return says


@pytest.fixture
def pair(tmp_path, check):
    return Pair(tmp_path)


def test_a_file_that_is_broken_replaces_nothing(pair, check):
    check(BROKEN, 1)
    answer = pair.copy_file()
    assert answer.kind is AnswerKind.FAILED
    assert "redis-check-rdb found errors in what came from redis-a" in answer.text
    assert pair.dump.read_bytes() == OLD


@pytest.mark.parametrize("shell", [one for one in ("dash", "bash") if shutil.which(one)])
def test_the_dump_takes_the_place_of_the_old_one_with_its_owner_and_mode(pair, shell):
    answer = pair.copy_file(shell=shell)
    assert answer.kind is AnswerKind.DONE, answer.text
    assert pair.whole()
    assert pair.dump.stat().st_mode & 0o777 == 0o644
    assert f"copied {len(DATA):,} bytes in" in answer.text
    assert pair.told[-1] == "3.0 MB arrived; comparing"
    listed = f"{pair.copy_of.stat().st_size}|{SAVED_AT}|{pair.copy_of}\n"
    note = "".join(f"|{line}\n" for line in (pair.b / f"{pair.copy_of.name}.note").read_text().splitlines())
    (found,) = backups.parse(listed + note)
    assert isinstance(found, Backup)
    assert (found.origin, found.sha256) == (s.A, hashlib.sha256(DATA).hexdigest())
    assert (found.keys, found.expires) == (7, 2)
    assert found.received


def test_a_node_without_a_dump_gets_one_that_its_redis_can_read(pair):
    pair.dump.unlink()
    pair.state = lambda: s.with_node(
        s.with_node(s.failed_over_pair(), s.A, dump=read(DumpFile(str(pair.source), len(DATA), SAVED_AT), s.NOW)),
        s.B,
        dump=s.unread(s.ProblemKind.NOT_AVAILABLE),
        disk=read(DiskRoom(str(pair.b), 1 << 30, 1 << 31), s.NOW),
        redis_file=read(RedisFile("/etc/redis.conf", "", dbfilename=pair.dump.name), s.NOW),
    )
    assert pair.copy_file().kind is AnswerKind.DONE
    assert pair.whole()
    assert pair.dump.stat().st_mode & 0o777 == 0o640
    assert pair.dump.stat().st_uid == pair.b.stat().st_uid


def test_what_was_cut_goes_on_from_what_has_arrived(pair):
    cut = pair.copy_file(limit=1_200_000)
    assert cut.kind is AnswerKind.FAILED
    assert "interrupted after 1.2 MB of 3.0 MB (redis-a stopped sending); a retry sends only the rest" in cut.text
    assert "nothing was replaced" in cut.text
    assert pair.dump.read_bytes() == OLD
    assert pair.part.read_bytes() == DATA[:1_200_000]
    again = pair.copy_file()
    assert again.kind is AnswerKind.DONE, again.text
    assert "copied 1,800,000 bytes" in again.text
    assert "1.2 MB were there from an earlier copy" in again.text
    assert any("tail -c +1200001" in one for one in pair.asked)
    assert pair.whole()


@pytest.mark.parametrize("left", [b"another file", b"x" * (len(DATA) + 1)], ids=["not its beginning", "longer"])
def test_a_part_that_is_not_the_beginning_of_the_file_is_not_built_upon(pair, left):
    pair.part.write_bytes(left)
    assert pair.copy_file().kind is AnswerKind.DONE
    assert any("tail -c +1 " in one for one in pair.asked)
    assert pair.whole()


def test_a_copy_that_came_before_is_not_sent_again(pair):
    first = pair.planned.command
    assert pair.copy_file(first).kind is AnswerKind.DONE
    pair.dump.unlink()
    pair.dump.write_bytes(OLD)
    answer = pair.copy_file()
    assert answer.kind is AnswerKind.DONE, answer.text
    assert "copied 0 bytes" in answer.text
    assert pair.whole()
    pair.copy_of.with_name(f"{pair.copy_of.name}.note").write_text("size 7\n")
    pair.dump.unlink()
    pair.dump.write_bytes(OLD)
    refused = pair.copy_file()
    assert refused.kind is AnswerKind.FAILED
    assert "is there already, and is a backup" in refused.text


def test_nothing_is_replaced_by_what_is_not_the_file_that_was_shown(pair):
    shown = pair.planned.command
    pair.source.write_bytes(DATA + b"more")
    assert "slave_dump.rdb is not the one that was shown" in pair.copy_file(shown).text
    pair.source.unlink()
    assert "is not there" in pair.copy_file(shown).text
    pair.source.write_bytes(DATA)
    os.utime(pair.source, (SAVED_AT, SAVED_AT))
    pair.dump.write_bytes(b"REDIS was started meanwhile, and saved")
    late = pair.copy_file(shown)
    assert late.kind is AnswerKind.FAILED
    assert "master_dump.rdb is not the one that was shown; nothing was replaced" in late.text
    assert pair.dump.read_bytes().startswith(b"REDIS was")


def test_what_differs_at_both_ends_is_thrown_away(pair, monkeypatch):
    real = Connection.start_script

    def start_script(self, command, timeout):
        return real(self, command.replace("tail -c +1 --", "tr a b <") if "tail" in command else command, timeout)

    monkeypatch.setattr(Connection, "start_script", start_script)
    answer = pair.copy_file()
    assert answer.kind is AnswerKind.FAILED
    assert "what came from redis-a is not what lies there; nothing was replaced" in answer.text
    assert not pair.part.exists()
    assert pair.dump.read_bytes() == OLD


def test_both_ends_go_through_sudo_where_the_inventory_has_it(pair, check, tmp_path):
    sudo = tmp_path / "bin" / "sudo"
    sudo.write_text('#!/bin/sh\n[ "$1" = -n ] || exit 1\nshift\nexec "$@"\n')
    sudo.chmod(0o755)
    nodes = tuple(replace(one, ssh=replace(one.ssh, sudo=True)) for one in CLUSTER.nodes)
    pair.cluster = replace(CLUSTER, nodes=nodes)
    command = pair.planned.command
    assert (command.sudo, command.source_sudo) == (True, True)
    assert pair.copy_file(command).kind is AnswerKind.DONE
    assert all(one.startswith("sudo -n sh -c ") for one in pair.asked)
    assert pair.whole()


def test_a_lost_answer_leaves_the_outcome_open_only_once_everything_arrived(pair):
    class Dying(Connection):
        last = False

        def run(self, command, stdin=None, timeout=10.0):
            if bool(stdin) is self.last:
                raise RemoteError(s.ProblemKind.CLOSED, "the SSH connection was lost")
            return super().run(command, stdin, timeout)

    before = copy_file(Connection(), Dying(), pair.planned.command, pair.told.append)
    assert before.kind is AnswerKind.FAILED
    Dying.last = True
    with pytest.raises(RemoteError):
        copy_file(Connection(), Dying(), pair.planned.command, pair.told.append)


def test_everything_that_is_sent_is_shown_and_journaled(pair):
    planned = pair.planned
    shown = planned.render()
    command = planned.command
    assert isinstance(command, FileCopy)
    assert command.script in shown
    assert command.offer in shown
    assert command.accept in shown
    assert planned.channel == "ssh"
    assert plain(planned)["command"]["sent"] == shown
    assert (command.source, command.source_who.hostname) == (s.A, s.A)
    step = Step("copy", "title", "why", "survivor", action=Action("copy-dump", {"source": "survivor"}))
    with pytest.raises(PlanError, match="has its own dump already"):
        plan_commands(step, pair.state(), CommandContext(CLUSTER, ROLES, "RUN-1", "20261121T034000Z"))
