"""What a full sync needs: memory and disk of both nodes, and time (H11).

Measured are how long the source's last save and last fork took, and how large its last dump was. The speed of the
network and of loading cannot be known before. Those rates are guesses, and the text says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from console.core.conditions.servers import COPY_ON_WRITE_MARGIN, DISK_MARGIN
from console.core.model import ClusterState, NodeState, Redis
from console.core.model.verdict import Verdict
from console.core.quantities import size, span
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate

SAVE_RATE, NETWORK_RATE, LOAD_RATE = 100_000_000, 100_000_000, 50_000_000
"""Bytes of RDB a second: guesses for a present-day server on a network of 1 Gbit/s."""
WAIT_FOR_MORE = 5
"""Seconds that a diskless master waits for more replicas: the default of repl-diskless-sync-delay."""


@dataclass(frozen=True, slots=True)
class SyncCost:
    """In words and numbers."""

    lines: tuple[str, ...]
    warnings: tuple[str, ...]


def cost(state: ClusterState, source: NodeState, target: NodeState) -> SyncCost | None:
    """None: the source cannot be read."""
    s = source.redis.value
    if s is None:
        return None
    rdb, basis = _rdb(source, s)
    lines = [_fork(source, s), _time(s, rdb, basis)]
    warnings: list[str] = []
    headroom = evaluate(Condition("fork-headroom", "source"), state, {"source": source.name})
    if headroom.verdict is Verdict.FAILS:
        warnings.append(f"no headroom for the fork on {source.name}: {headroom.evidence}")
    elif headroom.verdict is Verdict.UNKNOWN:
        lines.append(f"headroom for the fork on {source.name} is not known: {headroom.evidence}")
    for node, needs in ((source, not s.config.diskless_sync), (target, _loads_from_disk(target))):
        _disk(node, rdb, needs, lines, warnings)
    _memory(s, target, lines, warnings)
    return SyncCost(tuple(lines), tuple(warnings))


def _rdb(source: NodeState, s: Redis) -> tuple[int, str]:
    """How large the RDB will be, and by what. The last dump, unless the data has outgrown it."""
    saved = source.dump.value
    if saved is not None and 0 < saved.size <= s.used_memory and (s.persistence.rdb_last_save or 0) > 0:
        return saved.size, f"its last dump had {size(saved.size)}"
    return s.used_memory, f"{size(s.used_memory)} in memory, an RDB is smaller"


def _fork(source: NodeState, s: Redis) -> str:
    memory = source.memory.value
    room = "memory not known"
    if memory is not None:
        overcommit = {0: "heuristic", 1: "always", 2: "never"}.get(memory.overcommit, "unknown")
        room = f"{size(memory.available)} available, overcommit {overcommit}"
    last = s.persistence.last_fork_seconds
    took = "" if last is None else f"; its last fork stopped it for {last * 1000:.0f} ms"
    used, copied = size(s.used_memory), size(int(s.used_memory * COPY_ON_WRITE_MARGIN))
    return f"cost on {source.name}: a fork of {used}, up to {copied} more memory while it saves ({room}){took}"


def _time(s: Redis, rdb: int, basis: str) -> str:
    measured = s.persistence.rdb_last_seconds
    saving = max(1.0, float(measured)) if measured is not None else rdb / SAVE_RATE
    how = f"saving {measured} s as its last time" if measured is not None else f"saving at {_rate(SAVE_RATE)} (a guess)"
    diskless = s.config.diskless_sync
    waits = WAIT_FOR_MORE if diskless else 0
    total = waits + saving + rdb / NETWORK_RATE + rdb / LOAD_RATE
    wait = f", waiting {waits} s for more replicas unless it is configured otherwise" if waits else ""
    return (
        f"time: about {span(max(1.0, total))} for an RDB of about {size(rdb)} ({basis}): {how},"
        f" the network at {_rate(NETWORK_RATE)} and loading at {_rate(LOAD_RATE)} (both guesses){wait}"
    )


def _disk(node: NodeState, rdb: int, needs: bool, lines: list[str], warnings: list[str]) -> None:
    disk = node.disk.value
    if not needs:
        lines.append(f"disk on {node.name}: none, it is configured without")
    elif disk is None:
        lines.append(f"disk on {node.name}: {size(rdb)}; what is free is not known: {node.disk.problem}")
    elif disk.free < int(rdb * DISK_MARGIN):
        warnings.append(
            f"disk on {node.name}: {size(disk.free)} free in {disk.path}, {size(rdb)} needed beside the old"
        )
    else:
        lines.append(f"disk on {node.name}: {size(rdb)} beside the old dump, {size(disk.free)} free in {disk.path}")


def _memory(s: Redis, target: NodeState, lines: list[str], warnings: list[str]) -> None:
    """The old data set is dropped before the new one is loaded, so its memory counts as free."""
    memory, t = target.memory.value, target.redis.value
    if memory is None:
        lines.append(f"memory on {target.name}: {size(s.used_memory)}; what is free is not known")
        return
    room = memory.available + (t.used_memory if t is not None else 0)
    text = f"memory on {target.name}: {size(s.used_memory)} of data to hold, room for {size(room)}"
    (warnings if room < s.used_memory else lines).append(text)


def _loads_from_disk(target: NodeState) -> bool:
    redis = target.redis.value
    return redis is None or redis.config.diskless_load in {None, "disabled"}


def _rate(bytes_per_second: int) -> str:
    return f"{size(bytes_per_second)}/s"
