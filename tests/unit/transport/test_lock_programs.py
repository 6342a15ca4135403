"""The programs of the run's lock in real shells of this machine, on folders of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest
from thorough import first_is_quick

from console.core.model import RunLock
from console.core.runs.lock import parse_note
from console.probes.host.run_lock import ROOT_FOLDER, USER_FOLDER
from console.transport.locks import shell_programs

SHELLS = [["dash"], ["bash", "--posix"]]
CLAIM = RunLock("20261121T034000Z-cache-rebuild-3f2a", "cache", "rebuild", "ann@ops1", 1.5, terminal="/dev/pts/1")
OTHER = RunLock("20261121T034100Z-cache-rebuild-0000", "cache", "rebuild", "bob@ops2", 2.5)


class Shells:
    """Starts programs whose files lie in a folder of the test instead of /run and /tmp."""

    def __init__(self, words, folder):
        self.words, self.folder = words, folder
        self.started = []

    @property
    def note(self):
        return self.folder / (f"run/redis-ha-console{'' if os.geteuid() == 0 else f'-{os.geteuid()}'}/holder")

    def start(self, text, run_id=CLAIM.run_id):
        text = text.replace(ROOT_FOLDER, f"{self.folder}/run/redis-ha-console")
        text = text.replace(USER_FOLDER, f"{self.folder}/run/redis-ha-console-")
        text = text.replace(shell_programs.OTHERS_LOCK, f"{self.folder}/run/lock")
        made = subprocess.Popen(
            [*self.words, "-s", shell_programs.TITLE, run_id], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "SSH_CLIENT": "192.0.2.7 1 22"},
        )  # fmt: skip
        self.started.append(made)
        say(made, text)
        return made

    def hold(self, claim=CLAIM, lease=20):
        made = self.start(shell_programs.hold("n", claim, lease), claim.run_id)
        return made, line(made)

    def who(self):
        answer, _ = self.start(shell_programs.who("n")).communicate(timeout=10)
        assert answer.endswith(b"@n who\n")
        return parse_note(answer.decode().removesuffix("@n who\n"))


def say(process, text):
    process.stdin.write(text.encode())
    process.stdin.flush()


def line(process):
    return process.stdout.readline().decode().rstrip("\n")


@pytest.fixture(params=first_is_quick(SHELLS), ids=" ".join)
def shells(request, tmp_path):
    if shutil.which(request.param[0]) is None:
        pytest.skip(f"no {request.param[0]} on this machine")
    (tmp_path / "run").mkdir()
    made = Shells(request.param, tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_who_holds_it_is_told_while_it_is_held_and_not_longer(shells):
    assert shells.who() is None
    first, answer = shells.hold()
    assert answer.startswith(f"@n held {first.pid} ")
    told = shells.who()
    assert (told.operator, told.terminal, told.origin, told.step) == ("ann@ops1", "/dev/pts/1", "192.0.2.7", "")
    assert (told.pid, told.run_id, told.since) == (first.pid, CLAIM.run_id, 1.5)
    say(first, "1 3/14 replicate\n")
    assert line(first) == "@n ok 1"
    assert shells.who().step == "3/14 replicate"
    first.stdin.close()
    assert first.wait(5) == 0
    assert not shells.note.exists()
    assert shells.who() is None
    assert shells.hold(OTHER)[1].startswith("@n held ")


def test_the_second_one_is_told_of_the_first_and_gets_nothing(shells):
    first, _ = shells.hold()
    second = shells.start(shell_programs.hold("n", OTHER, 20))
    told, _ = second.communicate(timeout=10)
    assert told.endswith(b"\n@n busy\n")
    assert parse_note(told.decode().removesuffix("@n busy\n")).run_id == CLAIM.run_id
    say(first, "1 \n")
    assert line(first) == "@n ok 1"


def test_a_killed_holder_leaves_a_note_and_no_lock(shells):
    first, _ = shells.hold()
    first.kill()
    first.wait(5)
    assert shells.note.exists()
    assert shells.who() is None
    assert shells.hold(OTHER)[1].startswith("@n held ")
    assert shells.who().run_id == OTHER.run_id


def test_a_holder_that_hears_nothing_lets_go(shells):
    first, _ = shells.hold(lease=1)
    began = time.monotonic()
    assert first.stdout.read() == b""
    assert first.wait(5) == 0
    assert time.monotonic() - began < 15
    assert shells.hold(OTHER)[1].startswith("@n held ")


def test_only_that_very_process_is_ended(shells):
    first, _ = shells.hold()
    told = shells.who()
    wrong = RunLock(OTHER.run_id, "cache", "x", "ann@ops1", 0.0, pid=first.pid, start=told.start)
    assert line(shells.start(shell_programs.end("n", wrong))).startswith("@n trouble ")
    older = RunLock(CLAIM.run_id, "cache", "x", "ann@ops1", 0.0, pid=first.pid, start="1")
    assert line(shells.start(shell_programs.end("n", older))) == "@n ended"
    assert first.poll() is None
    say(first, "1 \n")
    assert line(first) == "@n ok 1"
    assert line(shells.start(shell_programs.end("n", told))) == "@n ended"
    assert first.wait(5) == -9
    assert shells.hold(OTHER)[1].startswith("@n held ")


def test_a_deleted_lock_is_noticed_and_a_link_is_not_followed(shells):
    first, _ = shells.hold()
    name = "redis-ha-console/lock" if os.geteuid() == 0 else "lock"
    (shells.folder / "run" / name).unlink()
    say(first, "1 \n")
    assert line(first) == "@n trouble the lock was deleted on the node"
    shutil.rmtree(shells.note.parent)
    target = shells.folder / "elsewhere"
    target.mkdir()
    shells.note.parent.symlink_to(target)
    assert "cannot be made, or is not ours" in shells.hold(OTHER)[1]
    assert list(target.iterdir()) == []
