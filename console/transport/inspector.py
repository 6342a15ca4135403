"""Observes one cluster: each node's shell and Redis, and what answers at the virtual IP. It cannot change anything."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.core.command import Secret
from console.core.inventory import ClusterSpec, NodeSpec
from console.core.model import (
    ClusterState,
    NodeState,
    Problem,
    ProblemKind,
    Reading,
    VipReach,
    unknown_node,
    unread,
)
from console.core.model.assembling import assemble_node
from console.transport.clock import Clock
from console.transport.connections.answer_times import SHORTEST_DEADLINE
from console.transport.connections.errors import RemoteError
from console.transport.connections.own_load import own_load
from console.transport.connections.patience import GRACE, Pace
from console.transport.redis.inspector import OpenTunnel, RedisInspector
from console.transport.redis.vip_inspector import VipInspector
from console.transport.ssh.host_inspector import HostInspector
from console.transport.ssh.shells.remembered import RememberedPaths
from console.transport.ssh.shells.request import Paths, RedisFiles
from console.transport.watcher_inspectors import watcher_inspectors

if TYPE_CHECKING:  # a single observation, as `status` makes it, needs none of them
    from console.core.access.trial import RedisTrial
    from console.core.drills.capture import HostFacts
    from console.core.previews.key_comparison import KeyComparison
    from console.core.previews.quiescence import TrafficSample
    from console.transport.redis.keys.reader import RedisKeyReader

ANSWER_DEADLINE = SHORTEST_DEADLINE
"""Seconds that one poll waits for the answers of all nodes."""
OPS_DISTORTED_FOR = 3.0
"""Seconds after a comparison of keys in which the server's ops per second are mostly due to that comparison."""
FULL_EVERY = 10.0
"""Seconds between two readings of what changes rarely."""

_handshakes: dict[int, threading.Semaphore] = {}


def make_inspector(
    cluster: ClusterSpec,
    passwords: Mapping[str, Secret | None],
    clock: Clock,
    *,
    parallel: int = 32,
    timeout: float | None = None,
    cache: Path | None = None,
) -> ClusterInspector:
    """An inspector for one cluster. `parallel`: how many SSH handshakes may run at a time in this process.

    `timeout`: seconds for each step of connecting to a node. None: the node's `ssh.connect_timeout`. `cache`: a folder
    for the names of the files that were read on the nodes, so that the next inspector asks for all of them at once.
    """
    handshakes = _handshakes.setdefault(parallel, threading.Semaphore(parallel))
    hosts = [one.ssh for one in cluster.nodes] + [one.ssh for one in cluster.directors]
    longest = timeout or max(one.connect_timeout for one in hosts)
    remembered = RememberedPaths(cache, cluster) if cache is not None else None
    return ClusterInspector(cluster, passwords, clock, handshakes, Pace(longest), remembered)


