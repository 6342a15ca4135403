"""One host: a set of namespaces with a root, an address, sshd, redis-server and keepalived of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO

from console.lab.hosts import base_files, log_files, network
from console.lab.hosts.keys import make_key
from console.lab.hosts.namespaces import program
from console.lab.hosts.network import BRIDGE
from console.lab.options import LabError

ENVIRONMENT = {
    "PATH": "/opt/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}
SENTINEL = "redis-sentinel"
"""The name by which `running` tells a Sentinel from a Redis: both are processes of the program redis-server."""
SHARED_NAMES = ("redis-server", SENTINEL)
_COPIED = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "nsswitch.conf", "localtime", "debian_version", "os-release")
_EMPTY = ("proc", "sys", "dev", "home", "opt/redis", "opt/sbin", "srv", "mnt", "data", "root/.ssh")
_VAR = ("log", "lib", "tmp", "empty", "cache")


@dataclass
class Host:
    """A host of a laboratory. `pid` is its init, as seen from the laboratory; 0 while it has no power."""

    name: str
    address: str
    root: Path
    """Its root folder, seen from the laboratory: its files can be read here even after it died."""
    password: str
    servers: str
    """Folder of the Redis that it runs; empty: the machine's own."""
    pid: int = 0
    process: subprocess.Popen[str] | None = None
    lasting: bool = False
    """Outlives the process that switches it on: for commands in a laboratory that somebody else keeps."""

    def run(
        self, command: str | list[str], *, stdin: str | None = None, timeout: float = 30, check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command (a list) or shell text on the host, as its root. Raises LabError if the host is off."""
        if not self.pid:
            raise LabError(f"{self.name} is switched off")
        words = ["/bin/sh", "-c", command] if isinstance(command, str) else command
        enter = [program("nsenter"), "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p", "--"]
        environment = ENVIRONMENT | ({"REDISCLI_AUTH": self.password} if self.password else {})
        try:
            return subprocess.run(
                [*enter, *words], input=stdin, capture_output=True, text=True, timeout=timeout, check=check,
                env=environment, stdin=subprocess.DEVNULL if stdin is None else None,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise LabError(f"{' '.join(words)} on {self.name} did not end within {timeout:g} s") from None

    def redis(self, *words: str) -> str:
        """What redis-cli on the host answers, without the last line end."""
        return self.run(["redis-cli", *words]).stdout.rstrip("\n")

    def service(self, name: str, action: str) -> None:
        """Runs `service NAME ACTION`. Raises LabError with what it said if it failed."""
        done = self.run(["service", name, action])
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().replace("\n", "; ")
            raise LabError(f"service {name} {action} on {self.name} failed: {said}")

    def running(self, name: str) -> list[int]:
        """The PIDs, on the host, of the processes of this name; zombies left out. Costs no process of its own."""
        found = []
        for entry in Path(f"/proc/{self.pid}/root/proc").glob("[0-9]*/stat") if self.pid else ():
            try:
                text = entry.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            comm, state = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2]
            if comm in SHARED_NAMES:
                comm = _kind(entry.with_name("cmdline"), comm)
            if comm == name[:15] and state != "Z":
                found.append(int(entry.parent.name))
        return sorted(found)

    def has_address(self, address: str) -> bool:
        """Whether the kernel of the host holds this address."""
        if not self.pid:
            return False
        try:
            lines = Path(f"/proc/{self.pid}/net/fib_trie").read_text(encoding="ascii").splitlines()
        except OSError:
            return False
        return any(
            address == line.split()[-1] and "host LOCAL" in following
            for line, following in pairwise(lines)
            if line.split()
        )

    def read(self, path: str) -> str:
        """A file of the host; empty where there is none."""
        try:
            return (self.root / path.lstrip("/")).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Writes a file of the host."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        place.chmod(mode)

    def logs(self, lines: int = 60) -> str:
        """The ends of its logs, for a failed test."""
        parts = []
        for path in log_files.LOGS:
            if (self.root / path.lstrip("/")).exists():
                tail = self.read(path).splitlines()[-lines:]
                parts.append(f"--- {self.name}:{path}\n" + "\n".join(tail))
        return "\n".join(parts)

    def furnish(self, disk: str, neighbours: Mapping[str, str], public_key: str) -> None:
        """Makes its root folder: what every machine has before it first starts. `disk`: room in /data, as for tmpfs."""
        for folder in _EMPTY:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        for folder in _VAR:
            (self.root / "var" / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "var/run").symlink_to("/run")
        (self.root / "tmp").mkdir()
        (self.root / "tmp").chmod(0o1777)
        subprocess.run(
            [program("mount"), "-t", "tmpfs", "-o", f"mode=755,size={disk}", "tmpfs", str(self.root / "data")],
            check=True,
        )
        (self.root / "data/redis").mkdir()
        self._furnish_etc(neighbours)
        self.write("/root/.ssh/authorized_keys", public_key, 0o600)
        (self.root / "root").chmod(0o700)
        (self.root / "root/.ssh").chmod(0o700)

    def _furnish_etc(self, neighbours: Mapping[str, str]) -> None:
        etc = self.root / "etc"
        etc.mkdir()
        for name in _COPIED:
            source = Path("/etc") / name
            if source.is_dir():
                shutil.copytree(source, etc / name)
            elif source.exists():
                shutil.copyfile(source, etc / name)
        hosts = "".join(f"{address} {name}\n" for name, address in neighbours.items())
        self.write("/etc/passwd", base_files.ACCOUNTS)
        self.write("/etc/group", base_files.GROUP)
        self.write("/etc/shadow", base_files.SHADOW, 0o600)
        self.write("/etc/hosts", f"127.0.0.1 localhost\n{hosts}")
        self.write("/etc/hostname", f"{self.name}\n")
        self.write("/etc/boot_id", f"{uuid.uuid4()}\n")
        self.write("/etc/machine-id", f"{uuid.uuid4().hex}\n")
        self.write("/etc/profile", "PS1='[\\u@\\h \\W]\\$ '\n")
        self.write("/etc/shells", "/bin/sh\n/bin/bash\n")
        self.write("/etc/ssh/sshd_config", base_files.SSHD_CONFIG)
        make_key(etc / "ssh/ssh_host_ed25519_key", f"root@{self.name}")

    def switch_on(self, environment: Mapping[str, str] | None = None) -> None:
        """Starts its namespaces; `finish_start` waits until it answers."""
        init = Path(__file__).with_name("host-init.sh")
        namespaces = ["--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
        # Killed with whoever built the laboratory, however that ends.
        die_with_me = [] if self.lasting else [program("setpriv"), "--pdeathsig", "KILL"]
        self.process = subprocess.Popen(
            [*die_with_me, program("unshare"), *namespaces, "/bin/sh", str(init), str(self.root), self.name,
             f"{self.address}/{network.PREFIX}", self.servers],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=dict(environment or ENVIRONMENT), start_new_session=True,
        )  # fmt: skip
        self.pid = int(self._line() or 0)
        ip = program("ip")
        cable = ["name", "eth2", "address", self._hardware_address, "netns", str(self.pid)]
        subprocess.run([ip, "link", "add", self.name, "type", "veth", "peer", *cable], check=True)
        subprocess.run([ip, "link", "set", self.name, "master", BRIDGE, "up"], check=True)
        stdin = self._pipe(self.process.stdin)
        stdin.write("cable\n")
        stdin.close()

    def finish_start(self) -> None:
        """Waits until its init says that it is ready. Raises LabError with what it said if it is not."""
        if self._line() != "ready":
            raise LabError(f"{self.name} did not start")
        assert self.process is not None
        self._pipe(self.process.stdout).close()
        self._pipe(self.process.stderr).close()

    @property
    def _hardware_address(self) -> str:
        """The same after each start, as a real network card's: neighbours go on reaching it at once."""
        return ":".join(f"{number:02x}" for number in (2, 0, *map(int, self.address.split("."))))

    def _line(self) -> str:
        assert self.process is not None
        line = self._pipe(self.process.stdout).readline().strip()
        if not line:
            said = self._pipe(self.process.stderr).read().strip().replace("\n", "; ")
            raise LabError(f"{self.name} did not start: {said or 'its init ended without a word'}")
        return line

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe

    def switch_off(self) -> None:
        """Power cut: every process of the host is gone at once, its disk stays."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.pid = 0
        if self.process is not None:
            self.process.wait(timeout=10)
            self.process = None
        subprocess.run([program("ip"), "link", "del", self.name], capture_output=True, check=False)


def _kind(cmdline: Path, comm: str) -> str:
    try:
        text = cmdline.read_bytes()
    except OSError:
        return comm
    return SENTINEL if b"sentinel" in text else comm
