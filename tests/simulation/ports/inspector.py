"""The engine's Inspector over the model. An observation takes time, and the hosts are read one after the other."""

from __future__ import annotations

from collections.abc import Callable

from simulation.ports.consul_port import consul_state
from simulation.ports.readings import host_readings, redis_reading
from simulation.ports.sentinel_port import sentinel_state
from simulation.world.host import Host
from simulation.world.world import World

from console.core.inventory import ClusterSpec
from console.core.model import ClusterState, Problem, ProblemKind, Reading, Redis, Role, VipReach, read, unread
from console.core.model.assembling import HostReadings, assemble_node, nothing_read
from console.core.previews.key_comparison import (
    Clients,
    DbSample,
    DifferingKey,
    KeyComparison,
    KeyDifference,
    KeySample,
)
from console.core.previews.quiescence import TrafficSample

READ_SECONDS = 0.03
"""For one host."""


class ModelInspector:
    """Implements the engine's Inspector."""

    def __init__(self, world: World, cluster: ClusterSpec, touch: Callable[[str], None]) -> None:
        """`touch` is called at each call of a port: there the night happens."""
        self._world = world
        self._spec = cluster
        self._touch = touch
        self.last: ClusterState | None = None

    @property
    def cluster(self) -> str:
        return self._spec.name

    def observe(self, *, fresh: bool = False) -> ClusterState:
        self._touch("observe")
        world = self._world
        world.looked_at = world.now
        nodes = []
        for spec in self._spec.nodes:
            world.advance(READ_SECONDS)
            host = world.hosts[spec.name]
            nodes.append(assemble_node(spec, self._spec.vip, self._host(host), self._redis(host)))
        consul = self._spec.consul
        self.last = ClusterState(
            name=self._spec.name,
            kind=self._spec.kind,
            vip=self._spec.vip,
            nodes=tuple(nodes),
            vip_reach=self._reach(),
            observed_at=world.now,
            master_name=self._spec.master_name,
            sentinels=tuple(sentinel_state(world, one) for one in self._spec.sentinels),
            consul=consul_state(world, consul) if consul is not None else None,
        )
        return self.last

    def _host(self, host: Host) -> HostReadings:
        silent = self._silence(host, self._world.network.silent_ssh)
        return nothing_read(silent, self._world.now) if silent else host_readings(host, self._world.now)

    def _redis(self, host: Host) -> Reading[Redis]:
        silent = self._silence(host, self._world.network.silent_redis)
        return Reading(None, silent, self._world.now) if silent else redis_reading(host.redis, self._world.now)

    @staticmethod
    def _silence(host: Host, silent: set[str]) -> Problem | None:
        if not host.up:
            return Problem(ProblemKind.UNREACHABLE, f"no route to {host.address}")
        if host.name in silent:
            return Problem(ProblemKind.TIMEOUT, f"no answer in time: {host.address}")
        return None

    def _reach(self) -> Reading[VipReach]:
        now = self._world.now
        if not self._spec.vip:
            return unread(ProblemKind.NOT_CONFIGURED, "the cluster has no virtual IP", now)
        host = self._world.network.behind_vip()
        if host is None or host.name in self._world.network.silent_redis:
            return unread(ProblemKind.UNREACHABLE, f"no answer at {self._spec.vip}:6379", now)
        process = host.redis.process
        if process is None:
            return unread(ProblemKind.REFUSED, f"connection refused: {self._spec.vip}:6379", now)
        if not host.redis.answers:
            return unread(ProblemKind.TIMEOUT, f"no answer in time: {self._spec.vip}:6379", now)
        return read(VipReach(process.run_id, Role(host.redis.role), "direct"), now)

    def compare(self, source: str, target: str) -> KeyComparison:
        """All keys of both, as the data sets are small."""
        self._touch("compare")
        self._world.advance(0.1)
        sides = [self._world.hosts[name].redis for name in (source, target)]
        now = self._world.now
        if any(one.process is None or not one.answers for one in sides):
            problem = Problem(ProblemKind.REFUSED, "connection refused")
            nothing = Reading(None, problem, now)
            return KeyComparison(source, target, nothing, nothing, nothing, 0.1)
        keys = [frozenset(one.process.keys) for one in sides if one.process is not None]
        return KeyComparison(
            source,
            target,
            of_target=read(_sample(target, source, keys[1], keys[0]), now),
            of_source=read(_sample(source, target, keys[0], keys[1]), now),
            clients=read(Clients((), 1), now),
            seconds=0.1,
        )

    def try_redis(self):
        return {}

    def read_keys(self, node: str):
        raise OSError("the model has no connections for whole values")

    @property
    def traffic_samples(self) -> tuple[TrafficSample, ...]:
        return ()

    def reconnect(self) -> None: ...

    def close(self) -> None: ...


def _sample(one: str, other: str, mine: frozenset[int], theirs: frozenset[int]) -> KeySample:
    missing = sorted(mine - theirs)
    odd = tuple(DifferingKey(0, f"write:{number}", KeyDifference.MISSING) for number in missing[:5])
    sample = DbSample(0, len(mine), len(mine), missing=len(missing), alike=len(mine & theirs))
    return KeySample(one, other, (sample,), odd)
