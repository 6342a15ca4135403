"""Consul's `/v1/agent/services`: what is registered with this one agent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from console.probes import NotUnderstoodError


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
    try:
        found = json.loads(text)
    except ValueError:
        raise NotUnderstoodError("Consul's answer is no JSON") from None
    if not isinstance(found, Mapping) or not all(isinstance(one, Mapping) for one in found.values()):
        raise NotUnderstoodError("Consul's answer is no table of services")
    return tuple(
        RegisteredService(
            service_id=str(service_id),
            service=str(one.get("Service", "")),
            address=str(one.get("Address") or ""),
            port=one["Port"] if isinstance(one.get("Port"), int) else 0,
        )
        for service_id, one in sorted(found.items())
    )
