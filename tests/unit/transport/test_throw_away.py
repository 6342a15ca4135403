"""The program of a throw-away server in real shells of this machine, with a stand-in for redis-server."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from thorough import first_is_quick

from console.core.command import ShellCommand
from console.core.inventory import KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.core.model import DataForm
from console.core.replication.disk_data import DiskData
from console.engine.actions.throw_away import FOLDER, PERL, PYTHON, throw_away_server
from console.transport.redis.throw_away import NotLoadedError, loaded
from console.transport.ssh.shells.login_shell import LoginShell

SHELLS = [["dash"], ["bash", "--posix"]]
NODE = NodeSpec("redis-b", "127.0.0.1", SshSpec(), RedisSpec(), KeepalivedSpec())
STAND_IN = f"""#!{sys.executable}
import os, socket, sys, time
words = sys.argv[1:]
if words == ["--version"]:
    sys.exit(print("Redis server v=VERSION sha=0:0"))
given = dict(zip(words[::2], words[1::2]))
os.chdir(given["--dir"])
log = open(given["--logfile"], "w")
data = open(given.get("--dbfilename") or "a/" + given["--appendfilename"] + ".1.incr.aof").read()
if "broken" in data:
    sys.exit("1:M 29 Nov 2026 11:00:00.000 # Bad file format reading the append only file")
if "slow" in data:
    time.sleep(60)
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind(given["--unixsocket"])
    listening.listen()
    print("Ready to accept connections", file=log, flush=True)
    link, _ = listening.accept()
    while got := link.recv(4096):
        link.sendall(b"+" + got.split()[-1] + b"=" + data.encode() + b"\\r\\n")
"""


@pytest.fixture(params=first_is_quick(SHELLS), ids=" ".join)
def shell(request):
    if shutil.which(request.param[0]) is None:
        pytest.skip(f"no {request.param[0]} on this machine")
    return request.param


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder of programs that the shell finds first, with the stand-in in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "redis-server").write_text(STAND_IN.replace("VERSION", "7.0.15"))
    (folder / "redis-server").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def dump(place, text="held"):
    file = place / "dump.rdb"
    file.write_text(text)
    os.utime(file, (1e9, 1e9))
    return DiskData(DataForm.DUMP, str(file), len(text), 1e9)


def aof_folder(place, text="held"):
    folder = place / "appendonlydir"
    folder.mkdir()
    (folder / "log.1.incr.aof").write_text(text)
    os.utime(folder / "log.1.incr.aof", (1e9, 1e9))
    (folder / "log.manifest").write_text("file log.1.incr.aof seq 1 type i\n")
    return DiskData(DataForm.AOF_FOLDER, str(folder), len(text), 1e9, ("log.1.incr.aof",), "log.manifest")


def start(shell, command):
    return subprocess.Popen(
        [*shell, "-c", command.render()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def lines(process):
    """What the program says, up to `ready` or its end; each thing once."""
    said = []
    while (line := process.stdout.readline().decode()) and not line.startswith("ready"):
        said += [line.strip()] if line.strip() not in said else []
    return [*said, line.strip()]


def ask(process, word):
    process.stdin.write(word)
    process.stdin.flush()
    return process.stdout.readline()


def leftovers(place):
    return [one.name for one in place.iterdir() if one.name.startswith(FOLDER)]


def nothing_is_left(place, within=15):
    """Waits until no process of this test's data and no folder is there."""
    end = time.monotonic() + within
    while leftovers(place) or mentioned(str(place)):
        assert time.monotonic() < end, (leftovers(place), mentioned(str(place)))
        time.sleep(0.05)
    return True


