"""The program in real shells of this machine: Debian's dash, and bash as CentOS 6 calls it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from thorough import first_is_quick

from console.core.model import NOT_A_SHELL_SCRIPT, ActionKind, ProblemKind
from console.probes import framing, program
from console.probes.framing import ProgramSettings, Section
from console.probes.host import backups
from console.probes.host_reader import HostReader
from console.probes.keepalived import scripts
from console.probes.redis import config_file as redis_file
from console.probes.redis import log as redis_log

SHELLS = [["dash"], ["bash", "--posix"], ["bash"]]
CONFIG = b"! no newline at the end\nvrrp_instance VI_1 {\n auth_pass 1111\n}\n\0\xff end"


class Shell:
    def __init__(self, words, watched):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.seq = 1
        self.watched = watched
        self._say(program.program_text(watched, "nonce", framing.request_line(1, framing.FULL)))

    def _say(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def batch(self):
        data = b""
        while not data.endswith(framing.end_marker("nonce", self.seq)):
            part = self.process.stdout.read1(65536)
            assert part, data
            data += part
        return framing.split_sections(data, "nonce", self.seq)

    def ask(self, tier, *rest, **paths):
        self.seq += 1
        self._say(framing.request_line(self.seq, tier, *rest, **paths) + "\n")
        return self.batch()

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(5)
        self.process.stdout.close()
        return status


@pytest.fixture(params=first_is_quick(SHELLS), ids=" ".join)
def shell(request, tmp_path):
    if shutil.which(request.param[0]) is None:
        pytest.skip(f"no {request.param[0]} on this machine")
    conf, log, state = tmp_path / "it's $(a) conf", tmp_path / "keepalived.log", tmp_path / "state.log"
    conf.write_bytes(CONFIG)
    log.write_text("(VI_1) Entering BACKUP STATE\n")
    state.write_text("[backup]\n")
    made = Shell(request.param, ProgramSettings(str(conf), str(state), str(log)))
    yield made
    if made.process.poll() is None:
        made.end()


def test_bytes_come_as_they_stand(shell):
    first = shell.batch()
    assert {name: one.status for name, one in first.items()} | {"version": "ok"} == {
        **dict.fromkeys(["identity", "clock", "addresses", "processes", "places", "memory", "files", "run-lock"], "ok"),
        **dict.fromkeys(["config", "notify-log", "system-log", "version"], "ok"),
        **dict.fromkeys(["disk", "data", "backups", "redis-log", "redis-file"], "unknown"),
    }
    assert first["config"].data == CONFIG


def test_only_what_changed_is_read_again(shell, tmp_path):
    shell.batch()
    assert not {"config", "notify-log", "system-log", "clock"} & set(shell.ask(framing.LIVE))
    (tmp_path / "state.log").write_text("[backup]\n[master]\n")
    assert {"config", "notify-log", "system-log"} & set(shell.ask(framing.LIVE)) == {"notify-log"}
    (tmp_path / "it's $(a) conf").unlink()
    assert shell.ask(framing.LIVE)["config"].status == "missing"
    assert {"config", "clock", "disk"} <= set(shell.ask(framing.FULL))


def test_what_is_checked_is_everything_but_files_that_are_as_they_were(shell, tmp_path):
    log, conf, script = tmp_path / "redis.log", tmp_path / "redis.conf", tmp_path / "a b|c.sh"
    for file in (log, conf, script):
        file.write_text("priority 100\n")
    shell.batch()

    def checked():
        return set(shell.ask(framing.CHECKED, "", "", [str(script)], redis_log=str(log), redis_file=str(conf)))

    rare, files = {"clock", "disk", "backups"}, {"config", "notify-log", "system-log"}
    named = {"redis-log": log, "redis-file": conf, "scripts": script}
    assert rare | set(named) <= checked(), "new paths are read"
    assert checked() & (rare | files | set(named)) == rare
    for name, file in named.items():
        was = file.stat()
        file.write_text("priority 101\n")
        os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))  # as long as before, and pretends to be as old
        assert checked() & (files | set(named)) == {name}
    script.unlink()
    assert "scripts" in checked()
    assert files <= set(shell.ask(framing.FULL))


def test_a_directory_with_any_name_is_data(shell, tmp_path):
    folder = tmp_path / "a b;$(touch x)'\"*"
    folder.mkdir()
    (folder / "dump.rdb").write_bytes(b"12345")
    shell.batch()
    batch = shell.ask(framing.LIVE, str(folder), "dump.rdb", ["/opt/check redis.sh", "/opt/*"])
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
    (found,) = backups.parse(shell.ask(framing.LIVE, str(folder), "dump.rdb")["backups"].text)
    assert (found.path, found.size, found.sha256, found.keys) == (str(folder / copy), 5, "a" * 64, 3)
    assert "backups" not in shell.ask(framing.LIVE, str(folder), "dump.rdb")
    (folder / copy).unlink()
    assert backups.parse(shell.ask(framing.FULL, str(folder), "dump.rdb")["backups"].text) == ()


def test_scripts_are_looked_at_when_their_paths_change_and_with_a_full_reading(shell, tmp_path):
    folder = tmp_path / "a b;$(touch x)'*"
    folder.mkdir()
    stops, plain = folder / "stops.sh", folder / "plain.sh"
    stops.write_text("#!/bin/sh\n# killall keepalived\nservice keepalived stop\n")
    stops.chmod(0o750)
    plain.write_bytes(b"\x7fELF\0\0SLAVEOF NO ONE")
    plain.chmod(0o644)
    paths = [str(stops), str(plain), str(folder / "not/there.sh")]
    shell.batch()
    found = {one.path: one for one in scripts.parse(shell.ask(framing.LIVE, "", "", paths)["scripts"].text)}
    assert sorted(found) == sorted(paths)
    assert [(one.kind, one.line) for one in found[str(stops)].actions] == [(ActionKind.STOPS_KEEPALIVED, 3)]
    assert (found[str(stops)].mode, found[str(stops)].executable) == (0o750, True)
    assert not found[str(plain)].executable
    assert (found[str(plain)].readable, found[str(plain)].not_understood) == (True, NOT_A_SHELL_SCRIPT)
    assert not found[str(stops)].not_understood
    assert found[str(plain)].actions == ()
    assert not found[paths[2]].exists
    assert "scripts" not in shell.ask(framing.LIVE, "", "", paths)
    assert "scripts" in shell.ask(framing.FULL, "", "", paths)


def test_of_the_files_of_redis_only_what_concerns_replication_is_read(shell, tmp_path):
    log, conf = tmp_path / "redis.log", tmp_path / "redis.conf"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    conf.write_text("requirepass hunter2\nmasterauth hunter2\n  SlaveOf 10.0.0.1 6379\n#slaveof 1 2\nport 6379\n")
    shell.batch()
    batch = shell.ask(framing.LIVE, redis_log=str(log), redis_file=str(conf))
    assert redis_log.parse(batch["redis-log"].text).lines == tuple(f"line {number}" for number in range(60, 100))
    told = redis_file.parse(batch["redis-file"].text)
    assert (told.path, told.master, told.line) == (str(conf), "10.0.0.1 6379", 3)
    assert "hunter2" not in str(batch)
    assert not {"redis-log", "redis-file"} & set(shell.ask(framing.LIVE, redis_log=str(log), redis_file=str(conf)))


def test_an_included_file_is_read_for_where_the_data_is(shell, tmp_path):
    conf, more, data = tmp_path / "redis.conf", tmp_path / "a b.conf", tmp_path / "data"
    data.mkdir()
    (tmp_path / "link").symlink_to(data)
    more.write_text(f"requirepass hunter2\nappendonly yes\ndir {tmp_path}/link\n")
    conf.write_text(f'appendonly no\ninclude "{more}"\ninclude {tmp_path}/*.more\ninclude /not/there.conf\n')
    shell.batch()
    batch = shell.ask(framing.LIVE, redis_file=str(conf))
    told = redis_file.parse(batch["redis-file"].text)
    assert (told.appendonly, told.dir, told.real_dir) == (True, f"{tmp_path}/link", str(data))
    assert told.includes == (f"{tmp_path}/*.more", "/not/there.conf")
    assert "hunter2" not in str(batch)
    more.write_text("appendonly no\n")
    assert not redis_file.parse(shell.ask(framing.CHECKED, redis_file=str(conf))["redis-file"].text).appendonly


def test_it_ends_with_its_input(shell):
    shell.batch()
    assert shell.end() == 0


def test_a_request_that_no_line_can_carry():
    assert framing.request_line(7, framing.LIVE, "/a\nb", "x\ty", ["/ok", "/no\nt"]) == "7\tlive\t-\t-\t-\t-\t-\t-\t/ok"


def test_broken_output_is_a_reading_with_its_reason():
    reader = HostReader(ProgramSettings("/etc/keepalived/keepalived.conf"), "10.0.0.9", "")
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


def test_what_is_too_long_is_cut_on_the_node_and_named(shell, tmp_path):
    shell.batch()
    conf, state = Path(shell.watched.config), Path(shell.watched.state_log)
    conf.write_bytes(b"# x\n" * 100_000)
    state.write_bytes(b"x" * 1_000_000)
    batch = shell.ask(framing.FULL)
    assert len(batch["config"].data) == framing.MOST
    assert len(batch["notify-log"].data) <= 65_536
    told = HostReader(shell.watched, "10.0.0.9", "").take(batch, 1.0, 2.0, "")
    assert told.config.problem.kind is ProblemKind.TOO_LONG
    assert "262,144 bytes" in told.config.problem.text
    assert told.notify_log.value is not None
