"""A captured cluster in the laboratory: Redis first, then what moves clients, in the order of its kind."""

from __future__ import annotations

import re
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from console.core.drills.capture import Capture, CapturedHost, CapturedMachine
from console.core.drills.scenarios import DrillScenario, Where
from console.core.model import ClusterState, Role
from console.core.numbers import version_of
from console.core.quantities import counted
from console.documents.capture import read_capture
from console.documents.errors import DocumentError
from console.drill.clients import Login
from console.drill.rebuilt.certificates import operator_context
from console.drill.rebuilt.sentinels import master_of
from console.drill.rebuilt.services import service_name
from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.host import Host
from console.lab.options import LabError
from console.lab.servers.versions import INSTALLED_VERSION, VERSIONS, is_available

MOST_KEYS = 20_000
MOST_BYTES = 32 * 1024 * 1024
"""Of all made-up values together."""
_PATIENCE = 60.0
"""Seconds for the address to move, and for scripts to end."""
_QUIET = 1.5
"""Seconds without a script after which a cluster has settled."""
_BAD_LINE = re.compile(r">>> '(?P<line>[^\n]*)'")
_NOT_OF_A_VERSION = "No such master"
"""A line of sentinel.conf that no version takes: its master is named nowhere."""
_MOST_BAD_LINES = 30
_SYNC_DELAY = "repl-diskless-sync-delay"


@dataclass(frozen=True, slots=True)
class DataSize:
    """The made-up data of a rehearsal."""

    keys: int
    value_bytes: int


def load_capture(folder: str, digest: str) -> Capture:
    """A capture, read inside the room. Raises LabError where it cannot be used, or is another one than was described.

    `digest`: of what was described before the drill began.
    """
    try:
        capture = read_capture(Path(folder))
    except DocumentError as error:
        raise LabError(str(error)) from None
    if capture.digest != digest:
        raise LabError(f"{folder} has changed since it was described: nothing was built; begin again")
    return capture


