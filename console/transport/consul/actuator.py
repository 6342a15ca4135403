"""Sends one request to a Consul agent, after a check that this agent has the service that was shown (H07)."""

from __future__ import annotations

from urllib.parse import urlsplit

from console.core.command import ConsulCommand, Secret
from console.core.model import ProblemKind
from console.core.runs.answer import Answer, AnswerKind
from console.probes import NotUnderstoodError
from console.probes.consul import consul_agent
from console.transport.connections.errors import RemoteError
from console.transport.consul.api import AGENT_SERVICES, ConsulApi

_IDENTITY_TIMEOUT = 5.0
_ANSWERED = (ProblemKind.NOT_PERMITTED, ProblemKind.NOT_AVAILABLE)
_NEVER_LEFT = (ProblemKind.REFUSED, ProblemKind.UNREACHABLE)


def send_consul(command: ConsulCommand, token: Secret | None) -> Answer:
    """Sends it once. A lost answer is UNKNOWN, not an exception."""
    api = ConsulApi(command.agent, token)
    try:
        if reason := _identity_problem(api, command):
            return Answer(AnswerKind.NOT_SENT, reason)
        try:
            body = api.put(command.path, command.timeout)
        except RemoteError as error:
            return _failed(error)
        return Answer(AnswerKind.DONE, body.strip() or "done")
    finally:
        api.close()


def _identity_problem(api: ConsulApi, command: ConsulCommand) -> str:
    """Why this agent is not the one that was shown. Empty: it has the service, at the same address and port."""
    where = f"the Consul agent {urlsplit(command.agent).netloc}"
    try:
        services = consul_agent.parse(api.get(AGENT_SERVICES, _IDENTITY_TIMEOUT))
    except (RemoteError, NotUnderstoodError) as error:
        return str(error)
    registered = next((one for one in services if one.service_id == command.service_id), None)
    if registered is None:
        return f"{where} has no service {command.service_id}, or the token may not read it"
    if (registered.service, registered.port) != (command.service, command.port) or registered.address not in (
        "",
        command.address,
    ):
        leads = f"{registered.service} at {registered.address}:{registered.port}"
        return f"{where}: {command.service_id} was {command.service} at {command.address}:{command.port}, is {leads}"
    return ""


def _failed(error: RemoteError) -> Answer:
    kind = error.problem.kind
    if kind in _ANSWERED:
        return Answer(AnswerKind.FAILED, str(error))
    if kind in _NEVER_LEFT:
        return Answer(AnswerKind.NOT_SENT, str(error))
    return Answer(AnswerKind.UNKNOWN, f"{error}; it may have been carried out")
