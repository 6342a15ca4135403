"""N nodes on one machine: one network namespace, an address of 127.0.0.0/8 for each node, one sshd, one Redis.

    python benchmarks/rig.py 200 -- COMMAND…

The command finds the inventory in $REDIS_HA_INVENTORY. Each login gets a PID namespace of its own, so that a node does
not see the processes of the others: a machine has its own, and the probes read them all. Nothing outlives the command.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.lab.hosts.keys import make_key
from console.lab.hosts.namespaces import command_in_namespaces, program, require_isolated_network
from console.lab.options import LabError, LabOptions
from console.lab.scenarios.catalogue import find_scenario
from console.lab.systems.keepalived_pair import keepalived_conf

MOST = 1000
"""Nodes. Each has its own address, but one sshd and one Redis answer for all."""
_INSIDE = "REDIS_HA_RIG_ROOM"
_SSHD = """\
ListenAddress 0.0.0.0
Port 22
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/key.pub
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
MaxStartups 4000
LogLevel ERROR
ForceCommand exec {unshare} --pid --fork --kill-child --mount-proc /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""
_REDIS = """\
bind 0.0.0.0
port 6379
protected-mode no
save ""
dir {folder}
logfile {folder}/redis.log
tcp-backlog 4096
maxclients 9000
"""
_ACCOUNTS = """\
root:x:0:0:root:{folder}:/bin/sh
sshd:x:102:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
"""No start files of this machine's own root: they would run at each login."""
_CLUSTER = """\
  - name: pair-{number:03d}
    kind: keepalived
    vip: {vip}
    nodes:
"""
_NODE = """\
      - name: node-{number:04d}
        address: {address}
        redis: {{dir: {folder}}}
        keepalived: {{config: {folder}/keepalived.conf, instance: VI_123}}
"""


@dataclass(frozen=True, slots=True)
class Rig:
    """The running servers, and the operator's files for them."""

    folder: Path
    addresses: tuple[str, ...]

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory.yaml"

    @property
    def ssh_config(self) -> Path:
        return self.folder / "ssh_config"

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def environment(self) -> dict[str, str]:
        """For a command that looks at the rig. Its caches and its runs are the rig's own."""
        own = {f"XDG_{name}_HOME": str(self.folder / name.lower()) for name in ("CACHE", "DATA", "STATE")}
        return {"REDIS_HA_INVENTORY": str(self.inventory), **own}


@contextlib.contextmanager
def rig(nodes: int) -> Iterator[Rig]:
    """Servers for so many nodes (an even number), gone when the block ends. Raises LabError.

    The network of this process must lead nowhere (`console.lab.hosts.namespaces`).
    """
    require_isolated_network()
    if not 0 < nodes <= MOST or nodes % 2:
        raise LabError(f"a rig has an even number of nodes, at most {MOST}")
    subprocess.run([program("ip"), "link", "set", "lo", "up"], check=True)
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rig-") as name:
        made = Rig(Path(name), tuple(_address(20, number) for number in range(nodes)))
        _write_files(made)
        commands = (
            [program("sshd"), "-D", "-E", str(made.folder / "sshd.log"), "-f", str(made.folder / "sshd_config")],
            [program("redis-server"), str(made.folder / "redis.conf")],
        )
        with contextlib.ExitStack() as stack:
            stack.enter_context(_mounted(made.folder / "passwd", Path("/etc/passwd")))
            for command in commands:
                stack.enter_context(_running(command, made.folder))
            for port in (22, 6379):
                _wait_for(made.addresses[-1], port, made.folder)
            yield made


@contextlib.contextmanager
def _mounted(file: Path, over: Path) -> Iterator[None]:
    subprocess.run([program("mount"), "--bind", str(file), str(over)], check=True)
    try:
        yield
    finally:
        subprocess.run([program("umount"), "--lazy", str(over)], check=True)


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many endless loops beside the block, each a process of its own."""
    with contextlib.ExitStack() as stack:
        for _ in range(loops):
            stack.enter_context(_running(["/bin/sh", "-c", "while :; do :; done"], Path("/")))
        yield


def _address(network: int, number: int) -> str:
    return f"127.{network}.{number // 250}.{number % 250 + 1}"


def _write_files(made: Rig) -> None:
    folder = made.folder
    make_key(folder / "key", "operator")
    make_key(folder / "host_key", "rig")
    host_key = " ".join((folder / "host_key.pub").read_text(encoding="ascii").split()[:2])
    (folder / "known_hosts").write_text("".join(f"{one} {host_key}\n" for one in made.addresses), encoding="ascii")
    (folder / "ssh_config").write_text(
        f"Host *\n  User root\n  IdentityFile {made.key}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {made.known_hosts}\n  BatchMode yes\n",
        encoding="ascii",
    )
    (folder / "sshd_config").write_text(_SSHD.format(folder=folder, unshare=program("unshare")), encoding="ascii")
    (folder / "passwd").write_text(_ACCOUNTS.format(folder=folder), encoding="ascii")
    (folder / "redis.conf").write_text(_REDIS.format(folder=folder), encoding="ascii")
    first = next(iter(find_scenario("healthy").system.addresses))
    (folder / "keepalived.conf").write_text(keepalived_conf(first, LabOptions()), encoding="ascii")
    (folder / "inventory.yaml").write_text(_inventory(made), encoding="ascii")


def _inventory(made: Rig) -> str:
    folder = made.folder
    text = (
        f"version: 1\ndefaults:\n  ssh: {{user: root, identity_file: {made.key}, known_hosts: {made.known_hosts}, "
        f"config_file: {made.ssh_config}}}\nclusters:\n"
    )
    for number, address in enumerate(made.addresses):
        if number % 2 == 0:
            text += _CLUSTER.format(number=number // 2, vip=_address(30, number // 2))
        text += _NODE.format(number=number, address=address, folder=folder)
    return text


@contextlib.contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [program("setpriv"), "--pdeathsig", "KILL", *command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _wait_for(address: str, port: int, folder: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection((address, port), timeout=5).close()
        except OSError as error:
            if time.monotonic() > until:
                log = folder / "redis.log"
                said = log.read_text(encoding="utf-8")[-500:] if log.exists() else ""
                raise LabError(f"the rig does not answer at {address}:{port}: {error}", said) from None
            time.sleep(0.05)
        else:
            return


def in_a_room(main: Callable[[], int]) -> int:
    """Runs this program in a network of its own, where a rig can be started. Returns its exit code."""
    if _INSIDE in os.environ:
        return main()
    return subprocess.call(command_in_namespaces([sys.executable, *sys.argv]), env=os.environ | {_INSIDE: "1"})


def main() -> int:
    count, _, *command = sys.argv[1:]
    with rig(int(count)) as made:
        return subprocess.call(
            [shutil.which(command[0]) or command[0], *command[1:]], env=os.environ | made.environment
        )


if __name__ == "__main__":
    sys.exit(in_a_room(main))