def mentioned(text):
    """The processes whose command line has this text."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if text.encode() in (words := (one / "cmdline").read_bytes()):
                found.append((one.name, words[:200]))
    return found


def close(process):
    for one in (process.stdin, process.stdout, process.stderr):
        one.close()
    return process.wait(15)


@pytest.mark.parametrize("make", [dump, aof_folder])
def test_it_holds_the_data_while_the_input_is_open_and_nothing_of_it_is_left(shell, programs, place, make):
    data = make(place)
    process = start(shell, throw_away_server(data, NODE))
    assert lines(process)[-1] == "ready 7.0.15"
    (box,) = leftovers(place)
    assert (place / box).stat().st_mode & 0o777 == 0o700
    assert ask(process, b"first") == b"+first=held\r\n"
    assert ask(process, b"second") == b"+second=held\r\n"
    assert close(process) == 0
    assert nothing_is_left(place)


@pytest.mark.parametrize("text", ["held", "slow"])
def test_a_console_that_dies_and_a_program_that_is_killed_leave_nothing(shell, programs, place, text):
    for end in (close, lambda one: one.send_signal(signal.SIGKILL)):
        process = start(shell, throw_away_server(dump(place, text), NODE))
        said = process.stdout.readline()
        assert said == b"copying\n"
        while said == b"copying\n":
            said = process.stdout.readline()
        end(process)
        assert nothing_is_left(place)
        close(process)


def test_what_an_earlier_one_left_is_removed_by_the_next(shell, programs, place):
    for name, pid in (("gone", "4194305"), ("ours", str(os.getpid()))):
        (place / f"{FOLDER}.{name}").mkdir()
        (place / f"{FOLDER}.{name}" / "program").write_text(pid)
    (place / f"{FOLDER}.else").mkdir()
    process = start(shell, throw_away_server(dump(place), NODE))
    assert lines(process)[-1].startswith("ready")
    close(process)
    assert leftovers(place) == [f"{FOLDER}.else"], "only a folder with a note of its program is taken for one"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("wanted=", f"wanted={10**18} other="), "bytes free, 10000"),
        (lambda text: text.replace("memory=", f"memory={10**12} other="), "too little memory: "),
        (lambda text: text.replace("shown='4 ", "shown='5 "), "dump.rdb is not the one that was shown"),
        (lambda text: text.replace("exec $low cp", "exec false"), "dump.rdb could not be copied"),
        (lambda text: text.replace("in redis valkey", "in no"), "has no Redis server program"),
        (
            lambda text: text.replace("python3 python /usr/libexec/platform-python python2 perl socat", "none"),
            "no python",
        ),
        (lambda text: text.replace('[ "$(date +%s)" -lt "$end" ] || fail 39', "false || fail 39"), "not loaded within"),
    ],
)
def test_what_keeps_it_from_loading_is_one_line(shell, programs, place, change, why):
    slow = "slow" if "within" in why else "held"
    command = throw_away_server(dump(place, slow), NODE)
    process = start(shell, replace(command, script=change(command.script)))
    assert not lines(process)[-1].startswith("ready")
    said = process.stderr.read().decode().strip()
    assert why in said
    assert "\n" not in said
    assert close(process) >= 20
    assert nothing_is_left(place)


def test_data_that_the_server_does_not_load_is_told_in_its_words(shell, programs, place):
    process = start(shell, throw_away_server(dump(place, "broken"), NODE))
    lines(process)
    assert "does not load it: Bad file format reading the append only file" in process.stderr.read().decode()
    assert close(process) == 38


COUNTED_UP_TO_THERE = """
21:M 29 Nov 2026 23:54:21.123 # WARNING Memory overcommit must be enabled!
21:M 29 Nov 2026 23:54:21.124 # Internal error in RDB reading offset 4267, function at rdb.c:1 -> Unexpected EOF
[offset 0] Checking RDB file data
[offset 82] Selecting DB ID 0
--- RDB ERROR DETECTED ---
[offset 4267] Unexpected EOF reading RDB file
[additional info] While doing: read-object-value
[info] 151 keys read
[info] 0 expires
[info] 0 already expired
"""


def test_of_a_file_that_is_broken_in_the_middle_the_reason_is_told_and_no_count(shell, place):
    script = throw_away_server(dump(place), NODE).script
    why = script[script.index("why() {") : script.index("ln -s")]
    done = subprocess.run(
        [*shell, "-c", f"{why}\nwhy"], input=COUNTED_UP_TO_THERE.encode(), capture_output=True, check=True
    )
    assert done.stdout.decode().splitlines() == [
        "Internal error in RDB reading offset 4267, function at rdb.c:1 -> Unexpected EOF",
        "[offset 4267] Unexpected EOF reading RDB file",
    ]


def test_a_pipe_in_the_place_of_a_dump_is_not_waited_for(shell, programs, place):
    shown = dump(place)
    (place / "dump.rdb").unlink()
    os.mkfifo(place / "dump.rdb")
    process = start(shell, throw_away_server(shown, NODE))
    lines(process)
    assert "dump.rdb is no regular file" in process.stderr.read().decode()
    assert close(process) == 20
    assert nothing_is_left(place)


@pytest.mark.parametrize("make", [dump, aof_folder])
def test_another_file_in_the_place_of_a_backup_is_not_loaded(shell, programs, place, make):
    """It has the size and the time that were shown. The run that made the backup has recorded its SHA-256."""
    data = make(place)
    digest = hashlib.sha256(b"held").hexdigest()
    expected = hashlib.sha256(f"{digest}\n".encode()).hexdigest() if data.names else digest
    process = start(shell, throw_away_server(data, NODE, expected))
    assert lines(process)[-1] == "ready 7.0.15"
    close(process)
    process = start(shell, throw_away_server(data, NODE, "0" * 64))
    assert lines(process)[-1] != "ready 7.0.15"
    assert f"is not what was backed up: SHA-256 {expected}" in process.stderr.read().decode()
    assert close(process) == 28
    assert nothing_is_left(place)


def test_a_server_before_7_does_not_get_a_folder(shell, programs, place):
    (programs / "redis-server").write_text(STAND_IN.replace("VERSION", "6.2.7"))
    process = start(shell, throw_away_server(aof_folder(place), NODE))
    assert lines(process) == [""]
    assert "is version 6.2.7, older than" in process.stderr.read().decode()
    close(process)


@pytest.mark.parametrize("words", [["python3", "-E", "-S", "-c", PYTHON], ["perl", "-e", PERL]], ids=["python", "perl"])
def test_bytes_come_through_the_bridge_as_they_are(words, tmp_path, programs):
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} on this machine")
    data = bytes(range(256)) * 4096
    echo = "import socket as s, sys\nl=s.socket(s.AF_UNIX); l.bind('s'); l.listen(); print(flush=True)\n"
    echo += "c, _ = l.accept()\nwhile d := c.recv(9999): c.sendall(d)"
    server = subprocess.Popen([sys.executable, "-c", echo], cwd=tmp_path, stdout=subprocess.PIPE)
    server.stdout.readline()
    bridge = subprocess.Popen([*words, "s"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    got = b""
    for start_at in range(0, len(data), 10_000):
        piece = data[start_at : start_at + 10_000]
        bridge.stdin.write(piece)
        bridge.stdin.flush()
        while len(got) < start_at + len(piece):
            got += bridge.stdout.read1(65536)
    assert got == data
    bridge.stdin.close()
    assert bridge.wait(10) == server.wait(10) == 0
    server.stdout.close()
    bridge.stdout.close()


class ProcessChannel:
    """A process with the methods of an SSH channel."""

    def __init__(self, process):
        self.process = process
        self.status_event = self

    def wait(self, timeout):
        return self.process.wait(timeout)

    def settimeout(self, _):
        pass

    def recv(self, size):
        return self.process.stdout.read1(size)

    def recv_stderr(self, size):
        return self.process.stderr.read1(size)

    def sendall(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def shutdown_write(self):
        self.process.stdin.close()

    def shutdown(self, _):
        self.shutdown_write()

    def close(self):
        close(self.process)


class Shell:
    """A connection whose commands run here."""

    def login_shell(self):
        return LoginShell("/bin/sh")

    def start_script(self, command, _):
        return ProcessChannel(start(["sh"], ShellCommand(command)))


def test_the_connection_speaks_to_it_after_the_lines_of_the_program(programs, place):
    shell, said = Shell(), []
    with loaded(shell, throw_away_server(dump(place), NODE), "redis-b", said.append) as link:
        link.send_words([("GET", "key")])
        assert link.receive(time.monotonic() + 5) == ["key=held"]
    assert nothing_is_left(place)
    assert said[0] == "copying"
    with (
        pytest.raises(NotLoadedError, match="is not the one that was shown"),
        loaded(shell, throw_away_server(replace(dump(place), size=5), NODE), "redis-b", said.append),
    ):
        pass
