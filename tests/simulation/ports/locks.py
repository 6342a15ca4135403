"""The run's lock on the hosts of the model (H26)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from simulation.world.world import World

from console.core.model import RunLock
from console.core.runs.lock import HeldElsewhereError, LostLock

ANSWER_SECONDS = 8.0
"""So long an answer of a holder is waited for (console.transport.locks.node_locks)."""


class ModelLocks:
    """Implements the engine's NodeLocks. A lock ends with its host; a silent host cannot be asked."""

    def __init__(self, world: World, touch: Callable[[str], None]) -> None:
        self._world = world
        self._touch = touch
        self._claim: RunLock | None = None
        self._held: set[str] = set()
        self._lost: dict[str, str] = {}

    def hold(self, claim: RunLock, *, over: str = "") -> Mapping[str, str]:
        self._touch("lock")
        self._claim = claim
        away: dict[str, str] = {}
        taken: list[str] = []
        for host in self._world.hosts.values():
            if not host.up or host.name in self._world.network.silent_ssh:
                if host.name not in self._held:
                    away[host.name] = f"no answer in time: {host.address}"
            elif host.lock is not None and host.lock.run_id not in (claim.run_id, over):
                self._give_up(taken)
                raise HeldElsewhereError(host.name, host.lock)
            else:
                taken += [] if host.name in self._held else [host.name]
                host.lock = replace(claim, pid=1)
                self._held.add(host.name)
                self._lost.pop(host.name, None)
        return away

    def lost(self) -> tuple[LostLock, ...]:
        self._touch("ask lock")
        if any(name in self._world.network.silent_ssh for name in self._held):
            self._world.advance(ANSWER_SECONDS)
        found = []
        for name in sorted(self._held):
            host = self._world.hosts[name]
            assert self._claim is not None
            if not host.up or name in self._world.network.silent_ssh:
                found.append(LostLock(name, f"no answer within {ANSWER_SECONDS:.0f} s"))
            elif host.lock is None or host.lock.run_id != self._claim.run_id:
                self._lost[name] = "its holder has ended"
        found += [LostLock(name, why, self._world.hosts[name].lock) for name, why in self._lost.items()]
        return tuple(found)

    def say(self, step: str) -> None: ...

    def release(self) -> None:
        self._give_up(list(self._held))

    def _give_up(self, names: list[str]) -> None:
        for name in names:
            self._held.discard(name)
            host = self._world.hosts[name]
            if host.lock is not None and self._claim is not None and host.lock.run_id == self._claim.run_id:
                host.lock = None
