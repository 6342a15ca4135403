"""What Consul tells of the service name that follows the master: catalog and checks by HTTP, the name by DNS."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from console.core.command import Secret
from console.core.inventory import ConsulSpec
from console.core.model import (
    ClusterState,
    ConsulInstance,
    ConsulState,
    DnsAnswer,
    Problem,
    ProblemKind,
    Reading,
    read,
    unread,
)
from console.probes import NotUnderstoodError, consul_agent, consul_health
from console.transport.consul_api import AGENT_SERVICES, ConsulApi, health_path, resolve
from console.transport.failure import LinkError
from console.transport.host_eye import Now, silence

T = TypeVar("T")
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class _Told:
    """What one look at the HTTP API brought."""

    instances: Reading[tuple[ConsulInstance, ...]]
    registered: Reading[tuple[str, ...]]


class ConsulEye:
    """Asks the agent and the name server of the inventory, each in a thread of its own: neither waits for the other."""

    def __init__(self, spec: ConsulSpec, token: Secret | None, now: Now, *, ipv6: bool = False) -> None:
        self._spec = spec
        self._now = now
        self._ipv6 = ipv6
        self._api = ConsulApi(spec.http, token)
        self._told: _Told | None = None
        self._just_looked = False
        unread_yet: Reading[DnsAnswer] = unread(ProblemKind.NOT_READ)
        self._dns = unread_yet if spec.dns else unread(ProblemKind.NOT_CONFIGURED, "the inventory names no consul.dns")
        self._http_look = _Looker(f"Consul at {spec.http}", self._look_at_checks, now, self._api.close)
        self._dns_look = _Looker(f"the name server {spec.dns}", self._look_at_name, now)

    @property
    def patience(self) -> float:
        return _PATIENCE

    def begin(self, *, force: bool) -> None:
        """Connections are made with the question. The first one goes out now: its libraries take time to import."""
        if self._told is None:
            self.ask(full=force)

    def settle(self, deadline: float) -> None:
        """The first answer has as long as the nodes' connections have, for the same reason: it imports and connects."""
        if self._told is None:
            self.collect(deadline)
            self._just_looked = True

    def ask(self, *, full: bool) -> None:  # noqa: ARG002 - two small answers: there is nothing to leave out
        if self._just_looked:
            self._just_looked = False
            return
        self._http_look.ask()
        if self._spec.dns:
            self._dns_look.ask()

    def collect(self, deadline: float) -> None:
        told = self._http_look.collect(deadline)
        if isinstance(told, Problem):
            self._told = _Told(Reading(None, told, self._now()), Reading(None, told, self._now()))
        elif told is not None:
            self._told = told
        dns = self._dns_look.collect(deadline)
        if isinstance(dns, Problem):
            self._dns = Reading(None, dns, self._now())
        elif dns is not None:
            self._dns = dns

    def fill(self, state: ClusterState) -> ClusterState:
        told = self._told or _Told(unread(ProblemKind.NOT_READ), unread(ProblemKind.NOT_READ))
        seen = ConsulState(
            service=self._spec.service,
            http=self._spec.http,
            instances=told.instances,
            dns=self._dns,
            registered=told.registered,
        )
        return replace(state, consul=seen)

    def hurry(self) -> None:
        """There is no backoff."""

    def close(self) -> None:
        self._http_look.close()
        self._dns_look.close()

    def _look_at_checks(self) -> _Told:
        at = self._now()
        instances = _reading(lambda: consul_health.parse(self._api.get(health_path(self._spec.service))), at)
        if instances.problem is not None:
            return _Told(instances, Reading(None, instances.problem, at))
        services = _reading(lambda: consul_agent.parse(self._api.get(AGENT_SERVICES)), at)
        return _Told(instances, services.map(lambda found: tuple(one.service_id for one in found)))

    def _look_at_name(self) -> Reading[DnsAnswer]:
        name = f"{self._spec.service}.service.consul"
        return _reading(lambda: resolve(self._spec.dns, name, ipv6=self._ipv6), self._now())


def _reading(look: Callable[[], T], at: float) -> Reading[T]:
    try:
        return read(look(), at)
    except LinkError as error:
        return Reading(None, error.problem, at)
    except NotUnderstoodError as error:
        return unread(ProblemKind.BAD_ANSWER, str(error), at)
    except Exception as error:  # noqa: BLE001 - this thread must live as long as the inspector
        return unread(ProblemKind.BAD_ANSWER, f"{type(error).__name__}: {error}"[:300], at)


class _Looker(Generic[T]):
    """Looks in a thread of its own, when asked; whoever waits does not wait longer than it wants to."""

    def __init__(self, what: str, look: Callable[[], T], now: Now, end: Callable[[], None] = lambda: None) -> None:
        """`end` is called in the thread that looked, once it is closed."""
        self._what = what
        self._end = end
        self._look = look
        self._now = now
        self._go = threading.Event()
        self._done = threading.Event()
        self._done.set()
        self._answer: T | None = None
        self._asked_at = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Starts to look, unless the last look is still under way."""
        if not self._done.is_set() or self._closed:
            return
        self._asked_at = self._now()
        self._done.clear()
        self._go.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"look at {self._what}", daemon=True)
            self._thread.start()

    def collect(self, deadline: float) -> T | Problem | None:
        """What was seen by `deadline` (monotonic), else that it is silent; None: nothing was asked."""
        if self._thread is None:
            return None
        if self._done.wait(max(0.0, deadline - time.monotonic())):
            return self._answer
        return Problem(ProblemKind.TIMEOUT, silence(self._what, self._asked_at))

    def close(self) -> None:
        self._closed = True
        self._go.set()

    def _run(self) -> None:
        while True:
            self._go.wait()
            self._go.clear()
            if self._closed:
                self._end()
                return
            self._answer = self._look()
            self._done.set()
