"""One laboratory host that is made odd, one case after the other: an sshd of its own on another port, another user."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from console.core.inventory import NodeSpec
from console.core.model import HostIdentity, Problem
from console.documents.inventories.inventory import load_inventory
from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.base_files import SSHD_CONFIG
from console.transport.clock import SystemClock
from console.transport.ssh.host_inspector import HostInspector
from console.transport.ssh.shells.request import RedisFiles

PATIENCE = 30.0
_COMMON = SSHD_CONFIG.split("\n", 1)[1]  # all but the port


@dataclass(frozen=True)
class Seen:
    """What an operator sees of the host: who it is, or the problem."""

    identity: HostIdentity | None
    problem: Problem | None
    readings: Any
    seconds: float

    @property
    def line(self) -> str:
        assert self.problem is not None, self.identity
        return str(self.problem)


class OddHost:
    """redis-a of a laboratory in which nothing but sshd runs."""

    def __init__(self, lab: Laboratory) -> None:
        self.lab = lab
        self.host = lab.host("redis-a")
        self.node: NodeSpec = load_inventory(lab.inventory).clusters[0].nodes[0]
        self.key = (lab.folder / "id_ed25519.pub").read_text()
        self._port = 2200
        self._uid = 2000

    # --- what makes it odd

    def sshd(self, settings: str = "") -> int:
        """Starts one more sshd, with these settings before the usual ones. The port."""
        self._port += 1
        config = f"/etc/ssh/odd-{self._port}"
        text = f"Port {self._port}\nPidFile /run/odd-{self._port}.pid\n"
        changed = {"PidFile", *(line.split(" ")[0] for line in settings.splitlines())}
        usual = [line for line in _COMMON.splitlines() if line.split(" ")[0] not in changed]
        # A Match block goes to the end: it lasts to the end of the file.
        plain, match, block = settings.partition("Match ")
        self.host.write(config, "\n".join([text, plain, *usual, match + block, ""]))
        done = self.host.run(f"/usr/sbin/sshd -f {config} -E /var/log/auth.log")
        assert done.returncode == 0, done.stderr + self.host.log_tail("/var/log/auth.log")
        self.lab.wait(lambda: self._answers(self._port), PATIENCE, f"sshd answers on port {self._port}")
        return self._port

    def _answers(self, port: int) -> bool:
        with socket.create_connection((self.host.address, port), timeout=5) as connection:
            return connection.recv(4) == b"SSH-"

    def user(self, shell: str = "/bin/bash", /, keys: str = "", **files: str) -> str:
        """A new user with this login shell. `files`: name in the home folder, with __ for / and _dot_ for a dot."""
        self._uid += 1
        name = f"ops{self._uid}"
        for file, line in (("/etc/passwd", f"{name}:x:{self._uid}:{self._uid}::/home/{name}:{shell}\n"),
                           ("/etc/group", f"{name}:x:{self._uid}:\n"),
                           ("/etc/shadow", f"{name}:*:19000:0:99999:7:::\n")):  # fmt: skip
            self.host.write(file, self.host.read(file) + line, 0o600 if "shadow" in file else 0o644)
        home = f"/home/{name}"
        self.host.write(f"{home}/.ssh/authorized_keys", keys or self.key, 0o600)
        for file, text in files.items():
            self.host.write(f"{home}/{file.replace('__', '/').replace('_dot_', '.')}", text)
        self.host.run(f"chown -R {name}:{name} {home} && chmod 700 {home} {home}/.ssh", check=True)
        return name

    # --- what an operator sees

    def spec(self, **ssh: Any) -> NodeSpec:
        known = f"{self.lab.folder}/known_hosts"
        chosen: dict[str, Any] = {"known_hosts": known, "config_file": "/dev/null"} | ssh
        return replace(self.node, ssh=replace(self.node.ssh, **chosen))

    def look(self, meanwhile: Callable[[HostInspector], None] | None = None, **ssh: Any) -> Seen:
        """One look at the host, as `status` makes it. The keywords are those of SshSpec."""
        clock = SystemClock()
        inspector = HostInspector(
            self.spec(**ssh), self.lab.vip, clock.now, threading.Semaphore(1), lambda: RedisFiles("", "")
        )
        began = time.monotonic()
        try:
            inspector.start_connecting(force=True)
            if meanwhile is not None:
                meanwhile(inspector)
            opened = inspector.finish_connecting(began + PATIENCE)
            assert opened or inspector.readings.identity.problem is not None
            seconds = time.monotonic() - began
            if opened:  # the second reading goes another way than the first
                inspector.ask(full=True)
                inspector.receive(time.monotonic() + PATIENCE)
            readings = inspector.readings
            return Seen(readings.identity.value, readings.identity.problem, readings, seconds)
        finally:
            inspector.close()
