"""The Consul agent of the documented set: it runs the checks, and the name leads to the nodes whose check passes.

Sources: Consul 1.8, agent/checks/check.go (CheckMonitor: an interval between two runs, a random start, a timeout of
30 s), agent/local (a service is registered as critical), the maintenance checks of agent/agent.go. Its check is
`redis-cli -h ADDRESS info | grep role:master || exit 2`. It runs in the development mode, which keeps nothing: after a
start there is no maintenance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.world.host import Host
    from simulation.world.world import World

CHECK_TIMEOUT = 30.0
NO_ROUTE = 3.0
PASSING, CRITICAL = "passing", "critical"


@dataclass
class Service:
    """One registered Redis, and its check."""

    service_id: str
    host: Host
    status: str = CRITICAL
    output: str = ""
    maintenance: str = ""
    """Why it is in maintenance. Empty: it is not."""
    next_run: float = 0.0
    waits_since: float | None = None
    """When a run began that has no answer yet."""

    @property
    def in_name(self) -> bool:
        return self.status == PASSING and not self.maintenance


class Consul:
    """The process on one host, or none."""

    def __init__(self, world: World, host: Host, services: dict[str, str], interval: float) -> None:
        """`services`: host → id."""
        self.world = world
        self.host = host
        self.interval = interval
        self.running = False
        self.stands_still_until = 0.0
        """So long no check is run: what was found last stays."""
        self.services = {name: Service(one, world.hosts[name]) for name, one in services.items()}

    @property
    def answers(self) -> bool:
        return self.running and self.host.up

    def start(self, cause: str) -> None:
        if self.running or not self.host.up:
            return
        self.running = True
        for one in self.services.values():
            one.status, one.output, one.maintenance, one.waits_since = CRITICAL, "", "", None
            one.next_run = self.world.now + self.world.chance.uniform(0.0, self.interval)
        self.world.tell(f"{self.host.name}: Consul starts ({cause})")

    def kill(self, why: str) -> None:
        if self.running:
            self.world.tell(f"{self.host.name}: Consul dies ({why})")
            self.running = False
            self.world.roles_changed(why)

    def maintain(self, service_id: str, reason: str, cause: str) -> bool:
        """PUT /v1/agent/service/maintenance/ID. An empty reason ends it. False: there is no such service."""
        one = next((one for one in self.services.values() if one.service_id == service_id), None)
        if one is None:
            return False
        one.maintenance = reason
        self.world.tell(f"{one.host.name}: {'in' if reason else 'no more in'} maintenance ({cause})")
        self.world.roles_changed(cause)
        return True

    def in_name(self) -> list[Host]:
        """The nodes that the name leads to."""
        return [one.host for one in self.services.values() if one.in_name] if self.answers else []

    def beat(self) -> None:
        if not self.answers or self.stands_still_until > self.world.now:
            return
        for one in self.services.values():
            if one.waits_since is not None:
                self._wait(one, one.waits_since)
            elif self.world.now >= one.next_run:
                self._run(one)

    def _run(self, one: Service) -> None:
        """INFO is answered while a Redis loads, too."""
        if not self._silence(one):
            self._found(one)
        else:
            one.waits_since = self.world.now

    def _silence(self, one: Service) -> float:
        """Seconds after which a run without an answer ends. 0: there is one, or the port refuses."""
        if not self.world.network.joined(self.host, one.host):
            return NO_ROUTE
        redis = one.host.redis
        return CHECK_TIMEOUT if redis.process is not None and not redis.answers else 0.0

    def _wait(self, one: Service, since: float) -> None:
        silence = self._silence(one)
        if not silence or self.world.now - since >= silence:
            self._found(one, silent=bool(silence))

    def _found(self, one: Service, *, silent: bool = False) -> None:
        one.waits_since, one.next_run = None, self.world.now + self.interval
        redis = one.host.redis
        master = not silent and redis.process is not None and not redis.link.master
        before, one.status = one.status, PASSING if master else CRITICAL
        one.output = "role:master" if master else ""
        if before != one.status:
            self.world.tell(f"Consul: the check of {one.host.name} is {one.status}")
            self.world.roles_changed(redis.link.cause or (redis.process.cause if redis.process else ""))
