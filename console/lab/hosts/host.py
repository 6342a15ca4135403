"""One host: a set of namespaces with a root, an address, sshd, redis-server and keepalived of its own."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path
from typing import IO

from console.lab.hosts import log_files, network
from console.lab.hosts.containment import Cage, enter_user_namespace, place_of
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

BUSY_PATIENCE = 10.0
"""Seconds that a file may be busy because it is being started."""
_SSH_TIMEOUT = 5.0


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
    interfaces: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Each interface with its addresses, `ADDRESS/PREFIX`; empty: eth2 with the host's address."""
    hostname: str = ""
    """What it calls itself; empty: its name."""
    cage: Cage | None = None
    """What its scripts may use; None: they are trusted."""
    data: str = "/data"
    """Where its second disk is, which the fault `fill` fills."""

    def run(
        self, command: str | list[str], *, stdin: str | None = None, timeout: float = 120, check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command (a list) or shell text on the host, as its root. Raises LabError if the host is off."""
        if not self.pid:
            raise LabError(f"{self.name} is switched off")
        words = ["/bin/sh", "-c", command] if isinstance(command, str) else command
        user = ["-U"] if self.cage else []
        enter = [program("nsenter"), "-t", str(self.pid), *user, "-m", "-u", "-i", "-n", "-p", "--"]
        enter += self.cage.limits if self.cage else []
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
        """Runs `service NAME ACTION`. Raises LabError if it failed, with what it wrote and the log of the server."""
        done = self.run(["service", name, action])
        if done.returncode != 0:
            written = (done.stderr or done.stdout).strip().replace("\n", "; ")
            log = self.log_tail(log_files.LOG_OF_PROCESS.get(name, ""))
            raise LabError(f"service {name} {action} on {self.name} failed: {written}", log)

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

    def commands(self) -> list[str]:
        """The command lines of its processes, as running reads them."""
        found = []
        for place in Path(f"/proc/{self.pid}/root/proc").glob("[0-9]*/cmdline") if self.pid else ():
            with suppress(OSError):
                found.append(place.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip())
        return found

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

    def answers_ssh(self) -> bool:
        """Whether its sshd answers: its process exists a moment earlier. Raises OSError if nobody accepts."""
        with socket.create_connection((self.address, 22), timeout=_SSH_TIMEOUT) as connection:
            return connection.recv(4) == b"SSH-"

    def read(self, path: str) -> str:
        """A file of the host; empty where there is none.

        Of a contained host that runs, the host itself reads it: its scripts may have made any link.
        """
        if self.cage and self.pid:
            return self.run(["cat", path]).stdout
        try:
            return (self.root / path.lstrip("/")).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Writes a file of the host. To a contained host that runs, the host itself writes it."""
        if self.cage and self.pid:
            self.run(f"cat >{shlex.quote(path)} && chmod {mode:o} {shlex.quote(path)}", stdin=text, check=True)
            return
        place = place_of(self.root, path) if self.cage else self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + BUSY_PATIENCE
        while True:
            try:
                place.write_text(text, encoding="utf-8")
            except OSError as error:  # a script that keepalived starts at this very moment cannot be written
                if error.errno != errno.ETXTBSY or time.monotonic() > until:
                    raise
                time.sleep(0.02)
            else:
                break
        place.chmod(mode)

    def log_tail(self, path: str, lines: int = 20) -> str:
        """The last lines of one of its logs, below a line that names the log. Empty where there is no such log."""
        text = self.read(path).rstrip()
        return "\n".join([f"--- {self.name}:{path}", *text.splitlines()[-lines:]]) if text else ""

    def logs(self, lines: int = 60) -> str:
        """The last lines of all its logs, for a failed test."""
        return "\n".join(tail for path in log_files.LOGS if (tail := self.log_tail(path, lines)))

    def switch_on(self, environment: Mapping[str, str] | None = None) -> None:
        """Starts its namespaces. `finish_start` waits until the host is ready.

        The thread that calls this must outlive the host: the kernel ends the host with it.
        """
        # As text: root of a contained host is somebody else, who need not be able to reach a file of this program.
        init = Path(__file__).with_name("host-init.sh").read_text(encoding="utf-8")
        namespaces = ["--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
        # Killed with whoever built the laboratory, however that ends.
        die_with_me = [] if self.lasting else [program("setpriv"), "--pdeathsig", "KILL"]
        user, holder = enter_user_namespace(self.cage) if self.cage else ([], None)
        limits = " ".join(self.cage.limits) if self.cage else ""
        addresses = [f"{name}={one}" for name, ones in self.cables for one in ones]
        self.process = subprocess.Popen(
            [*user, *die_with_me, program("unshare"), *namespaces, "/bin/sh", "-c", init, "host-init", str(self.root),
             self.hostname or self.name, "" if self.cage else self.servers, limits, *addresses],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=dict(environment or ENVIRONMENT), start_new_session=True, cwd="/",
        )  # fmt: skip
        self.pid = int(self._line() or 0)
        if holder is not None:
            holder.kill()
            holder.wait()
        self._plug_in()
        stdin = self._pipe(self.process.stdin)
        stdin.write("cable\n")
        stdin.close()

    @property
    def cables(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each interface with its addresses, the one that others reach it by first."""
        return self.interfaces or (("eth2", (f"{self.address}/{network.PREFIX}",)),)

    @property
    def ports(self) -> list[str]:
        """Its ports on the switch, in the order of its cables."""
        if not self.interfaces:
            return [self.name]
        return [f"p{int(IPv4Address(self.address)):08x}-{number}" for number in range(len(self.interfaces))]

    def _plug_in(self) -> None:
        ip = program("ip")
        for number, (port, (name, _)) in enumerate(zip(self.ports, self.cables, strict=True)):
            cable = ["name", name, "address", self._hardware_address(number), "netns", str(self.pid)]
            subprocess.run([ip, "link", "add", port, "type", "veth", "peer", *cable], check=True)
            subprocess.run([ip, "link", "set", port, "master", BRIDGE, "up"], check=True)

    def finish_start(self) -> None:
        """Waits until its init reports that it is ready. Raises LabError with what it wrote if it ends before."""
        if self._line() != "ready":
            raise LabError(f"{self.name} did not start")
        assert self.process is not None
        self._pipe(self.process.stdout).close()
        self._pipe(self.process.stderr).close()

    def _hardware_address(self, number: int) -> str:
        """The same after each start, as a real network card's: neighbours go on reaching it at once."""
        return ":".join(f"{part:02x}" for part in (2, number, *map(int, self.address.split("."))))

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
            self.process.wait(timeout=120)
            self.process = None
        for port in self.ports:
            subprocess.run([program("ip"), "link", "del", port], capture_output=True, check=False)


def _kind(cmdline: Path, comm: str) -> str:
    try:
        text = cmdline.read_bytes()
    except OSError:
        return comm
    return SENTINEL if b"sentinel" in text else comm
