"""What the console reads from the Consul of the model, and the command that it sends to it."""

from __future__ import annotations

import re
from urllib.parse import unquote

from simulation.ports.shell import CAUSE
from simulation.world.consul import CRITICAL, Consul, Service
from simulation.world.unknown import UnknownToModelError
from simulation.world.world import World

from console.core.command import ConsulCommand
from console.core.inventory import ConsulSpec
from console.core.model import ConsulCheck, ConsulInstance, ConsulState, DnsAnswer, Problem, ProblemKind, Reading, read
from console.core.model.consul import SERVICE_MAINTENANCE
from console.core.runs.answer import Answer, AnswerKind

_MAINTENANCE = re.compile(r"/v1/agent/service/maintenance/([^?]+)\?enable=(true|false)(?:&reason=(.*))?")


def silence_of(world: World) -> Problem | None:
    """Why the agent gives the console no answer. None: it gives one."""
    consul = world.consul
    assert consul is not None
    where = f"Consul at {consul.host.address}:8500"
    if not consul.host.up:
        return Problem(ProblemKind.UNREACHABLE, f"no route to {consul.host.address}")
    if world.network.silent_consul:
        return Problem(ProblemKind.TIMEOUT, f"no answer in time: {where}")
    if not consul.running:
        return Problem(ProblemKind.REFUSED, f"connection refused: {where}")
    return None


def consul_state(world: World, spec: ConsulSpec) -> ConsulState:
    consul, now, silent = world.consul, world.now, silence_of(world)
    assert consul is not None
    if silent is not None:
        nothing = Reading(None, silent, now)
        return ConsulState(spec.service, spec.http, nothing, nothing, nothing)
    instances = tuple(_instance(consul, one) for one in consul.services.values())
    addresses = tuple(sorted(one.address for one in consul.in_name()))
    return ConsulState(
        service=spec.service,
        http=spec.http,
        instances=read(instances, now),
        dns=read(DnsAnswer(f"{spec.service}.service.consul", addresses, 0 if addresses else None), now),
        registered=read(tuple(one.service_id for one in consul.services.values()), now),
    )


def _instance(consul: Consul, one: Service) -> ConsulInstance:
    own = f"service:{one.service_id}"
    checks = [ConsulCheck(own, f"Service '{one.service_id}' check", one.status, one.output, one.service_id)]
    if one.maintenance:
        held = f"{SERVICE_MAINTENANCE}{one.service_id}"
        checks.append(ConsulCheck(held, "Service Maintenance Mode", CRITICAL, one.maintenance, one.service_id))
    return ConsulInstance(
        consul.host.name, one.service_id, one.host.address, 6379, tuple(checks), node_address=consul.host.address
    )


def carry_out(consul: Consul, command: ConsulCommand) -> Answer:
    found = _MAINTENANCE.fullmatch(command.path)
    if found is None:
        raise UnknownToModelError(f"the model does not know this request to Consul: {command.path}")
    service_id, enable, reason = found.groups()
    if not consul.maintain(service_id, unquote(reason or "") if enable == "true" else "", CAUSE):
        return Answer(AnswerKind.FAILED, f"unknown service {service_id}")
    return Answer(AnswerKind.DONE, "done")
