"""The world of one night: its hosts, the network between them, clients that write, and what came of each write.

It knows more than anybody in it: which writes were acknowledged, by whom, and where they still are.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from simulation.world import sentinel
from simulation.world.consul import Consul
from simulation.world.host import Host
from simulation.world.network import Network
from simulation.world.redis_server import Dump, RedisServer, Server
from simulation.world.system import PAIR, System
from simulation.world.timeline import Timeline

from console.core.numbers import version_of
from console.lab.options import LabOptions

BEAT = 0.5
DISKLESS_SINCE = (7, 0)
WRITE_EVERY = 0.8
FIRST_WRITES = 60
CHECK_EVERY = 5.0
"""Seconds between two runs of a check of Consul, as documented."""
BEGINNING = 1_795_246_800.0
"""2026-11-21 07:40:00 UTC."""


@dataclass(frozen=True)
class Destruction:
    """A server drops data that it held in memory, for other data."""

    at: float
    host: str
    cause: str
    """`console`, or who else told the server to follow or to start."""
    why: str
    lost: frozenset[int]
    """What it held and the new data does not have."""
    told_at: float = 0.0
    """When it was told to follow its source."""


class World(Timeline):
    """A cluster and its clients. Everything random in it comes from one generator."""

    def __init__(
        self,
        seed: int,
        *,
        system: System = PAIR,
        version: str = "7.0.15",
        notify_sleep: float = 4.0,
        copy_seconds: float = 3.0,
        load_seconds: float = 1.0,
        options: LabOptions | None = None,
    ) -> None:
        """`version`: of each Redis, from 4.0 on. `options`: those of a laboratory that this world is compared with."""
        super().__init__(BEGINNING)
        self.system, self.version = system, version
        self.syncs_by_disk = system.syncs_by_disk or version_of(version) < DISKLESS_SINCE
        """Whether a full sync leaves a dump on its source, too."""
        self.chance = random.Random(seed)
        self.copy_seconds, self.load_seconds, self.notify_sleep = copy_seconds, load_seconds, notify_sleep
        self.stream_delay = 0.0
        self.story: list[tuple[float, str]] = []
        self.network = Network(self)
        self.acknowledged: dict[int, str] = dict.fromkeys(range(1, FIRST_WRITES + 1), "before")
        """Write → the host that acknowledged it."""
        self.destroyed: list[Destruction] = []
        self.on_roles: list[Callable[[str], None]] = []
        self.writing = True
        self.looked_at = BEGINNING
        """When the console has last looked at the whole."""
        self._pids = 1000
        self._last_write = FIRST_WRITES
        options = options or LabOptions(notify_sleep=notify_sleep)
        first = Dump(frozenset(self.acknowledged), BEGINNING - 600.0)
        self.hosts = {
            name: Host(self, name, address, system.files(name, options), first)
            for name, address in system.addresses.items()
        }
        self.consul = None
        if system.consul:
            self.consul = Consul(self, next(iter(self.hosts.values())), dict(system.consul), CHECK_EVERY)
        self._kept: tuple[Host, Server] | None = None
        """Whom the client that keeps its connection writes to."""
        self.servers = [one.redis for one in self.hosts.values()]
        self._by_address = {one.address: one for one in self.hosts.values()}
        self.every(BEAT, self._beat)
        for host in self.hosts.values():
            if host.sentinel is not None:
                self.every(sentinel.BEAT, host.sentinel.beat)
        self.every(WRITE_EVERY, self._write)

    @property
    def script_seconds(self) -> float:
        """From a change of keepalived's state until the last of its scripts has ended."""
        return 1.5 * self.notify_sleep + 5.0

    def new_id(self) -> str:
        return f"{self.chance.getrandbits(160):040x}"

    def new_pid(self) -> int:
        self._pids += 1
        return self._pids

    def tell(self, line: str) -> None:
        self.story.append((self.now, line))

    def server_at(self, address: str) -> RedisServer | None:
        if address == self.system.vip:
            behind = self.network.behind_vip()
            return behind.redis if behind is not None else None
        host = self._by_address.get(address)
        return host.redis if host is not None else None

    def host_of(self, name: str) -> Host:
        """The host of this name, or of the Sentinel of this name."""
        return self.hosts[self.system.sentinels.get(name, name)]

    def serving(self) -> list[Host]:
        """Hosts that acknowledge what a client behind some ARP cache would write to them: more than one is H18.

        With Consul: what a client that asks for the name now would write.
        """
        if self.consul is not None:
            return [one for one in self.consul.in_name() if not one.redis.refusal()]
        return [one for one in self.hosts.values() if one.up and one.vip and not one.redis.refusal()]

    def roles_changed(self, cause: str) -> None:
        for listener in self.on_roles:
            listener(cause)

    def watch_data(self, server: RedisServer, before: set[int], why: str, after: frozenset[int] | None = None) -> None:
        """Remembers what a server has dropped. `after`: the data that it will have, where that is not loaded yet."""
        assert server.process is not None
        now = server.process.keys if after is None else after
        lost = frozenset(before - now)
        link = server.link
        self.destroyed.append(Destruction(self.now, server.host.name, link.cause, why, lost, link.followed_at))

    def held_somewhere(self, numbers: frozenset[int]) -> frozenset[int]:
        """Those of the writes that some memory, dump or backup still has."""
        found: set[int] = set()
        for host in self.hosts.values():
            if host.redis.process is not None:
                found |= numbers & host.redis.process.keys
            for kept in (host.redis.dump, host.redis.append_only.lasting, *(one for one, _ in host.backups.values())):
                if kept is not None:
                    found |= numbers & kept.keys
        return frozenset(found)

    # --- time -------------------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        for host in self.hosts.values():
            host.beat()
        if self.consul is not None:
            self.consul.beat()

    def _write(self) -> None:
        """A client writes through the virtual IP. It remembers only what was acknowledged."""
        if not self.writing:
            return
        host = self.network.behind_vip() if self.consul is None else self._found_by_name(self.consul)
        if host is None or host.redis.refusal():
            self._kept = None
            return
        self._last_write += 1
        host.redis.write(self._last_write)
        self.acknowledged[self._last_write] = host.name

    def _found_by_name(self, consul: Consul) -> Host | None:
        """A client asks for the name, or goes on with the connection that it has. Whoever is refused asks again."""
        if self._kept is not None and self._last_write % 2:
            host, process = self._kept
            if host.up and host.redis.process is process:
                return host
        found = consul.in_name()
        host = self.chance.choice(found) if found else None
        if host is not None and host.redis.process is not None and self._kept is None:
            self._kept = host, host.redis.process
        return host
