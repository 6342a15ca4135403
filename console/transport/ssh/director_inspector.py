"""What one director's shell tells: its addresses, its keepalived and its table of real servers."""

from __future__ import annotations

import threading
from dataclasses import replace

from console.core.inventory import DirectorSpec
from console.core.model import ClusterState
from console.core.model.assembling import as_node, assemble_director
from console.transport.connecting.inspection_thread import Now
from console.transport.ssh.host_inspector import Dump, HostInspector

_ANSWER = 2.0


class DirectorInspector:
    """Implements Eye over the same eye that looks at a node's host."""

    def __init__(self, spec: DirectorSpec, read_vip: str, now: Now, handshakes: threading.Semaphore) -> None:
        self._spec = spec
        self._read_vip = read_vip
        self._host = HostInspector(as_node(spec), read_vip, now, handshakes, lambda: Dump("", ""), ipvs=True)
        self._late = False

    @property
    def patience(self) -> float:
        return self._spec.ssh.connect_timeout + _ANSWER

    def begin(self, *, force: bool) -> None:
        self._host.begin(force=force)

    def settle(self, deadline: float) -> bool:
        opened = self._host.settle(deadline)
        self._host.collect(0.0)
        return opened

    def ask(self, *, full: bool, new: bool) -> None:
        self._late = self._host.waiting
        if not new or self._host.outdated:
            self._host.ask(full=full and not new)

    def collect(self, deadline: float) -> None:
        self._host.collect(0.0 if self._late else deadline)

    def fill(self, state: ClusterState) -> ClusterState:
        seen = assemble_director(self._spec, self._read_vip, self._host.readings)
        return replace(state, directors=(*state.directors, seen))

    def hurry(self) -> None:
        self._host.hurry()

    def close(self) -> None:
        self._host.close()
