"""What Consul knows of the service name that points at the master: instances and checks by HTTP, the name by DNS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

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
from console.probes.consul import agent as consul_agent
from console.probes.consul import health as consul_health
from console.transport.connections.errors import problem_of
from console.transport.connections.inspection_thread import InspectionThread, Now, silence
from console.transport.consul.api import AGENT_SERVICES, ConsulApi, health_path, resolve


@dataclass(frozen=True, slots=True)
class _HttpAnswer:
    """The readings of one look at the HTTP API."""

    instances: Reading[tuple[ConsulInstance, ...]]
    registered: Reading[tuple[str, ...]]


class ConsulInspector:
    """Asks the agent and the name server of the inventory. Each has its own thread, so neither waits for the other."""

    by_steps = False

    def __init__(self, spec: ConsulSpec, token: Secret | None, now: Now, *, ipv6: bool = False) -> None:
        self._spec = spec
        self._now = now
        self._ipv6 = ipv6
        self._api = ConsulApi(spec.http, token)
        self._http_answer: _HttpAnswer | None = None
        unread_yet: Reading[DnsAnswer] = unread(ProblemKind.NOT_READ)
        self._dns = unread_yet if spec.dns else unread(ProblemKind.NOT_CONFIGURED, "the inventory names no consul.dns")
        self._http_thread = InspectionThread(
            f"Consul at {spec.http}", self._ask_agent, self._agent_failed, now, self._api.close
        )
        self._dns_thread = InspectionThread(
            f"the name server {spec.dns}", self._ask_name_server, self._name_server_failed, now
        )

    def start_connecting(self, *, force: bool) -> None:  # noqa: ARG002 - there is no backoff
        """Asks for the first time: each question makes its own connection, and the libraries take time to import."""
        if self._http_answer is None:
            self._ask_both()

    def finish_connecting(self, deadline: float) -> bool:
        """Waits for the first answer as long as for the connections to the nodes: both include imports."""
        first = self._http_answer is None
        if first:
            self.receive(deadline)
        return first

    def ask(self, *, full: bool, just_connected: bool) -> None:  # noqa: ARG002 - both answers are small
        if not just_connected:
            self._ask_both()

    def _ask_both(self) -> None:
        self._http_thread.ask()
        if self._spec.dns:
            self._dns_thread.ask()

    def receive(self, deadline: float) -> None:
        if not self._http_thread.wait(deadline):
            nothing = _silence(self._http_thread, self._now())
            self._http_answer = _HttpAnswer(nothing, nothing)
        elif self._http_thread.answer is not None:
            self._http_answer = self._http_thread.answer
        if not self._dns_thread.wait(deadline):
            self._dns = _silence(self._dns_thread, self._now())
        elif self._dns_thread.answer is not None:
            self._dns = self._dns_thread.answer

    def add_to(self, state: ClusterState) -> ClusterState:
        answer = self._http_answer or _HttpAnswer(unread(ProblemKind.NOT_READ), unread(ProblemKind.NOT_READ))
        seen = ConsulState(
            service=self._spec.service,
            http=self._spec.http,
            instances=answer.instances,
            dns=self._dns,
            registered=answer.registered,
        )
        return replace(state, consul=seen)

    def reset_backoff(self) -> None:
        """There is no backoff."""

    def close(self) -> None:
        self._http_thread.close()
        self._dns_thread.close()

    def _ask_agent(self) -> _HttpAnswer:
        at = self._now()
        instances = read(consul_health.parse(self._api.get(health_path(self._spec.service))), at)
        try:
            services = consul_agent.parse(self._api.get(AGENT_SERVICES))
        except Exception as error:  # noqa: BLE001 - the instances were read all the same
            return _HttpAnswer(instances, Reading(None, problem_of(error, self._http_thread.what), at))
        return _HttpAnswer(instances, read(tuple(one.service_id for one in services), at))

    def _agent_failed(self, problem: Problem) -> _HttpAnswer:
        at = self._now()
        return _HttpAnswer(Reading(None, problem, at), Reading(None, problem, at))

    def _ask_name_server(self) -> Reading[DnsAnswer]:
        at = self._now()
        name = f"{self._spec.service}.service.consul"
        return read(resolve(self._spec.dns, name, ipv6=self._ipv6), at)

    def _name_server_failed(self, problem: Problem) -> Reading[DnsAnswer]:
        return Reading(None, problem, self._now())


def _silence(thread: InspectionThread[Any], at: float) -> Reading[Any]:
    return unread(ProblemKind.TIMEOUT, silence(thread.what, thread.asked_at), at)
