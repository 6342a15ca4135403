"""Asks again and again where a service name points, as its clients do. It has its own connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from console.core.command import Secret
from console.core.inventory import CONSUL_TOKEN, ClusterSpec, ConsulSpec
from console.core.watchers.name_history import NameSample
from console.probes import NotUnderstoodError
from console.probes.consul import consul_health
from console.transport.connections.errors import RemoteError
from console.transport.connections.inspection_thread import Now
from console.transport.consul.api import ConsulApi, health_path, resolve

T = TypeVar("T")
_TIMEOUT = 0.5
"""Seconds for each of the two answers."""


def make_name_sampler(cluster: ClusterSpec, passwords: Mapping[str, Secret | None], now: Now) -> ConsulSampler | None:
    """None if the clients of this cluster use no name in Consul."""
    if cluster.consul is None:
        return None
    return ConsulSampler(cluster.consul, passwords.get(CONSUL_TOKEN), now, ipv6=":" in cluster.nodes[0].address)


class ConsulSampler:
    """Asks the HTTP API for the checks, and then the name server."""

    def __init__(self, spec: ConsulSpec, token: Secret | None, now: Now, *, ipv6: bool = False) -> None:
        self._spec = spec
        self._now = now
        self._ipv6 = ipv6
        self._api = ConsulApi(spec.http, token)

    @property
    def asks_dns(self) -> bool:
        return bool(self._spec.dns)

    def sample(self) -> NameSample:
        at = self._now()
        return NameSample(at, _answer(self._by_checks), _answer(self._by_dns) if self._spec.dns else None)

    def close(self) -> None:
        self._api.close()

    def _by_checks(self) -> tuple[str, ...]:
        found = consul_health.parse(self._api.get(health_path(self._spec.service), _TIMEOUT))
        return tuple(sorted({one.address for one in found if one.passing}))

    def _by_dns(self) -> tuple[str, ...]:
        name = f"{self._spec.service}.service.consul"
        return resolve(self._spec.dns, name, ipv6=self._ipv6, timeout=_TIMEOUT).addresses


def _answer(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except (RemoteError, NotUnderstoodError):
        return None
