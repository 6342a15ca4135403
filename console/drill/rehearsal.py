"""A captured cluster in the laboratory, brought up as documented: Redis first, then keepalived of the master."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from console.core.drills.capture import Capture, CapturedHost
from console.core.drills.scenarios import DrillScenario
from console.core.numbers import version_of
from console.core.quantities import counted
from console.documents.capture import read_capture
from console.documents.errors import DocumentError
from console.drill import clients
from console.drill.hosts import service_name, system_of
from console.lab.assembly.assemble import assemble
from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.containment import MemoryGuard
from console.lab.hosts.host import Host
from console.lab.options import LabError, LabOptions
from console.lab.servers.versions import INSTALLED_VERSION, VERSIONS, is_available

MOST_KEYS = 20_000
MOST_BYTES = 32 * 1024 * 1024
"""Of all made-up values together."""
_PATIENCE = 60.0
"""Seconds for keepalived to move the address, and for its scripts to end."""
_QUIET = 1.5
"""Seconds without a script of keepalived after which it has settled."""
_BAD_LINE = re.compile(r">>> '(?P<line>[^\n]*)'")
_MOST_BAD_LINES = 30


@dataclass(frozen=True, slots=True)
class DataSize:
    """The made-up data of a rehearsal."""

    keys: int
    value_bytes: int


def load_capture(folder: str) -> Capture:
    """A capture, read inside the room. Raises LabError where it cannot be used."""
    try:
        return read_capture(Path(folder))
    except DocumentError as error:
        raise LabError(str(error)) from None


def data_size(capture: Capture, keys: int | None) -> DataSize:
    """As many keys as were captured, of their mean size, bounded by what a laboratory can hold."""
    largest = max(capture.hosts, key=lambda host: host.redis.keys).redis
    number = min(largest.keys if keys is None else keys, MOST_KEYS if keys is None else keys)
    mean = largest.used_memory // largest.keys if largest.keys else 100
    return DataSize(number, max(1, min(mean, MOST_BYTES // max(number, 1))))


def nearest_version(version: str) -> str:
    """The version of Redis that this machine has and that is nearest to a captured one."""
    if not version:
        return INSTALLED_VERSION
    major, minor, *_ = (*version_of(version), 0, 0)

    def distance(one: str) -> tuple[float, str]:
        have = version_of(one)
        return abs(have[0] - major) + abs(have[1] - minor) / 100, one

    return min(filter(is_available, VERSIONS), key=distance)


class Rehearsal:
    """A captured cluster that runs in the laboratory."""

    def __init__(self, lab: Laboratory, capture: Capture, report: Callable[[str], None]) -> None:
        self.lab = lab
        self.capture = capture
        self.master = _master(capture)
        """By the roles before the fault."""
        self.dropped: list[str] = []
        """Lines of redis.conf that the laboratory's version does not have."""
        self._report = report

    # --- bringing it up

    def start(self, size: DataSize) -> None:
        """Raises LabError, with the hosts' logs, if the cluster does not come up healthy."""
        master = self.capture.host(self.master)
        for host in self.capture.hosts:
            self._start_redis(host)
        clients.fill(master.redis, master.address, size.keys, size.value_bytes)
        for host in self.replicas:
            self._follow(host, master)
        self._wait(self._in_sync, "the replicas are in sync")
        self._report(f"{self.master} is the master with {counted(size.keys, 'made-up key')}; the others follow")
        self._start_keepalived(master)
        self._wait(lambda: self.lab.vip_holders() == [self.master], f"{self.master} holds {self.lab.vip}")
        self.settle()
        for host in self.replicas:
            self._start_keepalived(host)
        self.settle()
        self._end_wrong_roles(master)
        self._report(f"keepalived runs on all, {self.master} holds {self.lab.vip}")

    @property
    def replicas(self) -> tuple[CapturedHost, ...]:
        return tuple(host for host in self.capture.hosts if host.name != self.master)

    def _end_wrong_roles(self, master: CapturedHost) -> None:
        """Scripts may have changed roles while they began. Once, the documented roles are given back."""
        if not self._as_documented():
            self._report("keepalived's scripts changed the roles while they began: the documented ones are given back")
            clients.ask(master.redis, master.address, "SLAVEOF", "NO", "ONE")
            for host in self.replicas:
                self._follow(host, master)
            self.settle()
        self._wait(self._as_documented, "the roles are the documented ones, and the virtual IP is on the master")

    def _as_documented(self) -> bool:
        return (
            self._role(self.capture.host(self.master)) == "master"
            and self._in_sync()
            and (self.lab.vip_holders() == [self.master])
        )

    def _start_redis(self, captured: CapturedHost) -> None:
        host = self.lab.host(captured.name)
        for _ in range(_MOST_BAD_LINES):
            try:
                host.service(service_name(captured, "redis"), "start")
                break
            except LabError as error:
                found = _BAD_LINE.search(str(error).replace("; ", "\n"))
                if found is None:
                    raise
                self._drop_line(host, captured, found["line"])
        self._wait(lambda: clients.ask(captured.redis, captured.address, "PING") == "PONG",
                   f"Redis on {captured.name} answers")  # fmt: skip

    def _drop_line(self, host: Host, captured: CapturedHost, line: str) -> None:
        """Puts a line that this version of Redis does not have into a comment."""
        text = host.read(captured.redis.config)
        changed = "".join(f"# {one}" if one.strip() == line.strip() else one for one in text.splitlines(keepends=True))
        if changed == text:
            raise LabError(f"Redis on {captured.name} does not start: it refuses {line!r}, which is not in its file")
        file = captured.file(captured.redis.config)
        host.write(captured.redis.config, changed, file.mode if file else 0o640)
        self.dropped.append(f"{captured.name}: {captured.redis.config}: {line.strip()}")

    def _start_keepalived(self, captured: CapturedHost) -> None:
        self.lab.host(captured.name).service(service_name(captured, "keepalived"), "start")

    def _follow(self, host: CapturedHost, master: CapturedHost) -> None:
        clients.ask(host.redis, host.address, "SLAVEOF", master.address, str(master.redis.port))

    # --- what is seen of it

    def _role(self, host: CapturedHost) -> str:
        return self._replication(host).get("role", "")

    def _replication(self, host: CapturedHost) -> dict[str, str]:
        lines = clients.ask(host.redis, host.address, "INFO", "replication").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def _in_sync(self) -> bool:
        return all(
            (seen := self._replication(host)).get("master_link_status") == "up"
            and seen.get("master_sync_in_progress") == "0"
            for host in self.replicas
        )

    def settle(self) -> None:
        """Waits until no script of keepalived has run for a moment, but no longer than it is patient."""
        end = time.monotonic() + _PATIENCE
        quiet_since = time.monotonic()
        while time.monotonic() < end and time.monotonic() - quiet_since < _QUIET:
            if any(self._scripts_run(host) for host in self.lab.hosts.values()):
                quiet_since = time.monotonic()
            time.sleep(0.1)

    def _scripts_run(self, host: Host) -> bool:
        """Whether a notify script runs. Checks come and go, and do not count."""
        paths = [file.path for file in self.capture.host(host.name).files
                 if file.path.rpartition("/")[2] and "notify" in self._why(host.name, file.path)]  # fmt: skip
        if not host.pid or not paths:
            return False
        listed = host.run("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '").stdout
        return any(path in listed for path in paths)

    def _why(self, name: str, path: str) -> str:
        """The keywords of keepalived.conf by which a script is called."""
        conf = self.capture.host(name).file(self.capture.host(name).keepalived_config)
        lines = [line.split() for line in (conf.text if conf else "").splitlines() if path in line]
        return " ".join(words[0] for words in lines if words)

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        self.lab.wait(condition, _PATIENCE, what)

    # --- what happens to it

    def target(self, scenario: DrillScenario) -> str:
        """The host that a fault hits."""
        return self.master if scenario.on == "master" or not self.replicas else self.replicas[0].name

    def break_it(self, scenario: DrillScenario) -> None:
        """Injects the fault. Raises LabError."""
        self.lab.fault(scenario.fault, self.target(scenario), scenario.service or None)

    def mend(self, scenario: DrillScenario) -> None:
        """The opposite of the fault, which the scenario lets happen by itself."""
        service = scenario.service if scenario.mended_by != "heal" else ""
        self.lab.fault(scenario.mended_by, self.target(scenario), service or None)


@contextmanager
def rehearsal(capture: Capture, keys: int | None, report: Callable[[str], None]) -> Iterator[Rehearsal]:
    """A healthy cluster in the laboratory, gone when the block ends. Raises LabError."""
    size = data_size(capture, keys)
    versions = {host.name: nearest_version(host.redis.version) for host in capture.hosts}
    options = LabOptions(redis_of=versions, disk="128m")
    lab = assemble(system_of(capture), options, report, "drill")
    guards = [MemoryGuard(lambda host=host: host.pid, host.cage) for host in lab.hosts.values() if host.cage]  # type: ignore[misc]
    for guard in guards:
        guard.start()
    try:
        running = Rehearsal(lab, capture, report)
        running.start(size)
        yield running
    finally:
        for guard in guards:
            guard.stop()
        lab.close()


def _master(capture: Capture) -> str:
    """The captured master; where there is none or several, the first host."""
    masters = [host.name for host in capture.hosts if host.redis.role == "master"]
    return masters[0] if masters else capture.hosts[0].name
