"""The laboratory: the hosts of a documented system, made of namespaces, built in one of its scenarios."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from console.lab import faults, files, registry
from console.lab.host import BRIDGE, Host, make_key
from console.lab.layout import CLUSTER, Layout
from console.lab.namespaces import ROOM, check_programs, program, require_closed_network
from console.lab.options import LabError, LabOptions
from console.lab.servers import server

STATE_VARIABLE = "REDIS_HA_LABORATORY"
"""Names the state file of the running laboratory to the commands inside it."""
INVENTORY_VARIABLE = "REDIS_HA_INVENTORY"
_TICK = 0.02


class Laboratory:
    """A running system. Its hosts are reachable from this process's network, and from nowhere else."""

    cluster = CLUSTER

    def __init__(
        self, folder: Path, hosts: Mapping[str, Host], options: LabOptions, layout: Layout, scenario: str = ""
    ) -> None:
        self.scenario = scenario
        self.layout = layout
        self.vip = layout.vip
        self.folder = folder
        self.hosts = dict(hosts)
        self.options = options
        self.inventory = folder / "inventory.yaml"
        self.state_file = folder / "laboratory.json"

    def host(self, name: str) -> Host:
        """The host of this name. Raises LabError where there is none."""
        if name not in self.hosts:
            raise LabError(f"the laboratory has no host {name}: there are {', '.join(self.hosts)}")
        return self.hosts[name]

    @property
    def environment(self) -> dict[str, str]:
        """What a command inside needs to find the pair."""
        return {INVENTORY_VARIABLE: str(self.inventory), STATE_VARIABLE: str(self.state_file)}

    def vip_holders(self) -> list[str]:
        """The hosts whose kernels hold the VIP."""
        return [host.name for host in self.hosts.values() if host.has_address(self.vip)]

    def fault(self, kind: str, host: str, service: str | None = None) -> None:
        """Breaks or mends something, as `lab fault` does."""
        faults.apply(kind, self.host(host), service)
        self.save()

    def wait(self, condition: Callable[[], object], deadline: float, what: str = "") -> None:
        """Waits until the condition holds. Raises LabError with the hosts' logs after `deadline` seconds.

        A condition that raises OSError or LabError does not hold yet: servers come and go while one waits.
        """
        end = time.monotonic() + deadline
        reason = ""
        while True:
            try:
                if condition():
                    return
            except (OSError, LabError, ValueError) as error:
                reason = f" ({error})"
            if time.monotonic() > end:
                raise LabError(f"not within {deadline:g} s: {what or 'the condition'}{reason}\n{self.logs()}")
            time.sleep(_TICK)

    def logs(self) -> str:
        """The ends of all logs of all hosts."""
        return "\n".join(host.logs() for host in self.hosts.values())

    def save(self) -> None:
        """Writes what the commands inside need to find the hosts."""
        state = {name: {"address": host.address, "root": str(host.root), "pid": host.pid, "servers": host.servers}
                 for name, host in self.hosts.items()}  # fmt: skip
        known = {"scenario": self.scenario, "hosts": state, "password": self.options.password}
        self.state_file.write_text(json.dumps(known), encoding="utf-8")
        self.state_file.chmod(0o600)

    def _learn(self) -> None:
        """A command in the laboratory may have switched hosts off and on: their inits are others then."""
        try:
            state = json.loads(self.state_file.read_text(encoding="utf-8"))["hosts"]
        except (OSError, ValueError):
            return
        for name, host in self.hosts.items():
            host.pid = state[name]["pid"]

    def close(self) -> None:
        """Ends every process of every host and removes every file."""
        self._learn()
        for host in self.hosts.values():
            host.switch_off()
        for place in _mounted_beneath(self.folder):
            subprocess.run([program("umount"), "-l", place], capture_output=True, check=False)
        subprocess.run([program("ip"), "link", "del", BRIDGE], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def _mounted_beneath(folder: Path) -> list[str]:
    """What is mounted in there, the innermost first: what is not a copy must be gone before the folder is removed."""
    lines = Path("/proc/thread-self/mountinfo").read_text(encoding="utf-8").splitlines()
    places = [line.split(" ")[4] for line in lines]
    return sorted((one for one in places if one.startswith(f"{folder}/")), key=len, reverse=True)


def attach(state_file: str) -> Laboratory:
    """The laboratory that this process runs inside, from its state file. Raises LabError where it is gone."""
    path = Path(state_file)
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabError(f"{state_file}: no laboratory is running there ({error})") from None
    hosts = {
        name: Host(name=name, address=known["address"], root=Path(known["root"]), password=state["password"],
                   servers=known["servers"], pid=known["pid"], lasting=True)
        for name, known in state["hosts"].items()
    }  # fmt: skip
    layout = registry.named(state["scenario"]).layout
    return Laboratory(path.parent, hosts, LabOptions(password=state["password"]), layout, state["scenario"])


@contextmanager
def laboratory(
    scenario: str, options: LabOptions | None = None, tell: Callable[[str], None] | None = None
) -> Iterator[Laboratory]:
    """A laboratory in this scenario, gone when the block ends. `tell` hears of the progress, line by line.

    The process must stand in a room of its own (`console.lab.namespaces`). Raises LabError.
    """
    wanted = registry.named(scenario)
    tell = tell or (lambda _: None)
    lab = assemble(wanted.layout, options or LabOptions(), tell, scenario)
    try:
        wanted.build(lab, tell)
        for host in lab.hosts.values():
            wanted.layout.after_build(host, lab.options)
        lab.save()
        yield lab
    finally:
        lab.close()


def assemble(layout: Layout, options: LabOptions, tell: Callable[[str], None], scenario: str) -> Laboratory:
    """The hosts of a system on a bridge, sshd running, nothing else started."""
    check_programs()
    require_closed_network()
    options = layout.options(options)
    if not ROOM.is_dir():
        raise LabError("this process has no room for a laboratory: use `redis-ha-console lab run`")
    folder = Path(tempfile.mkdtemp(prefix="pair-", dir=ROOM))
    hosts = {}
    for name, address in layout.addresses.items():
        servers = server(options.version_for(name)).folder
        hosts[name] = Host(name, address, folder / "hosts" / name, options.password, servers)
    lab = Laboratory(folder, hosts, options, layout, scenario)
    try:
        _build_network(layout)
        make_key(folder / "id_ed25519", "operator@laboratory")
        public = (folder / "id_ed25519.pub").read_text(encoding="ascii")
        for host in hosts.values():
            host.furnish(options.disk, layout.addresses, public)
            layout.furnish(host, options, server(options.version_for(host.name)))
            host.switch_on()
        for host in hosts.values():
            host.finish_start()
        _write_operator_files(lab)
        lab.wait(lambda: all(host.running("sshd") for host in hosts.values()), 10, "sshd runs")
    except BaseException as error:
        lab.close()
        if isinstance(error, subprocess.CalledProcessError):
            raise LabError(f"{' '.join(map(str, error.cmd))} failed: exit code {error.returncode}") from error
        raise
    tell(f"{layout.words} with sshd: " + ", ".join(f"{name} {host.address}" for name, host in hosts.items()))
    return lab


def _build_network(layout: Layout) -> None:
    ip = program("ip")
    subprocess.run([ip, "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0"], check=True)
    for address in (f"{files.OPERATOR}/{files.PREFIX}", *layout.operator):
        subprocess.run([ip, "address", "add", address, "dev", BRIDGE], check=True)
    subprocess.run([ip, "link", "set", BRIDGE, "up"], check=True)


def _write_operator_files(lab: Laboratory) -> None:
    keys = ""
    for host in lab.hosts.values():
        kind, key = host.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
        keys += f"{host.address} {kind} {key}\n"
    (lab.folder / "known_hosts").write_text(keys, encoding="ascii")
    (lab.folder / "ssh_config").write_text(files.ssh_config(str(lab.folder), lab.layout.addresses), encoding="utf-8")
    lab.inventory.write_text(lab.layout.inventory(str(lab.folder), lab.options), encoding="utf-8")
    if lab.options.password:
        password = lab.folder / "redis-password"
        password.touch(mode=0o600)
        password.write_text(lab.options.password + "\n", encoding="utf-8")
    lab.save()


def run_inside(lab: Laboratory, command: list[str]) -> int:
    """Runs a command of the operator's in the laboratory and returns its exit code."""
    environment = os.environ | lab.environment
    try:
        code = subprocess.call(command, env=environment)
    except FileNotFoundError:
        sys.stderr.write(f"{command[0]}: no such program\n")
        return 127
    except PermissionError:
        sys.stderr.write(f"{command[0]}: cannot be run\n")
        return 126
    return code if code >= 0 else 128 - code
