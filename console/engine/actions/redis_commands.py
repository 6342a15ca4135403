"""Commands for one Redis: SLAVEOF, the write proof through the virtual IP, and the export of keys that differ."""

from __future__ import annotations

from console.core.command import KeyExport, Planned, RedisCommand
from console.core.numbers import version_of
from console.engine.actions.request import CommandContext as CommandContext  # noqa: PLC0414
from console.engine.actions.request import NotNowError, PlanError, Request, word_of

PROOF_SECONDS = 60
"""How long the key of the write proof lives."""


SET_WITH_EX = (2, 6, 12)
"""The first Redis whose SET takes EX. Older ones need SETEX."""


def replicate(request: Request) -> tuple[Planned, ...]:
    """SLAVEOF to the source's own address. The virtual IP may be local to the target, or move (H06)."""
    source, target = request.role("source"), request.node
    if source.address == request.context.cluster.vip:
        raise PlanError(f"the address of {source.name} in the inventory is the virtual IP: SLAVEOF needs its own one")
    if source.name == target.name:
        raise PlanError(f"{target.name} cannot follow itself")
    words = (word_of(target, "SLAVEOF"), source.address, str(source.redis.port))
    summary = f"Makes {target.name} follow {source.name}: it drops its own data and takes over that of {source.name}."
    return (Planned(target.name, RedisCommand(words), summary),)


def promote(request: Request) -> tuple[Planned, ...]:
    """SLAVEOF NO ONE."""
    words = (word_of(request.node, "SLAVEOF"), "NO", "ONE")
    summary = f"Makes {request.node.name} a master with the data that it has."
    return (Planned(request.node.name, RedisCommand(words), summary),)


def write_proof(request: Request) -> tuple[Planned, ...]:
    """Writes a key through the virtual IP and reads it back: the answer must be what was written."""
    node, vip = request.node, request.context.cluster.vip
    key, value = f"redis-ha-console:proof:{request.context.run_id}", request.context.run_id
    redis = request.state.node(node.name).redis.value
    if redis is not None and version_of(redis.version) < SET_WITH_EX:
        write: tuple[str, ...] = (word_of(node, "SETEX"), key, str(PROOF_SECONDS), value)
    else:
        write = (word_of(node, "SET"), key, value, "EX", str(PROOF_SECONDS))
    return (
        Planned(
            node.name,
            RedisCommand(write, through_vip=True),
            f"Writes one key through {vip}; it expires after {PROOF_SECONDS} seconds.",
        ),
        Planned(
            node.name,
            RedisCommand((word_of(node, "GET"), key), through_vip=True),
            f"Reads it back through {vip}.",
            expect=value,
        ),
    )


def export_differences(request: Request) -> tuple[Planned, ...]:
    """Reads on both servers. The file is written beside the journal."""
    node, other = request.node, request.role("other")
    redis = request.state.node(other.name).redis.value
    if redis is None:
        raise NotNowError(f"Redis on {other.name} could not be read: {request.state.node(other.name).redis.problem}")
    path = f"{request.context.folder}/keys-of-{node.name}.jsonl"
    command = KeyExport(("SCAN",), other=other.name, other_run_id=redis.run_id, path=path)
    summary = f"Writes every key in which {node.name} differs from {other.name} to a file on this machine."
    return (Planned(node.name, command, summary),)
