"""Consul's `/v1/agent/services`: what is registered with this one agent."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.lazy_dataclass import dataclass
from console.core.numbers import HIGHEST_PORT
from console.probes import NotUnderstoodError
from console.probes.consul.json_text import parse_json


@dataclass(frozen=True, slots=True)
class RegisteredService:
    """A service as its agent has it."""

    service_id: str
    service: str
    address: str
    """Empty: that of the agent's node."""
    port: int


def parse(text: str) -> tuple[RegisteredService, ...]:
    """In the order of their ids. Raises NotUnderstoodError."""
    found = parse_json(text)
    if not isinstance(found, Mapping) or not all(isinstance(one, Mapping) for one in found.values()):
        raise NotUnderstoodError("Consul's answer is no table of services")
    return tuple(
        RegisteredService(
            service_id=str(service_id),
            service=str(one.get("Service", "")),
            address=str(one.get("Address") or ""),
            port=_port(one.get("Port")),
        )
        for service_id, one in sorted(found.items())
    )


def _port(value: object) -> int:
    """0: the service has no port."""
    return value if isinstance(value, int) and 0 <= value <= HIGHEST_PORT else 0
