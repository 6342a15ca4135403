"""Edits a Redis configuration file, so that the server starts as a replica or as a master."""

from __future__ import annotations

from collections.abc import Callable

from console.core.command import Planned
from console.core.replication.replicaof_line import mask, with_master, without_master
from console.engine.actions.config_edit import REDIS, replace_file, sha256, shown_diff
from console.engine.actions.request import PlanError, Request

_LATER = "(of the file as it is when the step is confirmed)"


def set_replicaof(request: Request) -> tuple[Planned, ...]:
    """Edits the file as it is on the node now, and keeps a copy of it beside it."""
    node, source = request.node, request.role("source")
    if source.address == request.context.cluster.vip:
        raise PlanError(
            f"the address of {source.name} in the inventory is the virtual IP: a replica needs the node's own address"
        )
    if source.name == node.name:
        raise PlanError(f"{node.name} cannot follow itself")
    target = f"{source.address} {source.redis.port}"
    return _edit(
        request,
        f"Makes Redis on {node.name} start as a replica of {source.name} ({target})",
        f"the last slaveof or replicaof line becomes: {target}",
        lambda before: with_master(before, source.address, source.redis.port),
    )


def clear_replicaof(request: Request) -> tuple[Planned, ...]:
    """Turns each slaveof and replicaof line into a comment, and keeps a copy of the file beside it."""
    summary = f"Makes Redis on {request.node.name} start as a master, with its own data"
    return _edit(request, summary, "each slaveof and replicaof line becomes a comment", without_master)


def _edit(request: Request, summary: str, later: str, change: Callable[[bytes], bytes]) -> tuple[Planned, ...]:
    """The command that edits the file as it is on the node now. `later`: what is shown while no run is armed."""
    node = request.node
    seen = request.state.node(node.name).redis_file
    path = node.redis.config or (seen.value.path if seen.value is not None else "")
    if not path:
        raise PlanError(f"the configuration file of Redis on {node.name} is not known: name it, redis.config")
    summary = f"{summary}, in {path}."
    if request.context.read_file is None:
        command = replace_file(path, _LATER, b"", request.context.stamp, sudo=node.ssh.sudo, tested=REDIS)
        return (Planned(node.name, command, summary, detail=later),)
    try:
        before = request.context.read_file(node.name, path)
    except OSError as error:
        raise PlanError(f"{node.name}:{path} cannot be read: {error}") from None
    after = change(before)
    if after == before:
        return ()
    command = replace_file(path, sha256(before), after, request.context.stamp, sudo=node.ssh.sudo, tested=REDIS)
    return (Planned(node.name, command, summary, detail=shown_diff(path, before, after, mask)),)
