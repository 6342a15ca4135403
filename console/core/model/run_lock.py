"""The lock that an armed run holds on a node (H26), as read from the node."""

from __future__ import annotations

from console.core.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RunLock:
    """The run that holds the lock of a node. The holding process writes this. It ends with the console's connection."""

    run_id: str
    cluster: str
    runbook: str
    operator: str
    """`user@host`, as the console reports it."""
    since: float
    """Epoch seconds on the clock of that console."""
    step: str = ""
    """`3/14 replicate`; empty: before the first step."""
    terminal: str = ""
    origin: str = ""
    """The address that its SSH connection comes from, as the node sees it."""
    over: str = ""
    """The run that the lock was taken from by a typed sentence; empty: the lock was free."""
    seal: str = ""
    """Identifies the console process that holds the lock. A resumed run keeps its id, but is another process."""
    pid: int = 0
    """The process id of the holder on the node."""
    start: str = ""
    """Its start time in kernel ticks. Together with the pid it identifies one process until the node boots."""
