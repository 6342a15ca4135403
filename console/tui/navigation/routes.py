"""Every screen and dialog by its name: one row each, with the types of the arguments that open it.

A new screen is one module in `console/tui/screens` and one row here. The module registers its class for the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, ParamSpec

from textual.content import Content

from console.core.diagnosis.finding import Finding
from console.core.model import RunLock
from console.core.runbooks.document import Runbook
from console.core.runs.past.kept_keys import KeptKeys
from console.core.runs.past.past_run import PastRun
from console.core.runs.records.journal import Entry
from console.engine.ports import Takeover

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Route(Generic[P]):
    """The name of a screen. `P`: the arguments of its constructor."""

    name: str
    opens_on: tuple[str, ...] = ()
    """Names of the screens that it opens on: what lies above them is closed first. Empty: nothing is closed."""
    run_instead: bool = False
    """While a run is armed, the screen of that run is opened instead."""


@dataclass(frozen=True, slots=True)
class QuitQuestion:
    """What is asked before the console or a run ends."""

    title: str
    lines: tuple[str, ...]
    leave: str
    """On the button that ends it."""
    stay: str = "Stay"
    """On the button that has the focus, and changes nothing."""


CLUSTERS: Route[[]] = Route("clusters")
"""The first screen. It is never closed."""
CLUSTER: Route[[str]] = Route("cluster", opens_on=("clusters",))
"""(cluster)"""
RUNBOOKS: Route[[str]] = Route("runbooks", run_instead=True)
"""(cluster)"""
ARM: Route[[str, Runbook, Mapping[str, str]]] = Route("arm", opens_on=("cluster", "runbooks"), run_instead=True)
"""(cluster, runbook, nodes by the roles that the operator has assigned already)"""
RUN: Route[[str]] = Route("run", opens_on=("cluster", "run"))
"""(cluster)"""
PAST_RUNS: Route[[str]] = Route("past-runs")
"""(cluster whose runs are listed first; empty: all clusters)"""
PAST_RUN: Route[[str, str]] = Route("past-run")
"""(run id, cluster)"""
RESUME: Route[[PastRun]] = Route("resume")
"""(the run to resume)"""

HELP: Route[[]] = Route("help")
QUIT: Route[[Callable[[], None], QuitQuestion]] = Route("quit")
"""(what to do when the operator confirms, what is asked)"""
FINDING: Route[[Finding, Callable[[], Finding | None]]] = Route("finding")
"""(finding, the newest version of it; None: it no longer holds)"""
PANEL: Route[[str, Callable[[int], tuple[Content, ...]]]] = Route("panel")
"""(title, what draws the whole panel at a width)"""
JOURNAL_ENTRY: Route[[Entry]] = Route("journal-entry")
"""(entry)"""
JOURNAL_CHECK: Route[[Callable[[], PastRun]]] = Route("journal-check")
"""(the newest version of the run)"""
REPORT: Route[[PastRun]] = Route("report")
"""(the run to report)"""
KEPT_KEYS: Route[[Callable[[], tuple[KeptKeys, ...]]]] = Route("kept-keys")
"""(what gives the newest version of the keys that are only in files)"""
LOCK_HELD: Route[[RunLock, Callable[[Takeover], None] | None]] = Route("lock-held")
"""(the run that holds the lock, what arms again with a takeover; None: no takeover is offered)"""
