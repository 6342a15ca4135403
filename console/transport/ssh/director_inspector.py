"""Inspects one LVS director: its addresses, its keepalived and its table of real servers."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from console.core.inventory import DirectorSpec
from console.core.model import ClusterState
from console.core.model.assembling import as_node, assemble_director
from console.transport.connections.inspection_thread import Now
from console.transport.connections.patience import Pace
from console.transport.ssh.host_inspector import HostInspector
from console.transport.ssh.shells.request import RedisFiles


class DirectorInspector:
    """Implements WatcherInspector with the HostInspector that also inspects a node's host."""

    by_steps = True

    def __init__(
        self,
        spec: DirectorSpec,
        read_vip: str,
        now: Now,
        handshakes: threading.Semaphore,
        pace: Pace | None = None,
    ) -> None:
        self._spec = spec
        self._read_vip = read_vip
        self._host = HostInspector(
            as_node(spec), read_vip, now, handshakes, lambda: RedisFiles("", ""), ipvs=True, pace=pace
        )
        self._late = False

    @property
    def host(self) -> HostInspector:
        """What inspects its host."""
        return self._host

    def open_tunnel(self, host: str, port: int, timeout: float) -> Any:
        """A channel through its SSH connection, for a Sentinel that runs on it. Raises RemoteError."""
        return self._host.open_tunnel(host, port, timeout)

    def start_connecting(self, *, force: bool) -> None:
        self._host.start_connecting(force=force)

    def finish_connecting(self, deadline: float) -> bool:
        opened = self._host.finish_connecting(deadline)
        self._host.receive(0.0)
        return opened

    def ask(self, *, full: bool, just_connected: bool) -> None:
        self._late = self._host.waiting
        if not just_connected or self._host.outdated:
            self._host.ask(full=full and not just_connected)

    def receive(self, deadline: float) -> None:
        self._host.receive(0.0 if self._late else deadline)

    def add_to(self, state: ClusterState) -> ClusterState:
        seen = assemble_director(self._spec, self._read_vip, self._host.readings)
        return replace(state, directors=(*state.directors, seen))

    def reset_backoff(self) -> None:
        self._host.reset_backoff()

    def close(self) -> None:
        self._host.close()
