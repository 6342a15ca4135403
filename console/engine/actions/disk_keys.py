"""Compares the keys on the disk of a node whose Redis is down with those of another node, and keeps what differs.

Acknowledged writes that a master never sent before it died are on its disk alone. They are gone when it becomes a
replica. This is the last moment at which they can be told by their names.
"""

from __future__ import annotations

from console.core.command import DiskKeyExport, Planned
from console.core.replication.disk_data import DiskData, UnreadDataError, newest_data
from console.engine.actions.request import NotNowError, PlanError, Request
from console.engine.actions.throw_away import throw_away_server


def export_disk_keys(request: Request) -> tuple[Planned, ...]:
    """One command, for the newest data of the node's folder. Raises PlanError."""
    other = request.role("other")
    redis = request.state.node(other.name).redis.value
    if redis is None:
        raise NotNowError(f"Redis on {other.name} could not be read: {request.state.node(other.name).redis.problem}")
    try:
        found = newest_data(request.state.node(request.node.name))
    except UnreadDataError as error:
        raise PlanError(str(error)) from None
    if found is None:
        raise PlanError(f"{request.node.name} has no dump and no append-only file on its disk")
    return (_export(request, found, other.name, redis.run_id),)


def _export(request: Request, data: DiskData, other: str, run_id: str) -> Planned:
    node = request.node
    server = throw_away_server(data, node)
    command = DiskKeyExport(
        server.script,
        sudo=server.sudo,
        timeout=server.timeout,
        other=other,
        other_run_id=run_id,
        path=f"{request.context.folder}/keys-of-{node.name}.jsonl",
    )
    summary = (
        f"Loads a copy of {data.in_words} in a throw-away server on {node.name}, and writes every key that {other}"
        " lacks, or has with another value, to a file on this machine."
    )
    return Planned(node.name, command, summary)
