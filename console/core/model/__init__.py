"""What was observed: readings, nodes, clusters. Frozen values; whoever wants to know their age brings the time."""

from __future__ import annotations

from console.core.model.cluster import ClusterState, NodeState, VipReach, unknown_node
from console.core.model.host import (
    Backup,
    ClockReading,
    DiskRoom,
    HostIdentity,
    InterfaceAddress,
    Memory,
    Process,
    Processes,
    SavedFile,
)
from console.core.model.keepalived import (
    ActionKind,
    ConfigFile,
    Keepalived,
    KeepalivedConfig,
    LogTail,
    RedisFile,
    ScriptAction,
    ScriptFile,
    TrackScript,
    Transition,
    VrrpInstance,
    VrrpState,
)
from console.core.model.reading import NOT_READ, Problem, ProblemKind, Reading, read, unread
from console.core.model.redis import AttachedReplica, Backlog, MasterLink, Persistence, Redis, RedisConfig, Role

__all__ = [
    "NOT_READ",
    "ActionKind",
    "AttachedReplica",
    "Backlog",
    "Backup",
    "ClockReading",
    "ClusterState",
    "ConfigFile",
    "DiskRoom",
    "HostIdentity",
    "InterfaceAddress",
    "Keepalived",
    "KeepalivedConfig",
    "LogTail",
    "MasterLink",
    "Memory",
    "NodeState",
    "Persistence",
    "Problem",
    "ProblemKind",
    "Process",
    "Processes",
    "Reading",
    "Redis",
    "RedisConfig",
    "RedisFile",
    "Role",
    "SavedFile",
    "ScriptAction",
    "ScriptFile",
    "TrackScript",
    "Transition",
    "VipReach",
    "VrrpInstance",
    "VrrpState",
    "read",
    "unknown_node",
    "unread",
]
