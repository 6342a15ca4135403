"""Edits the lines of a Redis configuration file that decide the role of its next start."""

from __future__ import annotations

from collections.abc import Callable

from console.core.command import Planned
from console.core.inventory import NodeSpec
from console.core.model.facts import redis_processes
from console.core.replication.disk_data import name_the_file
from console.core.replication.replicaof_line import mask, with_master, without_master
from console.engine.actions.config_edit import redis_test, replace_file, sha256, shown_diff
from console.engine.actions.request import PlanError, Request

_LATER = "(of the file as it is when the step is confirmed)"
_PATH_LATER = "the configuration file that its Redis names when it runs"


def set_replicaof(request: Request) -> tuple[Planned, ...]:
    """Makes the next start of the node's Redis that of a replica, whatever it is now."""
    return _follow(request, "Makes Redis on {node} start as a replica of {source}")


def keep_replica(request: Request) -> tuple[Planned, ...]:
    """The same for a node that is this replica already: its next start keeps its role."""
    return _follow(request, "Keeps Redis on {node} a replica of {source} after its next start")


def keep_master(request: Request) -> tuple[Planned, ...]:
    """The next start of the node, which is a master, keeps its role."""
    return _follow_nobody(request, f"Keeps Redis on {request.node.name} a master after its next start")


def clear_replicaof(request: Request) -> tuple[Planned, ...]:
    """The next start of the node, which is down, makes it a master of its own."""
    return _follow_nobody(request, f"Makes Redis on {request.node.name} start as a master, with its own data")


def _follow(request: Request, summary: str) -> tuple[Planned, ...]:
    source = _source(request)
    target = f"{source.address} {source.redis.port}"
    return _edit(
        request,
        summary.format(node=request.node.name, source=f"{source.name} ({target})"),
        f"the last slaveof or replicaof line becomes: {target}",
        lambda before: with_master(before, source.address, source.redis.port),
    )


def _follow_nobody(request: Request, summary: str) -> tuple[Planned, ...]:
    return _edit(request, summary, "every slaveof and replicaof line is taken out", without_master)


def _source(request: Request) -> NodeSpec:
    """The node to follow. Raises PlanError if it cannot be followed by its own address."""
    node, source = request.node, request.role("source")
    if source.address == request.context.cluster.vip:
        raise PlanError(
            f"the address of {source.name} in the inventory is the virtual IP: a replica needs the node's own address"
        )
    if source.name == node.name:
        raise PlanError(f"{node.name} cannot follow itself")
    return source


def _edit(request: Request, summary: str, later: str, change: Callable[[bytes], bytes]) -> tuple[Planned, ...]:
    """Edits the file as it is on the node now, and keeps a copy of it beside it. `later`: the change in a plan."""
    node, stamp = request.node, request.context.stamp
    state = request.state.node(node.name)
    path = node.redis.config or (state.redis_file.value.path if state.redis_file.value is not None else "")
    test = redis_test(next((one.pid for one in redis_processes(state)), None))
    if request.context.read_file is None:
        command = replace_file(path or _PATH_LATER, _LATER, b"", stamp, sudo=node.ssh.sudo, tested=test)
        return (Planned(node.name, command, f"{summary}, in {path or _PATH_LATER}.", detail=later),)
    if not path:
        raise PlanError(f"the configuration file of Redis on {node.name} is not known: {name_the_file(node.name)}")
    try:
        before = request.context.read_file(node.name, path)
    except OSError as error:
        raise PlanError(f"{node.name}:{path} cannot be read: {error}") from None
    after = change(before)
    if after == before:
        return ()
    command = replace_file(path, sha256(before), after, stamp, sudo=node.ssh.sudo, tested=test)
    return (Planned(node.name, command, f"{summary}, in {path}.", detail=shown_diff(path, before, after, mask)),)