def data_size(capture: Capture, keys: int | None) -> DataSize:
    """As many keys as were captured, of their mean size, bounded by what a laboratory can hold."""
    largest = max(capture.hosts, key=lambda host: host.redis.keys).redis
    number = min(largest.keys if keys is None else keys, MOST_KEYS if keys is None else keys)
    mean = largest.used_memory // largest.keys if largest.keys else 100
    return DataSize(number, max(1, min(mean, MOST_BYTES // max(number, 1))))


WITHOUT_TLS = ("6.2",)
"""Versions of the laboratory that are built without TLS."""


def nearest_version(version: str, *, tls: bool = False) -> str:
    """The version of Redis that this machine has and that is nearest to a captured one."""
    if not version:
        return INSTALLED_VERSION
    major, minor, *_ = (*version_of(version), 0, 0)

    def distance(one: str) -> tuple[float, str]:
        have = version_of(one)
        return abs(have[0] - major) + abs(have[1] - minor) / 100, one

    able = (one for one in VERSIONS if is_available(one) and not (tls and one in WITHOUT_TLS))
    return min(able, key=distance)


def versions_for(capture: Capture) -> dict[str, str]:
    """Machine → the version of Redis that it has in a rehearsal: that of its Redis, else of its Sentinel."""
    found = {one.machine: nearest_version(one.version, tls=one.tls) for one in capture.sentinels}
    return found | {one.name: nearest_version(one.redis.version, tls=one.redis.tls) for one in capture.hosts}


class Rehearsal(ABC):
    """A captured cluster that runs in the laboratory. Each kind has a class of its own."""

    def __init__(self, lab: Laboratory, capture: Capture, report: Callable[[str], None]) -> None:
        self.lab = lab
        self.capture = capture
        self.master = master_of(capture).name
        """By the roles before the fault."""
        self.dropped: list[str] = []
        """Lines of configuration files that the laboratory's version does not have, each in a sentence."""
        self._report = report
        self._endless: set[tuple[str, str]] = set()
        """Host and path of scripts that nobody waits for: they have run for as long as anybody is patient."""

    # --- bringing it up

    def start(self, size: DataSize) -> None:
        """Raises LabError, with the hosts' logs, if the cluster does not come up healthy."""
        master = self.capture.host(self.master)
        for host in self.capture.hosts:
            self._start_redis(host)
        if self._role(master) != "master":
            self._ask(master, "SLAVEOF", "NO", "ONE")
        self._login(master).fill(master.address, size.keys, size.value_bytes)
        delay = self._without_delay(master)
        for host in self.replicas:
            self._follow(host, master)
        self._wait(self._in_sync, "the replicas are in sync")
        if delay:
            self._ask(master, "CONFIG", "SET", _SYNC_DELAY, delay)
        self._report(f"{self.master} is the master with {counted(size.keys, 'made-up key')}; the others follow")
        self._start_the_rest(master)

    @abstractmethod
    def _start_the_rest(self, master: CapturedHost) -> None:
        """Starts what moves clients, in the documented order, and waits until all is well."""

    @property
    def replicas(self) -> tuple[CapturedHost, ...]:
        return tuple(host for host in self.capture.hosts if host.name != self.master)

    def _without_delay(self, master: CapturedHost) -> str:
        """Lets the first sync begin at once. The delay that it had; empty: this version or this user has none."""
        with suppress(LabError):
            delay = self._ask(master, "CONFIG", "GET", _SYNC_DELAY).partition("\n")[2]
            if delay:
                self._ask(master, "CONFIG", "SET", _SYNC_DELAY, "0")
            return delay
        return ""

    def _start_redis(self, captured: CapturedHost) -> None:
        self._start_server(captured, service_name(captured, "redis"), captured.redis.config)
        self._wait(lambda: self._ask(captured, "PING") == "PONG", f"Redis on {captured.name} answers")

    def _start_server(self, captured: CapturedMachine, service: str, path: str) -> None:
        """Starts a Redis or a Sentinel, without the lines of its file that its version does not have."""
        host = self.lab.host(captured.name)
        for _ in range(_MOST_BAD_LINES):
            try:
                host.service(service, "start")
                break
            except LabError as error:
                found = _BAD_LINE.search(str(error).replace("; ", "\n"))
                if found is None or _NOT_OF_A_VERSION in str(error):
                    raise
                self._drop_line(host, captured, path, found["line"])

    def _drop_line(self, host: Host, captured: CapturedMachine, path: str, line: str) -> None:
        """Puts a line that this version of Redis does not have into a comment."""
        text = host.read(path)
        changed = "".join(f"# {one}" if one.strip() == line.strip() else one for one in text.splitlines(keepends=True))
        if changed == text:
            raise LabError(f"Redis on {captured.name} does not start: it refuses {line!r}, which is not in {path}")
        file = captured.file(path)
        host.write(path, changed, file.mode if file else 0o640)
        self.dropped.append(
            f"{captured.name}: {path}: `{line.strip()}` is left out: the version of the rehearsal does not take it"
        )

    def _follow(self, host: CapturedHost, master: CapturedHost) -> None:
        self._ask(host, "SLAVEOF", master.address, str(master.redis.port))

    # --- what is seen of it

    def _login(self, host: CapturedHost) -> Login:
        return Login(host.redis, self._tls if host.redis.tls else None)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return operator_context(self.lab.folder)

    def _ask(self, host: CapturedHost, *words: str) -> str:
        return self._login(host).ask(host.address, *words)

    def _role(self, host: CapturedHost) -> str:
        return self._replication(host).get("role", "")

    def _replication(self, host: CapturedHost) -> dict[str, str]:
        lines = self._ask(host, "INFO", "replication").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def _in_sync(self) -> bool:
        return all(
            (seen := self._replication(host)).get("master_link_status") == "up"
            and seen.get("master_sync_in_progress") == "0"
            for host in self.replicas
        )

    def settle(self) -> None:
        """Waits until nothing moves by itself for a moment, but no longer than it is patient."""
        end = time.monotonic() + _PATIENCE
        quiet_since = time.monotonic()
        running: set[tuple[str, str]] = set()
        while time.monotonic() < end and time.monotonic() - quiet_since < _QUIET:
            running = {one for host in self.lab.hosts.values() for one in self._scripts_on(host)} - self._endless
            if running:
                quiet_since = time.monotonic()
            time.sleep(0.1)
        for host, path in sorted(running):
            self._report(f"{path} on {host} has not ended within {_PATIENCE:g} s: nobody waits for it any more")
        self._endless |= running

    def _scripts_on(self, host: Host) -> Iterator[tuple[str, str]]:
        """The scripts that move roles or addresses and run on a host. Checks come and go, and do not count."""
        if paths := self._moving_scripts(self.capture.machine(host.name)):
            commands = host.commands()
            yield from ((host.name, path) for path in paths if any(path in one for one in commands))

    @abstractmethod
    def _moving_scripts(self, machine: CapturedMachine) -> tuple[str, ...]:
        """The paths of the scripts by which the cluster moves roles and addresses."""

    def _wait(self, condition: Callable[[], object], what: str, patience: float = _PATIENCE) -> None:
        self.lab.wait(condition, patience, what)

    # --- its clients

    def login(self) -> Login:
        """How clients of the master log in."""
        return self._login(self.capture.host(self.master))

    def find_master(self) -> tuple[str, int]:
        """Where a client connects to now: address and port. Raises OSError where the name leads to nobody."""
        return self.lab.vip, self.capture.host(self.master).redis.port

    def serves(self, state: ClusterState) -> bool:
        """Whether clients reach a master."""
        reach = state.vip_reach.value
        return reach is not None and reach.role is Role.MASTER

    @property
    def longest_silence(self) -> float:
        """Seconds after which what fails over has noticed that the master is gone."""
        return 0.0

    # --- what happens to it

    def lasts(self, scenario: DrillScenario, seconds: float) -> float:
        """How long the fault lasts: what is down for less than anybody's patience would rehearse nothing."""
        return seconds if scenario.saves else seconds + self.longest_silence

    def targets(self, scenario: DrillScenario) -> tuple[str, ...]:
        """The machines that a fault hits."""
        if scenario.on is Where.REPLICA and self.replicas:
            return (self.replicas[0].name,)
        return (self.master,)

    def break_it(self, scenario: DrillScenario) -> None:
        """Injects the fault. Raises LabError."""
        for one in self.targets(scenario):
            self.lab.fault(scenario.fault, one, scenario.service or None)
            if scenario.saves:
                self._ask(self.capture.host(one), "BGSAVE")

    def mend(self, scenario: DrillScenario) -> None:
        """The opposite of the fault, which the scenario lets happen by itself."""
        service = scenario.service if scenario.mended_by != "heal" else ""
        for one in self.targets(scenario):
            self.lab.fault(scenario.mended_by, one, service or None)

    def to_start_by_hand(self, state: ClusterState, *, claimed: bool) -> list[tuple[str, str]]:
        """Machine and service of what an operator starts who reads the findings. `claimed`: a runbook is named."""
        del state, claimed
        return []

    def close(self) -> None:
        """Ends what it has opened: nothing, where a kind has nothing of its own."""
        return
