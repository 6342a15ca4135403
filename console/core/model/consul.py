"""What Consul says of the service name that follows the master: catalog, checks and DNS, each for itself."""

from __future__ import annotations

from dataclasses import dataclass

from console.core.model.reading import NOT_READ, Reading

NODE_MAINTENANCE = "_node_maintenance"
SERVICE_MAINTENANCE = "_service_maintenance:"
"""Check ids that Consul itself makes while a node, or the service whose id follows, is in maintenance."""


@dataclass(frozen=True, slots=True)
class ConsulCheck:
    """One check of an instance, or of the node that it is on."""

    check_id: str
    name: str
    status: str
    """`passing`, `warning` or `critical`."""
    output: str
    """What the check printed last; may be old by one interval."""
    service_id: str = ""
    """Empty: a check of the node."""


@dataclass(frozen=True, slots=True)
class ConsulInstance:
    """One registered instance of the service."""

    node: str
    """Consul's name of the node, which need not be the inventory's."""
    service_id: str
    address: str
    """The service's own address, else the node's."""
    port: int
    checks: tuple[ConsulCheck, ...] = ()
    node_address: str = ""
    """Of the Consul node: there is the agent that the service is registered with."""

    @property
    def maintenance(self) -> ConsulCheck | None:
        """The maintenance that keeps the name from resolving to it, whatever its own checks say."""
        kept = {NODE_MAINTENANCE, f"{SERVICE_MAINTENANCE}{self.service_id}"}
        return next((check for check in self.checks if check.check_id in kept), None)

    @property
    def own_checks(self) -> tuple[ConsulCheck, ...]:
        """The checks of the service itself, as its registration names them."""
        return tuple(one for one in self.checks if one.service_id and not one.check_id.startswith(SERVICE_MAINTENANCE))

    @property
    def passing(self) -> bool:
        """Whether the name resolves to it: no check of it or of its node is critical."""
        return not any(check.status == "critical" for check in self.checks)


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What the service's name resolved to."""

    name: str
    """The name that was asked for: `redis.service.consul`."""
    addresses: tuple[str, ...]
    """Empty: the name has no address (NXDOMAIN, or no answer section)."""
    ttl: int | None = None
    """Seconds for which a resolver may keep the answer."""


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
    """Ids of the services that are registered with the agent that was asked: only it can change those."""
