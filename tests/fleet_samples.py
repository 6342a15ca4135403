"""Observations that the screens of many clusters are tried with."""

from __future__ import annotations

from dataclasses import fields, replace

import samples

from console.core.model import ClusterState, NodeState
from console.core.model.reading import Reading


def unreadable() -> ClusterState:
    """Every node refuses, over SSH and Redis, and so does the virtual IP."""
    pair, refused = samples.healthy_pair(), samples.refused()
    readings = {one.name: refused for one in fields(NodeState) if isinstance(getattr(pair.nodes[0], one.name), Reading)}
    return replace(pair, nodes=tuple(replace(one, **readings) for one in pair.nodes), vip_reach=refused)
