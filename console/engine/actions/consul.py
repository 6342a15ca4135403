"""Maintenance of a node's service in Consul: takes the node out of the service name, and lets it in again."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from console.core.command import ConsulCommand, Planned
from console.core.model import ConsulInstance, ConsulState
from console.core.watchers.service_name import full_name, instance_of
from console.engine.actions.request import NotNowError, PlanError, Request

_TIMEOUT = 10.0


def hold_service(request: Request) -> tuple[Planned, ...]:
    """Begins the maintenance: an additional check that is critical until the maintenance ends."""
    consul, instance = _registration(request)
    reason = f"redis-ha-console {request.context.run_id}"
    command = _maintenance(consul, instance, f"enable=true&reason={quote(reason, safe='')}")
    summary = (
        f"Puts {instance.service_id} into maintenance: {full_name(consul)} does not lead to {request.node.name} then."
    )
    return (Planned(request.node.name, command, summary),)


def release_service(request: Request) -> tuple[Planned, ...]:
    """Ends the maintenance: the service's own checks decide again."""
    consul, instance = _registration(request)
    command = _maintenance(consul, instance, "enable=false")
    summary = f"Ends the maintenance of {instance.service_id}: its own checks decide again."
    return (Planned(request.node.name, command, summary),)


def _registration(request: Request) -> tuple[ConsulState, ConsulInstance]:
    """Raises PlanError if Consul could not be read or does not have the node."""
    consul, node = request.state.consul, request.node
    if consul is None:
        raise PlanError(f"no Consul points clients at {request.context.cluster.name}")
    if consul.instances.problem is not None:
        raise NotNowError(f"{consul.service} in Consul could not be read: {consul.instances.problem}")
    instance = instance_of(request.state, request.state.node(node.name))
    if instance is None:
        raise PlanError(f"Consul has no instance of {consul.service} at {node.address}:{node.redis.port}")
    return consul, instance


def _maintenance(consul: ConsulState, instance: ConsulInstance, query: str) -> ConsulCommand:
    return ConsulCommand(
        agent=_agent(consul, instance),
        path=f"/v1/agent/service/maintenance/{quote(instance.service_id, safe='')}?{query}",
        service_id=instance.service_id,
        service=consul.service,
        address=instance.address,
        port=instance.port,
        timeout=_TIMEOUT,
    )


def _agent(consul: ConsulState, instance: ConsulInstance) -> str:
    """The agent that the service is registered with, as only that one can change it: the one asked, or its node's."""
    registered = consul.registered
    if registered.value is None:
        raise PlanError(f"what is registered with {consul.http} could not be read: {registered.problem}")
    if instance.service_id in registered.value:
        return consul.http
    asked = urlsplit(consul.http)
    host = f"[{instance.node_address}]" if ":" in instance.node_address else instance.node_address
    return f"{asked.scheme}://{host}:{asked.port or 8500}"
