"""A running laboratory: the hosts of one system, made of namespaces."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from console.lab.hosts import faults, log_files
from console.lab.hosts.host import Host
from console.lab.hosts.namespaces import program
from console.lab.hosts.network import BRIDGE
from console.lab.options import LabError, LabOptions
from console.lab.systems.system import CLUSTER, System

STATE_VARIABLE = "REDIS_HA_LABORATORY"
"""Names the state file of the running laboratory to the commands inside it."""
INVENTORY_VARIABLE = "REDIS_HA_INVENTORY"
INVENTORY, STATE = "inventory.yaml", "laboratory.json"
"""Files in the folder of a laboratory."""
DRILL = "drill"
"""In the place of a scenario: the laboratory is a drill's."""
PATIENCE = 600.0
"""Seconds after which a scenario gives up a step. On an idle machine the longest step takes a tenth of that."""
_TICK = 0.02
_LONGEST_TICK = 0.1
_PART_OF_WAIT = 0.1
"""Who has waited long looks less often: each look costs, and comes late by a tenth of the time waited at most."""
_CHECK_SERVER = 0.5
"""Seconds between two looks at whether the server that a step depends on still runs."""
_GONE = 2.0
"""Seconds without its process after which a server has ended. A daemon has no process for a moment while it starts."""


@dataclass(frozen=True, slots=True)
class _Result:
    """Whether a condition held. `reason`: the error that kept it from being known, in parentheses."""

    holds: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.holds


def _holds(condition: Callable[[], object]) -> _Result:
    try:
        return _Result(bool(condition()))
    except (OSError, LabError, ValueError) as error:
        return _Result(holds=False, reason=f" ({error})")


def _sleep(began: float) -> None:
    """Until the next look, by one who has waited since `began` (monotonic)."""
    waited = time.monotonic() - began
    time.sleep(min(max(_TICK, waited * _PART_OF_WAIT), _LONGEST_TICK))


def _has_ended(host: Host, process: str) -> bool:
    end = time.monotonic() + _GONE
    while not host.running(process):
        if time.monotonic() > end:
            return True
        time.sleep(_TICK)
    return False


def lab_environment(folder: Path) -> dict[str, str]:
    """What a command inside needs to find the laboratory with this folder."""
    return {INVENTORY_VARIABLE: str(folder / INVENTORY), STATE_VARIABLE: str(folder / STATE)}


class Laboratory:
    """A running system. Its hosts are reachable from this process's network, and from nowhere else."""

    cluster = CLUSTER

    def __init__(
        self, folder: Path, hosts: Mapping[str, Host], options: LabOptions, system: System, scenario: str = ""
    ) -> None:
        self.scenario = scenario
        self.system = system
        self.vip = system.vip
        self.folder = folder
        self.hosts = dict(hosts)
        self.options = options
        self.inventory = folder / INVENTORY
        self.state_file = folder / STATE
        self.also: dict[str, str] = {}
        """Variables that commands in it get beside those that lead to it."""

    def host(self, name: str) -> Host:
        """The host of this name. Raises LabError where there is none."""
        if name not in self.hosts:
            raise LabError(f"the laboratory has no host {name}: there are {', '.join(self.hosts)}")
        return self.hosts[name]

    @property
    def environment(self) -> dict[str, str]:
        """What a command inside needs to find the pair."""
        return lab_environment(self.folder) | self.also

    def vip_holders(self) -> list[str]:
        """The hosts whose kernels hold the VIP."""
        return [host.name for host in self.hosts.values() if host.has_address(self.vip)]

    def fault(self, kind: str, host: str, service: str | None = None) -> None:
        """Breaks or mends something, as `lab fault` does."""
        faults.apply(kind, self.host(host), service)
        self.save()

    def wait(self, condition: Callable[[], object], deadline: float, what: str = "") -> None:
        """Waits until the condition holds. Raises LabError with the logs of all hosts after `deadline` seconds.

        A condition that raises OSError or LabError does not hold yet: servers come and go in the meantime.
        """
        began = time.monotonic()
        while not (result := _holds(condition)):
            if time.monotonic() > began + deadline:
                raise LabError(f"not within {deadline:g} s: {what or 'the condition'}{result.reason}", self.logs())
            _sleep(began)

    def wait_for(self, condition: Callable[[], object], what: str, host: Host | None = None, process: str = "") -> None:
        """Waits for a step of a scenario. `host`, `process`: the server that the step depends on.

        A slow machine is no error. Raises LabError with the log of that server when the server has ended, or after
        `PATIENCE` seconds.
        """
        began = time.monotonic()
        next_check = began + _CHECK_SERVER
        while not (result := _holds(condition)):
            now = time.monotonic()
            check, next_check = (True, now + _CHECK_SERVER) if now >= next_check else (False, next_check)
            if check and host is not None and _has_ended(host, process):
                problem = f"{process} on {host.name} ended before this was true: {what}"
            elif now > began + PATIENCE:
                problem = f"not within {PATIENCE:g} s: {what}"
            else:
                _sleep(began)
                continue
            log = self.logs() if host is None else host.log_tail(log_files.LOG_OF_PROCESS[process])
            raise LabError(f"{problem}{result.reason}", log)

    def logs(self) -> str:
        """The last lines of all logs of all hosts."""
        return "\n".join(host.logs() for host in self.hosts.values())

    def save(self) -> None:
        """Writes what the commands inside need to find the hosts."""
        state = {name: {"address": host.address, "root": str(host.root), "pid": host.pid, "servers": host.servers}
                 for name, host in self.hosts.items()}  # fmt: skip
        known = {"scenario": self.scenario, "hosts": state, "password": self.options.password, "also": self.also}
        self.state_file.write_text(json.dumps(known), encoding="utf-8")
        self.state_file.chmod(0o600)

    def _learn(self) -> None:
        """Reads the PIDs of the hosts anew: a command in the laboratory may have switched hosts off and on."""
        try:
            state = json.loads(self.state_file.read_text(encoding="utf-8"))["hosts"]
        except (OSError, ValueError):
            return
        for name, host in self.hosts.items():
            host.pid = state[name]["pid"]

    def close(self) -> None:
        """Ends every process of every host and removes every file."""
        self._learn()
        try:
            for host in self.hosts.values():
                host.switch_off()
        finally:
            for place in _mounted_beneath(self.folder):
                subprocess.run([program("umount"), "-l", place], capture_output=True, check=False)
            subprocess.run([program("ip"), "link", "del", BRIDGE], capture_output=True, check=False)
            shutil.rmtree(self.folder, ignore_errors=True)


def _mounted_beneath(folder: Path) -> list[str]:
    """The mounts in this folder, the innermost first. They must be gone before the folder is removed."""
    lines = Path("/proc/thread-self/mountinfo").read_text(encoding="utf-8").splitlines()
    places = [line.split(" ")[4] for line in lines]
    return sorted((one for one in places if one.startswith(f"{folder}/")), key=len, reverse=True)
