"""The lock that an armed run holds on a node (H26), as the node itself tells of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunLock:
    """Who runs what on a node. Written by the process that holds the lock; it ends with the console's connection."""

    run_id: str
    cluster: str
    runbook: str
    operator: str
    """`user@host` of the console, as it says itself."""
    since: float
    """Epoch seconds on the clock of the console that holds it."""
    step: str = ""
    """`3/14 replicate`; empty: before the first step."""
    terminal: str = ""
    origin: str = ""
    """The address that its SSH connection comes from, as the node sees it."""
    over: str = ""
    """The run that it was taken from by a typed sentence; empty: it was free."""
    seal: str = ""
    """Names the very console process that holds it: a run that is resumed keeps its id, and is another process."""
    pid: int = 0
    """Of the holder, on the node."""
    start: str = ""
    """Its start time in the kernel's ticks: with the pid it names one process for ever, until the node boots."""
