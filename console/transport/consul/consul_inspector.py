"""What Consul tells of the service name that follows the master: catalog and checks by HTTP, the name by DNS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from console.core.command import Secret
from console.core.inventory import ConsulSpec
from console.core.model import (
    ClusterState,
    ConsulInstance,
    ConsulState,
    DnsAnswer,
    ProblemKind,
    Reading,
    read,
    unread,
)
from console.probes import NotUnderstoodError
from console.probes.consul import agent as consul_agent
from console.probes.consul import health as consul_health
from console.transport.connecting.failure import LinkError
from console.transport.connecting.inspection_thread import InspectionThread, Now, silence
from console.transport.consul.api import AGENT_SERVICES, ConsulApi, health_path, resolve

T = TypeVar("T")
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class _Told:
    """What one look at the HTTP API brought."""

    instances: Reading[tuple[ConsulInstance, ...]]
    registered: Reading[tuple[str, ...]]


class ConsulInspector:
    """Asks the agent and the name server of the inventory, each in a thread of its own: neither waits for the other."""

    def __init__(self, spec: ConsulSpec, token: Secret | None, now: Now, *, ipv6: bool = False) -> None:
        self._spec = spec
        self._now = now
        self._ipv6 = ipv6
        self._api = ConsulApi(spec.http, token)
        self._told: _Told | None = None
        unread_yet: Reading[DnsAnswer] = unread(ProblemKind.NOT_READ)
        self._dns = unread_yet if spec.dns else unread(ProblemKind.NOT_CONFIGURED, "the inventory names no consul.dns")
        self._http_look = InspectionThread(f"Consul at {spec.http}", self._look_at_checks, now, self._api.close)
        self._dns_look = InspectionThread(f"the name server {spec.dns}", self._look_at_name, now)

    @property
    def patience(self) -> float:
        return _PATIENCE

    def begin(self, *, force: bool) -> None:  # noqa: ARG002 - there is no backoff
        """Connections are made with the question. The first one goes out now: its libraries take time to import."""
        if self._told is None:
            self._begin_to_look()

    def settle(self, deadline: float) -> bool:
        """The first answer has as long as the nodes' connections have, for the same reason: it imports and connects."""
        first = self._told is None
        if first:
            self.collect(deadline)
        return first

    def ask(self, *, full: bool, new: bool) -> None:  # noqa: ARG002 - two small answers: there is nothing to leave out
        if not new:
            self._begin_to_look()

    def _begin_to_look(self) -> None:
        self._http_look.ask()
        if self._spec.dns:
            self._dns_look.ask()

    def collect(self, deadline: float) -> None:
        if not self._http_look.wait(deadline):
            nothing = _silence(self._http_look, self._now())
            self._told = _Told(nothing, nothing)
        elif self._http_look.answer is not None:
            self._told = self._http_look.answer
        if not self._dns_look.wait(deadline):
            self._dns = _silence(self._dns_look, self._now())
        elif self._dns_look.answer is not None:
            self._dns = self._dns_look.answer

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


def _silence(looker: InspectionThread[Any], at: float) -> Reading[Any]:
    return unread(ProblemKind.TIMEOUT, silence(looker.what, looker.asked_at), at)


def _reading(look: Callable[[], T], at: float) -> Reading[T]:
    try:
        return read(look(), at)
    except LinkError as error:
        return Reading(None, error.problem, at)
    except NotUnderstoodError as error:
        return unread(ProblemKind.BAD_ANSWER, str(error), at)
    except Exception as error:  # noqa: BLE001 - this thread must live as long as the inspector
        return unread(ProblemKind.BAD_ANSWER, f"{type(error).__name__}: {error}"[:300], at)
