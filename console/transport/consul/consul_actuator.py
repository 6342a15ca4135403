"""Sends one request to the Consul agent that has a service, after it has said that it has it (H07)."""

from __future__ import annotations

from urllib.parse import urlsplit

from console.core.command import ConsulCommand, Secret
from console.core.model import ProblemKind
from console.core.runs.answer import Answer, AnswerKind
from console.probes import NotUnderstoodError
from console.probes.consul import agent as consul_agent
from console.transport.connecting.failure import LinkError
from console.transport.consul.api import AGENT_SERVICES, ConsulApi

_WHO_TIMEOUT = 5.0
_ANSWERED = (ProblemKind.NOT_PERMITTED, ProblemKind.NOT_AVAILABLE)
_NEVER_LEFT = (ProblemKind.REFUSED, ProblemKind.UNREACHABLE)


def send_consul(command: ConsulCommand, token: Secret | None) -> Answer:
    """Sends it once. Raises nothing that a lost answer is among: that is UNKNOWN."""
    api = ConsulApi(command.agent, token)
    try:
        if reason := _not_the_one(api, command):
            return Answer(AnswerKind.NOT_SENT, reason)
        try:
            said = api.put(command.path, command.timeout)
        except LinkError as error:
            return _failed(error)
        return Answer(AnswerKind.DONE, said.strip() or "done")
    finally:
        api.close()


def _not_the_one(api: ConsulApi, command: ConsulCommand) -> str:
    """Why this agent is not the one that was shown; empty: it has the service, and it leads where it did."""
    where = f"the Consul agent {urlsplit(command.agent).netloc}"
    try:
        found = consul_agent.parse(api.get(AGENT_SERVICES, _WHO_TIMEOUT))
    except (LinkError, NotUnderstoodError) as error:
        return str(error)
    ours = next((one for one in found if one.service_id == command.service_id), None)
    if ours is None:
        return f"{where} has no service {command.service_id}, or the token may not read it"
    if (ours.service, ours.port) != (command.service, command.port) or ours.address not in ("", command.address):
        leads = f"{ours.service} at {ours.address}:{ours.port}"
        return f"{where}: {command.service_id} was {command.service} at {command.address}:{command.port}, is {leads}"
    return ""


def _failed(error: LinkError) -> Answer:
    kind = error.problem.kind
    if kind in _ANSWERED:
        return Answer(AnswerKind.FAILED, str(error))
    if kind in _NEVER_LEFT:
        return Answer(AnswerKind.NOT_SENT, str(error))
    return Answer(AnswerKind.UNKNOWN, f"{error}; it may have been carried out")
