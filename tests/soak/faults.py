"""What goes wrong during a run, on real servers. Each fault ends by itself, and what it broke stays broken.

All of it is done in the main thread: a host ends with the thread that gave it its power.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from soak.ground import Ground
from soak.kinds import Kind

from console.lab.options import LabError

CONSOLE_DIES = "console killed"
"""It is no fault of a host: who plays the run does it."""


@dataclass(frozen=True)
class Fault:
    """Something that can be done to a host."""

    hosts: Callable[[Kind], Sequence[str]]
    begin: Callable[[Ground, str], object]
    end: Callable[[Ground, str], object] = lambda ground, host: None


@dataclass(frozen=True)
class Planned:
    """A fault, and when it comes."""

    kind: str
    host: str
    entries: int
    """It comes as soon as the journal of the run has so many entries,"""
    delay: float
    """and so many seconds later."""
    seconds: float


def _fault(kind: str, service: str | None = None) -> Callable[[Ground, str], object]:
    return lambda ground, host: ground.lab.fault(kind, host, service)


def kill_redis(ground: Ground, host: str) -> None:
    ground.lab.fault("kill", host, "redis")
    ground.died(host, "its Redis was killed")


def power_cut(ground: Ground, host: str) -> None:
    ground.lab.fault("kill", host)


def power_back(ground: Ground, host: str) -> None:
    ground.lab.fault("start", host)
    if host in ground.kind.nodes:
        ground.died(host, "its host lost its power")


def _restart(service: str) -> Callable[[Ground, str], object]:
    def start(ground: Ground, host: str) -> None:
        if not ground.runs(host, service):
            ground.host(host).service(service, "start")

    return start


def _nodes(kind: Kind) -> Sequence[str]:
    return kind.nodes


def _all_hosts(kind: Kind) -> Sequence[str]:
    return tuple(dict.fromkeys((*kind.nodes, *kind.sentinels.values(), *kind.directors)))


def _sentinels(kind: Kind) -> Sequence[str]:
    return tuple(kind.sentinels.values())


def _consul(kind: Kind) -> Sequence[str]:
    return (kind.consul,) if kind.consul else ()


def _keepalived(kind: Kind) -> Sequence[str]:
    return kind.keepalived


FAULTS: dict[str, Fault] = {
    "Redis killed": Fault(_nodes, kill_redis),
    "Redis killed, started by a supervisor": Fault(_nodes, kill_redis, _restart("redis-server")),
    "Redis stands still": Fault(_nodes, _fault("freeze", "redis"), _fault("thaw", "redis")),
    "keepalived killed": Fault(_keepalived, _fault("kill", "keepalived")),
    "keepalived restarted": Fault(_keepalived, _fault("stop", "keepalived"), _restart("keepalived")),
    "Sentinel killed": Fault(_sentinels, _fault("kill", "sentinel")),
    "Sentinel stands still": Fault(_sentinels, _fault("freeze", "sentinel"), _fault("thaw", "sentinel")),
    "Consul killed": Fault(_consul, _fault("kill", "consul"), _restart("consul")),
    "host reboots": Fault(_nodes, power_cut, power_back),
    "no cable": Fault(_all_hosts, _fault("cut"), _fault("heal")),
    "parted": Fault(_all_hosts, _fault("isolate"), _fault("heal")),
    "a bad line": Fault(_nodes, _fault("slow"), _fault("heal")),
    "disk full": Fault(_nodes, _fault("fill"), _fault("heal")),
    "clock an hour ahead": Fault(_nodes, _fault("clock"), _fault("heal")),
    "sshd killed": Fault(_nodes, _fault("kill", "sshd"), _fault("start", "sshd")),
    "sshd stands still": Fault(_nodes, _fault("freeze", "sshd"), _fault("thaw", "sshd")),
}
"""Name → what it is. Which of them a kind has depends on what runs there."""


def faults_of(kind: Kind) -> list[str]:
    return [name for name, one in FAULTS.items() if one.hosts(kind)]


@dataclass
class Troubles:
    """Begins and ends the planned faults of one night, and remembers until when something was not as usual."""

    ground: Ground
    tell: Callable[[str], None]
    counts: Counter[str] = field(default_factory=Counter)
    impossible: Counter[str] = field(default_factory=Counter)
    others_acted: list[tuple[float, float]] = field(default_factory=list)
    """Times in which a fault, or somebody else than the console, was at work: from and until, epoch seconds."""

    def __post_init__(self) -> None:
        self._waiting: list[Planned] = []
        self._due: list[tuple[float, Planned]] = []
        self._active: list[tuple[float, Planned]] = []

    def plan(self, faults: Sequence[Planned]) -> None:
        self._waiting, self._due = list(faults), []

    def step(self, entries: int) -> bool:
        """Does what is due. Returns whether the console is to die now."""
        now = time.time()
        for one in [one for one in self._waiting if one.entries <= entries]:
            self._waiting.remove(one)
            self._due.append((now + one.delay, one))
        dies = False
        for due in [due for due in self._due if due[0] <= now]:
            self._due.remove(due)
            if due[1].kind == CONSOLE_DIES:
                dies = True
            else:
                self._begin(due[1])
        for active in [one for one in self._active if one[0] <= time.time()]:
            self._active.remove(active)
            self._finish(active[1])
        return dies

    def end_all(self) -> None:
        """What has begun ends now, what has not does not come."""
        self.plan(())
        for _, one in self._active:
            self._finish(one)
        self._active = []

    def acted(self, what: str, seconds: float = 0.0) -> None:
        """Somebody else than the console does something."""
        self.others_acted.append((time.time(), time.time() + seconds))
        self.tell(what)

    def _begin(self, one: Planned) -> None:
        if one.kind != "host reboots" and not self.ground.host(one.host).pid:
            self.impossible[one.kind] += 1
            return
        try:
            self.acted(f"FAULT {one.kind} on {one.host} for {one.seconds:.1f} s", one.seconds)
            FAULTS[one.kind].begin(self.ground, one.host)
        except LabError as error:
            self.impossible[one.kind] += 1
            self.tell(f"  not so: {str(error).splitlines()[0][:160]}")
            return
        self.counts[one.kind] += 1
        self._active.append((time.time() + one.seconds, one))

    def _finish(self, one: Planned) -> None:
        for _ in range(3):
            try:
                FAULTS[one.kind].end(self.ground, one.host)
            except LabError as error:  # a thaw of what has died meanwhile, a start of what runs
                self.tell(f"  the end of {one.kind} on {one.host}: {str(error).splitlines()[0][:160]}")
                time.sleep(0.2)
            else:
                break
        self.acted(f"ends: {one.kind} on {one.host}")
