"""The inspectors of the watchers that the inventory names for a cluster: Sentinels, directors, Consul."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from console.core.command import Secret
from console.core.inventory import CONSUL_TOKEN, ClusterSpec, RedisRoute, SentinelSpec
from console.core.model import ClusterState
from console.transport.connections.patience import Pace
from console.transport.redis.inspector import OpenTunnel
from console.transport.ssh.host_inspector import HostInspector
from console.transport.watcher_inspector import WatcherInspector


class WatcherInspectors:
    """All watcher inspectors of a cluster, used as one."""

    def __init__(
        self, inspectors: tuple[WatcherInspector, ...], directors: Mapping[str, HostInspector] | None = None
    ) -> None:
        self._inspectors = inspectors
        self.directors: Mapping[str, HostInspector] = directors or {}
        """Name of a director → what inspects its host."""
        self._new: tuple[bool, ...] = (False,) * len(inspectors)

    def start_connecting(self, *, force: bool) -> None:
        for inspector in self._inspectors:
            inspector.start_connecting(force=force)

    def finish_connecting(self, hosts_by: float, others_by: float) -> None:
        """`hosts_by`: for those whose connection is made in steps."""
        self._new = tuple(one.finish_connecting(hosts_by if one.by_steps else others_by) for one in self._inspectors)

    def ask(self, *, full: bool) -> None:
        for inspector, just_connected in zip(self._inspectors, self._new, strict=True):
            inspector.ask(full=full, just_connected=just_connected)

    def receive(self, deadline: float) -> None:
        for inspector in self._inspectors:
            inspector.receive(deadline)

    def add_to(self, state: ClusterState) -> ClusterState:
        for inspector in self._inspectors:
            state = inspector.add_to(state)
        return state

    def reset_backoff(self) -> None:
        for inspector in self._inspectors:
            inspector.reset_backoff()

    def close(self) -> None:
        for inspector in self._inspectors:
            inspector.close()


def watcher_inspectors(
    cluster: ClusterSpec,
    passwords: Mapping[str, Secret | None],
    now: Callable[[], float],
    handshakes: threading.Semaphore,
    tunnels: Mapping[str, OpenTunnel],
    pace: Pace,
) -> WatcherInspectors:
    """One inspector for each watcher in the inventory. A pair behind keepalived has none.

    `passwords`: by the names of `ClusterSpec.secrets`.
    `tunnels`: node → what opens channels through its SSH connection.
    """
    directors: list[WatcherInspector] = []
    hosts: dict[str, HostInspector] = {}
    consul: list[WatcherInspector] = []
    if cluster.directors:
        from console.transport.ssh.director_inspector import DirectorInspector

        made = {one.name: DirectorInspector(one, cluster.read_vip, now, handshakes, pace) for one in cluster.directors}
        tunnels = {**tunnels, **{name: one.open_tunnel for name, one in made.items()}}
        directors += made.values()
        hosts = {name: one.host for name, one in made.items()}
    sentinels = [
        _sentinel_inspector(one, cluster.master_name, passwords.get(one.name), now, handshakes, tunnels, pace=pace)
        for one in cluster.sentinels
    ]
    if cluster.consul is not None:
        from console.transport.consul.inspector import ConsulInspector

        ipv6 = ":" in cluster.nodes[0].address
        consul.append(ConsulInspector(cluster.consul, passwords.get(CONSUL_TOKEN), now, ipv6=ipv6))
    return WatcherInspectors((*sentinels, *directors, *consul), hosts)


def _sentinel_inspector(  # noqa: PLR0913 - a Sentinel, and how to reach it
    spec: SentinelSpec,
    master: str,
    password: Secret | None,
    now: Callable[[], float],
    handshakes: threading.Semaphore,
    tunnels: Mapping[str, OpenTunnel],
    *,
    pace: Pace,
) -> WatcherInspector:
    from console.transport.sentinel.inspector import SentinelInspector

    if spec.via is RedisRoute.DIRECT:
        return SentinelInspector(spec, master, password, now, pace=pace)
    if spec.host:
        return SentinelInspector(spec, master, password, now, tunnels[spec.host], pace=pace)
    from console.transport.ssh.tunnel_host import TunnelHost

    host = TunnelHost(spec.ssh, spec.address, handshakes)
    return SentinelInspector(spec, master, password, now, host.open_tunnel, host.close, pace=pace)
