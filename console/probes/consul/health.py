"""Consul's `/v1/health/service/NAME`: every instance that the catalog has, each with its checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.core.model import ConsulCheck, ConsulInstance
from console.core.numbers import HIGHEST_PORT
from console.probes import NotUnderstoodError
from console.probes.consul.json_text import parse_json

_MOST_OUTPUT = 400


def parse(text: str) -> tuple[ConsulInstance, ...]:
    """In the order of their service ids. Raises NotUnderstoodError."""
    found = parse_json(text)
    if not isinstance(found, list):
        raise NotUnderstoodError("Consul's answer is no list of instances")
    return tuple(sorted((_instance(one) for one in found), key=lambda one: (one.service_id, one.node)))


def _instance(told: Any) -> ConsulInstance:
    """A service without an address of its own has that of its node."""
    node, service = _part(told, "Node"), _part(told, "Service")
    checks = told.get("Checks") or []
    if not isinstance(checks, list):
        raise NotUnderstoodError("Consul's answer has an instance whose Checks are no list")
    at = _text(node, "Address")
    return ConsulInstance(
        node=_text(node, "Node"),
        service_id=_text(service, "ID"),
        address=_text(service, "Address") or at,
        port=_port(service.get("Port")),
        checks=tuple(_check(one) for one in checks),
        node_address=at,
    )


def _check(told: Any) -> ConsulCheck:
    if not isinstance(told, Mapping):
        raise NotUnderstoodError("Consul's answer has a check that is no object")
    return ConsulCheck(
        check_id=_text(told, "CheckID"),
        name=_text(told, "Name"),
        status=_text(told, "Status"),
        output=" ".join((_text(told, "Output") or _text(told, "Notes")).split())[:_MOST_OUTPUT],
        service_id=_text(told, "ServiceID"),
    )


def _part(told: Any, key: str) -> Mapping[str, Any]:
    part = told.get(key) if isinstance(told, Mapping) else None
    if not isinstance(part, Mapping):
        raise NotUnderstoodError(f"Consul's answer has an instance without {key}")
    return part


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key)
    return value if isinstance(value, str) else ""


def _port(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= HIGHEST_PORT:
        raise NotUnderstoodError("Consul's answer has a service whose Port is no port number")
    return value
