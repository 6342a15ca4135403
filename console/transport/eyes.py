"""The eyes that a cluster needs beside those on its nodes: each kind of watcher in the inventory has one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from console.core.command import Secret
from console.core.inventory import CONSUL_TOKEN, ClusterSpec
from console.core.model import ClusterState
from console.transport.eye import Eye


class Eyes:
    """All of them, as one."""

    def __init__(self, eyes: tuple[Eye, ...]) -> None:
        self._eyes = eyes
        self._new: tuple[bool, ...] = (False,) * len(eyes)

    @property
    def patience(self) -> float:
        return max((eye.patience for eye in self._eyes), default=0.0)

    def begin(self, *, force: bool) -> None:
        for eye in self._eyes:
            eye.begin(force=force)

    def settle(self, deadline: float) -> None:
        self._new = tuple(eye.settle(deadline) for eye in self._eyes)

    def ask(self, *, full: bool) -> None:
        for eye, new in zip(self._eyes, self._new, strict=True):
            eye.ask(full=full, new=new)

    def collect(self, deadline: float) -> None:
        for eye in self._eyes:
            eye.collect(deadline)

    def fill(self, state: ClusterState) -> ClusterState:
        for eye in self._eyes:
            state = eye.fill(state)
        return state

    def hurry(self) -> None:
        for eye in self._eyes:
            eye.hurry()

    def close(self) -> None:
        for eye in self._eyes:
            eye.close()


def eyes_of(
    cluster: ClusterSpec,
    passwords: Mapping[str, Secret | None],
    now: Callable[[], float],
    handshakes: threading.Semaphore,
) -> Eyes:
    """Made from what the inventory names; a pair behind keepalived needs none. `passwords`: see ClusterSpec.secrets."""
    eyes: list[Eye] = []
    if cluster.sentinels:
        from console.transport.sentinel_eye import SentinelEye

        eyes += [SentinelEye(one, cluster.master_name, passwords.get(one.name), now) for one in cluster.sentinels]
    if cluster.directors:
        from console.transport.director_eye import DirectorEye

        eyes += [DirectorEye(one, cluster.read_vip, now, handshakes) for one in cluster.directors]
    if cluster.consul is not None:
        from console.transport.consul_eye import ConsulEye

        ipv6 = ":" in cluster.nodes[0].address
        eyes.append(ConsulEye(cluster.consul, passwords.get(CONSUL_TOKEN), now, ipv6=ipv6))
    return Eyes(tuple(eyes))
