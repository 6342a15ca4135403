"""What Consul says about the service name of the master: catalog, checks and DNS, kept apart."""

from __future__ import annotations

from console.core.lazy_dataclass import dataclass
from console.core.model.reading import NOT_READ, Reading

NODE_MAINTENANCE = "_node_maintenance"
SERVICE_MAINTENANCE = "_service_maintenance:"
"""Ids of the checks that Consul adds while a node, or the service with the id behind the colon, is in maintenance."""


@dataclass(frozen=True, slots=True)
class ConsulCheck:
    """One check of an instance, or of the node that it is on."""

    check_id: str
    name: str
    status: str
    """`passing`, `warning` or `critical`."""
    output: str
    """What the check printed last. It can be one interval old."""
    service_id: str = ""
    """Empty: the check belongs to the node."""


@dataclass(frozen=True, slots=True)
class ConsulInstance:
    """One registered instance of the service."""

    node: str
    """The node's name in Consul. It can differ from the name in the inventory."""
    service_id: str
    address: str
    """The address of the service, else that of the node."""
    port: int
    checks: tuple[ConsulCheck, ...] = ()
    node_address: str = ""
    """The address of the Consul node. Its agent has registered the service."""

    @property
    def maintenance(self) -> ConsulCheck | None:
        """The maintenance check; None: not in maintenance. In maintenance the name does not resolve to the instance."""
        kept = {NODE_MAINTENANCE, f"{SERVICE_MAINTENANCE}{self.service_id}"}
        return next((check for check in self.checks if check.check_id in kept), None)

    @property
    def own_checks(self) -> tuple[ConsulCheck, ...]:
        """The checks that the registration of the service names."""
        return tuple(one for one in self.checks if one.service_id and not one.check_id.startswith(SERVICE_MAINTENANCE))

    @property
    def passing(self) -> bool:
        """Whether the name resolves to the instance: no check of it or of its node is critical."""
        return not any(check.status == "critical" for check in self.checks)


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What the service's name resolved to."""

    name: str
    """The name that was asked for: `redis.service.consul`."""
    addresses: tuple[str, ...]
    """Empty: the name has no address (NXDOMAIN, or no answer section)."""
    ttl: int | None = None
    """Seconds for which a resolver may cache the answer."""


@dataclass(frozen=True, slots=True)
class ConsulState:
    """Consul as it was last seen."""

    service: str
    http: str
    """The agent that was asked: `http://192.168.3.1:8500`."""
    instances: Reading[tuple[ConsulInstance, ...]]
    """Catalog and checks, by `/v1/health/service/NAME`."""
    dns: Reading[DnsAnswer]
    registered: Reading[tuple[str, ...]] = NOT_READ
    """Ids of the services that are registered with the agent that was asked. Only this agent can change them."""
