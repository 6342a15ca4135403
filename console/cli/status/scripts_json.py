"""What running keepalived scripts will still do, for `status --format json`."""

from __future__ import annotations

from typing import Any

from console.core.keepalived.running_scripts import PendingLine, pending_lines, window
from console.core.model import ClusterState, NodeState

_DECIMALS = 1


def pending_json(state: ClusterState, node: NodeState) -> list[dict[str, Any]] | None:
    """The lines of running notify scripts that change replication, the soonest first. None: it is not known."""
    found = [_line(one, state.observed_at) for one in pending_lines(state, node)]
    return found if found or node.processes.ok else None


def window_json(state: ClusterState) -> dict[str, Any] | None:
    """The time in which a failure of the master loses writes. None: no running script opens such a window."""
    found = window(state)
    if found is None:
        return None
    return {
        "master": found.master,
        "heir": found.heir,
        "open": found.opens is None,
        "opens_in_seconds": _seconds_left(found.opens, state.observed_at),
        "closes_in_seconds": _seconds_left(found.closes, state.observed_at),
    }


def _line(one: PendingLine, now: float) -> dict[str, Any]:
    return {
        "pid": one.pid,
        "script": one.path,
        "called_for": one.what,
        "sends": one.command,
        "in_seconds": _seconds_left(one, now),
        "conditional": one.conditional,
    }


def _seconds_left(one: PendingLine | None, now: float) -> float | None:
    left = one.left(now) if one is not None else None
    return None if left is None else round(left, _DECIMALS)
