"""What was observed: readings, nodes, clusters. All values are frozen. The caller passes the time to compute an age."""

from __future__ import annotations

from console.core.model.cluster import ClusterState, NodeState, VipReach, unknown_node
from console.core.model.consul import ConsulCheck, ConsulInstance, ConsulState, DnsAnswer
from console.core.model.host import (
    Backup,
    ClockReading,
    DiskRoom,
    DumpFile,
    HostIdentity,
    InterfaceAddress,
    Memory,
    Process,
    Processes,
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
    ScriptSecurity,
    TrackScript,
    Transition,
    VrrpInstance,
    VrrpState,
)
from console.core.model.lvs import ArpSettings, DirectorState, RealServer, VirtualService
from console.core.model.reading import NOT_READ, Problem, ProblemKind, Reading, read, unread
from console.core.model.redis import AttachedReplica, Backlog, MasterLink, Persistence, Redis, RedisConfig, Role
from console.core.model.run_lock import RunLock
from console.core.model.sentinel import KnownReplica, KnownSentinel, Sentinel, SentinelState, WatchedMaster

__all__ = [
    "NOT_READ",
    "ActionKind",
    "ArpSettings",
    "AttachedReplica",
    "Backlog",
    "Backup",
    "ClockReading",
    "ClusterState",
    "ConfigFile",
    "ConsulCheck",
    "ConsulInstance",
    "ConsulState",
    "DirectorState",
    "DiskRoom",
    "DnsAnswer",
    "DumpFile",
    "HostIdentity",
    "InterfaceAddress",
    "Keepalived",
    "KeepalivedConfig",
    "KnownReplica",
    "KnownSentinel",
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
    "RealServer",
    "Redis",
    "RedisConfig",
    "RedisFile",
    "Role",
    "RunLock",
    "ScriptAction",
    "ScriptFile",
    "ScriptSecurity",
    "Sentinel",
    "SentinelState",
    "TrackScript",
    "Transition",
    "VipReach",
    "VirtualService",
    "VrrpInstance",
    "VrrpState",
    "WatchedMaster",
    "read",
    "unknown_node",
    "unread",
]
