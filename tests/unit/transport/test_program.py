"""The program in real shells of this machine: Debian's dash, and bash as CentOS 6 calls it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess

import pytest

from console.core.model import ProblemKind
from console.probes import backups, program
from console.probes.host import HostReader
from console.probes.program import Section, Watched

SHELLS = [["dash"], ["bash", "--posix"], ["bash"]]
CONFIG = b"! no newline at the end\nvrrp_instance VI_1 {\n auth_pass 1111\n}\n\0\xff end"


class Shell:
    def __init__(self, words, watched):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.seq = 1
        self.watched = watched
        self._say(program.text(watched, "nonce", program.request_line(1, program.FULL)))

    def _say(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def batch(self):
        data = b""
        while not data.endswith(program.end_of("nonce", self.seq)):
            part = self.process.stdout.read1(65536)
            assert part, data
            data += part
        return program.sections(data, "nonce", self.seq)

    def ask(self, tier, *rest):
        self.seq += 1
        self._say(program.request_line(self.seq, tier, *rest) + "\n")
        return self.batch()

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(5)
        self.process.stdout.close()
        return status


@pytest.fixture(params=SHELLS, ids=" ".join)
def shell(request, tmp_path):
    if shutil.which(request.param[0]) is None:
        pytest.skip(f"no {request.param[0]} on this machine")
    conf, log, state = tmp_path / "it's $(a) conf", tmp_path / "keepalived.log", tmp_path / "state.log"
    conf.write_bytes(CONFIG)
    log.write_text("(VI_1) Entering BACKUP STATE\n")
    state.write_text("[backup]\n")
    made = Shell(request.param, Watched(str(conf), str(state), str(log)))
    yield made
    if made.process.poll() is None:
        made.end()


def test_bytes_come_as_they_stand(shell):
    first = shell.batch()
    assert {name: one.status for name, one in first.items()} | {"version": "ok"} == {
        **dict.fromkeys(["identity", "clock", "addresses", "processes", "memory", "files"], "ok"),
        **dict.fromkeys(["config", "notify-log", "system-log", "version"], "ok"),
        **dict.fromkeys(["disk", "backups", "redis-log", "redis-file"], "unknown"),
    }
    assert first["config"].data == CONFIG


def test_only_what_changed_is_read_again(shell, tmp_path):
    shell.batch()
    assert not {"config", "notify-log", "system-log", "clock"} & set(shell.ask(program.LIVE))
    (tmp_path / "state.log").write_text("[backup]\n[master]\n")
    assert {"config", "notify-log", "system-log"} & set(shell.ask(program.LIVE)) == {"notify-log"}
    (tmp_path / "it's $(a) conf").unlink()
    assert shell.ask(program.LIVE)["config"].status == "missing"
    assert {"config", "clock", "disk"} <= set(shell.ask(program.FULL))


def test_a_directory_with_any_name_is_data(shell, tmp_path):
    folder = tmp_path / "a b;$(touch x)'\"*"
    folder.mkdir()
    (folder / "dump.rdb").write_bytes(b"12345")
    shell.batch()
    batch = shell.ask(program.LIVE, str(folder), "dump.rdb", ["/opt/check redis.sh", "/opt/*"])
    assert batch["disk"].text.splitlines()[0] == str(folder)
    assert f"|{folder}/dump.rdb" in batch["files"].text
    assert not (tmp_path / "x").exists()


def test_backups_beside_the_dump_come_with_their_notes(shell, tmp_path):
    folder = tmp_path / "a b*[x]"
    folder.mkdir()
    copy = "dump.rdb.redis-ha-console.20261121T034000Z"
    for name, text in (("dump.rdb", "12345"), (copy, "12345"), (f"{copy}.part", "1"), (f"{copy}.set-aside", "1")):
        (folder / name).write_text(text)
    (folder / f"{copy}.note").write_text(f"size 5\nsha256 {'a' * 64}\nkeys 3\n")
    shell.batch()
    (found,) = backups.parse(shell.ask(program.LIVE, str(folder), "dump.rdb")["backups"].text)
    assert (found.path, found.size, found.sha256, found.keys) == (str(folder / copy), 5, "a" * 64, 3)
    assert "backups" not in shell.ask(program.LIVE, str(folder), "dump.rdb")
    (folder / copy).unlink()
    assert backups.parse(shell.ask(program.FULL, str(folder), "dump.rdb")["backups"].text) == ()


def test_it_ends_with_its_input(shell):
    shell.batch()
    assert shell.end() == 0


def test_a_request_that_no_line_can_carry():
    assert program.request_line(7, program.LIVE, "/a\nb", "x\ty", ["/ok", "/no\nt"]) == "7\tlive\t-\t-\t-\t-\t/ok"


def test_broken_output_is_a_reading_with_its_reason():
    reader = HostReader(Watched("/etc/keepalived/keepalived.conf"), "10.0.0.9", "")
    batch = {
        "addresses": Section("ok", b"junk"),
        "processes": Section("denied", b"x"),
        "config": Section("ok", b"\xff"),
    }
    seen = reader.take(batch, 100.0, 100.1, "")
    assert seen.identity.problem.kind is ProblemKind.BAD_ANSWER
    assert seen.addresses.problem.kind is ProblemKind.BAD_ANSWER
    assert seen.processes.problem.kind is ProblemKind.NOT_PERMITTED
    assert seen.config.value.file.digest == hashlib.sha256(b"\xff").hexdigest()
    assert seen.notify_log.problem.kind is ProblemKind.NOT_CONFIGURED
