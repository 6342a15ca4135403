"""A screen that looks at a pair all the time, and what must hold of everything that it is shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Self

from console.core.inventory import RedisRoute
from console.core.kinds.diagnose import diagnose
from console.core.model import ClusterState, NodeState, Reading
from console.documents.inventories.inventory import load_inventory
from console.documents.inventories.passwords import resolve
from console.lab.assembly.laboratory import Laboratory
from console.transport.clock import SystemClock
from console.transport.inspector import ANSWER_DEADLINE, ClusterInspector, make_inspector
from console.tui.threads.messages import ClusterObserved
from console.tui.threads.observation_threads import ObservationThreads

CONNECT_TIMEOUT = 1.0
INTERVAL = 0.4
"""Seconds between two looks: more than twice as often as the console."""
NOTHING_IS_A_VALUE = {"run_lock"}
"""Readings of which None says something: that nobody has it."""
SLACK = 6.0
"""How many times its own deadline an observation may take on a machine that does much else."""


def inspector_of(
    lab: Laboratory, *, ssh_port: int = 22, redis_port: int = 6379, via: RedisRoute = RedisRoute.DIRECT
) -> ClusterInspector:
    """Eyes as the console makes them, by the laboratory's inventory; other ports are those of relays."""
    cluster = load_inventory(lab.inventory).clusters[0]
    nodes = tuple(
        replace(
            node,
            ssh=replace(node.ssh, port=ssh_port, connect_timeout=CONNECT_TIMEOUT),
            redis=replace(node.redis, port=redis_port, via=via),
        )
        for node in cluster.nodes
    )
    words = {node.name: resolve(node.redis.password, node.name) if node.redis.password else None for node in nodes}
    return make_inspector(replace(cluster, nodes=nodes), words, SystemClock(), parallel=4)


class Screen:
    """Asks an inspector through the screens' own eyes, and keeps what came of it."""

    def __init__(self, inspector: ClusterInspector) -> None:
        self.inspector = inspector
        self.failures: list[str] = []
        self.count = 0
        self.states: list[ClusterState] = []
        self.longest = 0.0
        """Seconds that the slowest observation took."""
        self.wrong: set[str] = set()
        """What no reading may be, and one was."""
        self.codes: set[str] = set()
        """Findings since `forget`."""
        self._asked_at = 0.0
        self._observations = ObservationThreads(lambda _: inspector, self._post)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)

    def _run(self) -> None:
        while not self._end.wait(INTERVAL):
            if not self._observations.under_way("cache"):
                self._asked_at = time.monotonic()
                self._observations.request("cache")

    def _post(self, message: object) -> None:
        self.longest = max(self.longest, time.monotonic() - self._asked_at)
        if not isinstance(message, ClusterObserved):
            self.failures.append(str(vars(message)))
            return
        self.count += 1
        self.wrong |= set(faulty(message.state))
        self.codes |= {one.code for one in diagnose(message.state, message.state.observed_at)}
        self.states.append(message.state)
        del self.states[:-5]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=30)

    def forget(self) -> None:
        self.codes.clear()
        self.longest = 0.0

    def until(self, condition: Callable[[ClusterState], object], what: str, deadline: float = 60.0) -> ClusterState:
        """The first state from now on of which the condition holds."""
        end, last = time.monotonic() + deadline, self.states[-1] if self.states else None
        while True:
            state = self.states[-1] if self.states else None
            if state is not None and state is not last and condition(state):
                return state
            assert time.monotonic() < end, f"never seen: {what}\n{state}\n{sorted(self.codes)}"
            time.sleep(0.05)

    def assert_sound(self) -> None:
        """Nothing raised, nothing hung, and every reading said what it is."""
        assert not self.failures
        assert not self.wrong
        assert self.longest / ANSWER_DEADLINE < SLACK, self.longest


@contextmanager
def watching(inspector: ClusterInspector) -> Iterator[Screen]:
    """A screen on this inspector; at its end everything that it was shown must have been sound."""
    try:
        with Screen(inspector) as screen:
            screen.until(lambda state: state.observed_at, "a first observation")
            screen.forget()
            yield screen
        screen.assert_sound()
    finally:
        inspector.close()


def readings(node: NodeState) -> Iterator[tuple[str, Reading[object]]]:
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Reading):
            yield field.name, value


def faulty(state: ClusterState) -> Iterator[str]:
    """What is wrong with a state whatever the servers do: a reading is a value or a problem in words, with its age."""
    assert is_dataclass(state)
    for node in state.nodes:
        for name, reading in readings(node):
            where = f"{node.name} {name}"
            if reading.value is not None and reading.problem is not None:
                yield f"{where}: a value and a problem"
            if reading.value is None and reading.problem is None and name not in NOTHING_IS_A_VALUE:
                yield f"{where}: neither value nor problem"
            if reading.value is not None and not reading.at:
                yield f"{where}: a value without an age"
            if reading.at > state.observed_at + 0.01:
                yield f"{where}: read after it was shown"
            if reading.problem is not None:
                text = str(reading.problem)
                if not text.strip() or "\n" in text or "Traceback" in text:
                    yield f"{where}: a problem that is not one line of words: {text!r}"
    if (state.vip_reach.value is None) == (state.vip_reach.problem is None):
        yield "virtual IP: neither value nor problem, or both"


def well(state: ClusterState) -> bool:
    """Every node is read, over SSH and from Redis."""
    return all(node.ssh.ok and node.redis.ok and node.processes.ok for node in state.nodes)