class ClusterInspector:
    """Implements the engine's Inspector. Connections stay open, and a poll does not wait for new ones."""

    def __init__(
        self,
        cluster: ClusterSpec,
        passwords: Mapping[str, Secret | None],
        clock: Clock,
        handshakes: threading.Semaphore,
        pace: Pace,
        remembered: RememberedPaths | None = None,
    ) -> None:
        self._spec = cluster
        self._remembered = remembered
        self._pace = pace
        self._clock = clock
        self._lock = threading.Lock()
        self._last: ClusterState | None = None
        self._traffic: tuple[TrafficSample, ...] = ()
        self._keys_compared_at = 0.0
        self._full_at = 0.0
        self._closed = False
        self._nodes = [
            _NodeInspector(
                one,
                cluster,
                passwords.get(one.name),
                clock,
                handshakes,
                pace,
                remembered.of(one.name) if remembered is not None else None,
            )
            for one in cluster.nodes
        ]
        tunnels = {node.spec.name: node.host.open_tunnel for node in self._nodes}
        self._watchers = watcher_inspectors(cluster, passwords, clock.now, handshakes, tunnels, pace)
        first = cluster.nodes[0]
        self._vip = VipInspector(cluster.vip, first, passwords.get(first.name), clock.now, self._tunnel_to_vip)

    @property
    def cluster(self) -> str:
        return self._spec.name

    def observe(self, *, fresh: bool = False) -> ClusterState:
        """Makes an observation. If another one is under way and `fresh` is false, the last one is returned."""
        last = self._last
        if last is not None and not fresh and self._lock.locked():
            return last
        with self._lock:  # not acquire() and try: Ctrl-C between the two would leave the lock held for ever
            if self._closed:
                return self._last or self._nothing()
            before, self._last = self._last, self._observe(fresh=fresh, first=self._last is None)
            if before is not None:
                self._remember(before, self._last)
            elif self._remembered is not None:
                self._remembered.keep({one.spec.name: one.host.paths for one in self._nodes if one.answers})
            return self._last

    def read_files(self, node: str, paths: Sequence[str]) -> HostFacts:
        """Facts of a node's or director's host and text files of it, over the connection that observes it."""
        host = {**{one.spec.name: one.host for one in self._nodes}, **self._watchers.directors}[node]
        try:
            return host.read_files(paths)
        except RemoteError as error:
            raise OSError(f"{node}: {error.problem.text}") from None

    @property
    def waits_for(self) -> Mapping[str, str]:
        """Node → the step of connecting that it has come to; empty: it has answered, or failed. From any thread."""
        return {node.spec.name: node.waits_for for node in self._nodes}

    @property
    def traffic_samples(self) -> tuple[TrafficSample, ...]:
        """The master's traffic in the observations of the last minutes, oldest first."""
        if not self._traffic and self._last is not None:
            self._remember(self._last)
        return self._traffic

    def _remember(self, *states: ClusterState) -> None:
        from console.core.previews.quiescence import add_sample

        for state in states:
            if not 0 <= state.observed_at - self._keys_compared_at < OPS_DISTORTED_FOR:
                self._traffic = add_sample(self._traffic, state)

    def compare(self, source: str, target: str) -> KeyComparison:
        """Samples the keys of both servers and lists the target's clients, over new connections."""
        from console.transport.redis import key_sampler

        inspectors = {node.spec.name: node.redis for node in self._nodes}
        pair = {name: inspectors[name] for name in (source, target)}
        seen = {name: inspector.reading for name, inspector in pair.items()}
        now = self._clock.now
        for reading in seen.values():
            if reading.problem is not None:
                return key_sampler.not_compared(source, target, reading.problem, now())
        servers = {name: reading.value for name, reading in seen.items() if reading.value is not None}
        keys = {name: server.keys for name, server in servers.items()}
        with contextlib.ExitStack() as stack:
            opened = {}
            try:
                for name, inspector in pair.items():
                    opened[name] = inspector.new_connection(exact=True)
                    stack.callback(opened[name].close)
                    opened[name].connect()
                try:
                    with own_load(*(one.where for one in pair.values())):
                        return key_sampler.compare(source, target, opened, keys, servers[target].clients, now)
                finally:
                    self._keys_compared_at = now()
            except RemoteError as error:
                problem = error.problem
            except Exception as error:  # noqa: BLE001 - a preview that cannot be measured must not end a run
                problem = Problem(ProblemKind.BAD_ANSWER, f"{type(error).__name__}: {error}"[:300])
            return key_sampler.not_compared(source, target, problem, now())

    def try_redis(self) -> Mapping[str, RedisTrial]:
        """Tries each Redis over connections of their own, side by side, after an observation."""
        from console.transport.redis.trials import try_all

        reachable = [node.spec.name for node in self._nodes if node.host.open]
        return try_all({node.spec.name: node.redis for node in self._nodes}, reachable)

    def read_keys(self, node: str) -> RedisKeyReader:
        """A connection of its own to the node's Redis. Raises OSError if another server answers there than before."""
        from console.transport.redis.keys.reader import open_reader

        (inspector,) = (one.redis for one in self._nodes if one.spec.name == node)
        seen = inspector.reading.value
        return open_reader(node, inspector.new_connection(exact=True), seen.run_id if seen else "", self._clock.now)

    def reconnect(self) -> None:
        """Connects now to the nodes that are not connected, without waiting for the backoff."""
        with self._lock:
            for node in self._nodes:
                node.host.reset_backoff()
                node.redis.reset_backoff()
                node.start_connecting(force=True)
            self._watchers.reset_backoff()
            self._watchers.start_connecting(force=True)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for node in self._nodes:
                node.host.close()
                node.redis.close()
            self._watchers.close()
            self._vip.close()

    def _observe(self, *, fresh: bool, first: bool) -> ClusterState:
        wait = fresh or first
        # Before it connects: a connection that is given up here is made anew for this observation. Only a fresh
        # observation waits for what an earlier poll has waited for already.
        late_by = time.monotonic() + self._patience(fresh=True) if fresh else 0.0
        for node in self._nodes:
            node.receive_late(late_by)
        for node in self._nodes:
            node.start_connecting(force=wait)
        self._watchers.start_connecting(force=wait)
        if not first or (fresh and self._vip.direct):
            self._vip.ask()
        full = wait or time.monotonic() - self._full_at >= FULL_EVERY
        if full:
            self._full_at = time.monotonic()
        just_connected = self._finish_connecting(fresh=fresh, wait=wait)
        if first:
            # Through SSH it could not be asked earlier. On a busy machine the first time was perhaps too short.
            self._vip.ask_if_silent(self._pace.seen)
        for node, opened in zip(self._nodes, just_connected, strict=True):
            node.ask(*opened, full=full, fresh=wait)
        self._watchers.ask(full=full)
        answer_by = time.monotonic() + self._patience(fresh=fresh)
        for node in self._nodes:
            node.receive(answer_by)
        self._watchers.receive(answer_by)
        self._vip.receive(answer_by, fresh=fresh, held=any(self._holds(node) is not False for node in self._nodes))
        return self._state()

    def _finish_connecting(self, *, fresh: bool, wait: bool) -> list[tuple[bool, bool]]:
        """Waits for the connections. Returns for each node whether its host and its Redis are connected just now.

        A fresh observation waits for each host as long as that gets on, and then for what is slower than its host.
        """
        began = time.monotonic()
        hosts_by = math.inf if fresh else began + (ANSWER_DEADLINE if wait else 0.0)
        hosts = [node.host.finish_connecting(hosts_by) for node in self._nodes]
        others_by = hosts_by
        if fresh:
            others_by = max(began + self._pace.longest, time.monotonic() + self._pace.patience) + GRACE
        servers = [node.redis.finish_connecting(others_by) for node in self._nodes]
        self._watchers.finish_connecting(hosts_by, others_by)
        return list(zip(hosts, servers, strict=True))

    def _patience(self, *, fresh: bool) -> float:
        """Seconds to wait for answers. A fresh observation waits longer for a node whose last answers were late."""
        return max(self._pace.seen, *(node.worth_waiting for node in self._nodes)) if fresh else ANSWER_DEADLINE

    def _state(self) -> ClusterState:
        nodes = tuple(
            assemble_node(node.spec, self._spec.vip, node.host.readings, node.redis.reading) for node in self._nodes
        )
        return self._seen(nodes, self._vip.reading)

    def _seen(self, nodes: tuple[NodeState, ...], vip_reach: Reading[VipReach]) -> ClusterState:
        spec = self._spec
        state = ClusterState(
            name=spec.name,
            kind=spec.kind,
            vip=spec.vip,
            nodes=nodes,
            vip_reach=vip_reach,
            observed_at=self._clock.now(),
            master_name=spec.master_name,
            read_vip=spec.read_vip,
        )
        return self._watchers.add_to(state)

    def _nothing(self) -> ClusterState:
        problem = Problem(ProblemKind.NOT_READ, ProblemKind.NOT_READ.value)
        nodes = tuple(unknown_node(one.name, one.address, one.redis.port, problem) for one in self._spec.nodes)
        return self._seen(nodes, unread(ProblemKind.NOT_READ))

    def _tunnel_to_vip(self) -> tuple[str, OpenTunnel] | None:
        """A node through which to reach the virtual IP, if possible not its holder: that would only reach itself."""
        able = [node for node in self._nodes if node.host.open]
        away = [node for node in able if self._holds(node) is not True]
        chosen = next(iter(away or able), None)
        return (chosen.spec.name, chosen.host.open_tunnel) if chosen else None

    def _holds(self, node: _NodeInspector) -> bool | None:
        """Whether the node's kernel has the virtual IP. None: its addresses were not read in this observation."""
        addresses = node.host.readings.addresses.value
        return None if addresses is None else any(one.address == self._spec.vip for one in addresses)


