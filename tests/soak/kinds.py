"""The kinds of clusters that are soaked: a laboratory for each, and the servers on it that can be broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from console.core.runbooks.document import Runbook
from console.documents.runbooks.library import load_runbooks
from console.lab.systems import password_pair, sentinel_consul, sentinel_vip

PAIR, SENTINEL, CONSUL = "keepalived", "sentinel-vip", "sentinel-consul"


@dataclass(frozen=True)
class Kind:
    """A system of the laboratory."""

    name: str
    scenario: str
    """The one that is protected from the first moment."""
    of: str
    """The kind of cluster, as inventories and runbooks name it."""
    nodes: tuple[str, ...]
    """Hosts with a Redis of the cluster."""
    sentinels: Mapping[str, str] = field(default_factory=dict)
    """Name in the inventory → host."""
    directors: tuple[str, ...] = ()
    consul: str = ""
    """The host of the agent."""
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: tuple[str, ...] = ("7.0", "6.2", "8.0")
    weight: int = 1
    by_scripts: bool = False
    """Its own scripts make replicas. They lose writes by themselves, as its document says."""

    @property
    def keepalived(self) -> tuple[str, ...]:
        """Hosts that run keepalived."""
        return self.nodes if self.of == PAIR else self.directors

    @property
    def runbooks(self) -> dict[str, Runbook]:
        """The shipped runbooks for it."""
        return {name: one for name, one in _shipped().items() if one.kind == self.of}


@cache
def _shipped() -> dict[str, Runbook]:
    return {one.name: one for one in load_runbooks(None).runbooks}


_AB = ("redis-a", "redis-b")
_WEB = sentinel_vip.REDIS_HOSTS
_SENTINELS = {f"sentinel-{name[-1]}": name for name in _WEB}
KINDS = {
    one.name: one
    for one in (
        Kind("pair", "healthy", PAIR, _AB, options={"password": "s3cret-of-the-soak"}, weight=3),
        Kind("password-pair", "password-pair", PAIR, (password_pair.MASTER, password_pair.REPLICA), by_scripts=True),
        Kind("preempting-pair", "preempting-pair", PAIR, _AB, by_scripts=True),
        Kind("sentinel-vip", "sentinel-healthy", SENTINEL, _WEB, _SENTINELS, sentinel_vip.DIRECTORS, weight=2),
        Kind("sentinel-secured", "sentinel-secured", SENTINEL, _WEB, _SENTINELS, versions=("7.0", "6.2")),
        Kind(
            "consul", "consul-healthy", CONSUL, (sentinel_consul.FIRST, sentinel_consul.SECOND),
            {"sentinel": sentinel_consul.SECOND}, consul=sentinel_consul.FIRST, weight=2,
        ),
    )
}  # fmt: skip
"""Name → kind."""