class _NodeInspector:
    """The two inspectors of one node: its host and its Redis."""

    def __init__(  # noqa: PLR0913, PLR0917 - a node, and how to reach it
        self,
        spec: NodeSpec,
        cluster: ClusterSpec,
        password: Secret | None,
        clock: Clock,
        handshakes: threading.Semaphore,
        pace: Pace,
        guess: Paths | None,
    ) -> None:
        self.spec = spec
        arp = bool(cluster.read_vip)
        self.host = HostInspector(
            spec, cluster.vip, clock.now, handshakes, self._redis_files, arp=arp, pace=pace, guess=guess
        )
        self.redis = RedisInspector(spec, password, clock.now, self.host.open_tunnel, ANSWER_DEADLINE, pace)
        self._late = (False, False)
        self._asked_again = False

    @property
    def answers(self) -> bool:
        """Whether its host and its Redis have answered, so that it is known which files there are."""
        return self.host.readings.identity.ok and self.redis.reading.ok

    @property
    def worth_waiting(self) -> float:
        """Seconds that a fresh observation waits for an answer of the node."""
        return max(self.host.worth_waiting, self.redis.worth_waiting)

    @property
    def waits_for(self) -> str:
        """What its first answers wait for; empty: nothing."""
        return self.host.waits_for or ("Redis" if self.redis.connecting else "")

    def start_connecting(self, *, force: bool) -> None:
        self.host.start_connecting(force=force)
        self.redis.start_connecting(force=force)

    def receive_late(self, deadline: float) -> None:
        """Receives the answers to the questions of earlier polls."""
        self.redis.receive(deadline)
        self.host.receive(deadline)

    def ask(self, host_is_new: bool, redis_is_new: bool, *, full: bool, fresh: bool) -> None:
        """Sends the questions. A new connection has asked the first ones already."""
        self._late = (self.host.waiting, self.redis.waiting)
        self._asked_again = host_is_new
        outdated = host_is_new and self.host.outdated
        dropped = outdated and self.host.drop_guess()
        if not host_is_new or dropped or (fresh and outdated):
            self.host.ask(full=dropped or (full and not host_is_new))
        if not redis_is_new:
            self.redis.ask(full=full)

    def receive(self, deadline: float) -> None:
        """Receives the answers to what `ask` has sent."""
        host_is_late, redis_is_late = self._late
        self.redis.receive(0.0 if redis_is_late else deadline)
        # What the first answer said stands, even if files that only it has named cannot be read in time.
        self.host.receive(0.0 if host_is_late else deadline, keep=self._asked_again)

    def _redis_files(self) -> RedisFiles:
        """By the server; while it does not run, by what it said last, the inventory or its configuration file."""
        config, spec, file = self.redis.config, self.spec.redis, self.host.readings.redis_file.value
        folder = config.dir or spec.dir
        if not folder and file is not None and file.dir.startswith("/"):
            folder = file.dir.rstrip("/")
        log = config.logfile or ""
        if log and not log.startswith("/"):
            log = f"{folder}/{log}" if folder else ""
        return RedisFiles(
            folder,
            config.dbfilename or spec.dbfilename or (file.dbfilename if file else ""),
            log,
            self.redis.config_file or spec.config,
            config.appendfilename or (file.appendfilename if file else ""),
            config.appenddirname or (file.appenddirname if file else ""),
        )
