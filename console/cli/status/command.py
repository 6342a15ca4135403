"""`status`: prints one observation of each cluster. It imports little, so that it can be called every minute."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

import click

from console.cli.context import CliContext, inventory_option
from console.cli.output import say_painted
from console.cli.status.progress import Progress, WaitsFor

if TYPE_CHECKING:
    from console.cli.status.as_json import ClusterStatus
    from console.core.inventory import UnusableCluster
    from console.core.model import ClusterState
    from console.engine.ports import Inspector

EXIT_CODES = {"critical": 2, "unknown": 3, "warning": 1, "healthy": 0}
"""Health → exit code of monitoring plugins. The worst comes first: critical outranks unknown."""
DEFAULT_TIMEOUT = 15.0
"""Seconds. On a machine that does much else, `ssh` itself takes several."""


@click.command("status")
@click.argument("clusters", nargs=-1, metavar="[CLUSTER]...")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(("table", "json", "openmetrics")),
    default="table",
    show_default=True,
    help="The output format.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1, max=3600),
    default=DEFAULT_TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="A node is given up when it has got no further for so long.",
)
@inventory_option
@click.pass_obj
def status(context: CliContext, clusters: tuple[str, ...], form: str, timeout: float) -> int:
    """Observe once and print the result.

    Exit code: 0 healthy, 1 warning, 2 critical, 3 unknown (nothing could be observed, or a wrong call or inventory).
    """
    names, unusable = context.divide(clusters)
    inspectors = [context.inspector(name, timeout=timeout) for name in names]
    with Progress(f"looking at {', '.join(names)} …", lambda: _waits_for(inspectors)):
        statuses = _observe_all(context, inspectors)
    say_painted(_printed(statuses, unusable, form, context.clock.now()), nl=False)
    context.may_exit_at_once = True
    return exit_code(statuses, unusable)


def exit_code(statuses: Sequence[ClusterStatus], unusable: Sequence[UnusableCluster] = ()) -> int:
    """The exit code of the worst cluster. One that cannot be used counts as unknown."""
    found = {*(one.health.value for one in statuses), *("unknown" for _ in unusable)}
    return next(code for health, code in EXIT_CODES.items() if health in found)


def _waits_for(inspectors: Sequence[Inspector]) -> WaitsFor:
    """Nodes are named with their cluster, unless there is only one."""
    several = len(inspectors) > 1
    return [
        (f"{one.cluster}/{node}" if several else node, step)
        for one in inspectors
        for node, step in one.waits_for.items()
    ]


def _observe_all(context: CliContext, inspectors: Sequence[Inspector]) -> list[ClusterStatus]:
    """Observes all clusters at once. The rules of the diagnosis are imported while the connections are made."""
    observing = [_start_observing(inspector) for inspector in inspectors]
    context.wait_for_connection_libraries()
    from console.cli.status.as_json import ClusterStatus
    from console.core.kinds.diagnose import diagnose, health

    statuses = []
    for one in observing:
        state = one.result()
        findings = diagnose(state, state.observed_at)
        statuses.append(ClusterStatus(state, findings, health(state, findings)))
    return statuses


def _start_observing(inspector: Inspector) -> Future[ClusterState]:
    """Starts an observation in a thread that Ctrl-C does not wait for."""
    future: Future[ClusterState] = Future()

    def look() -> None:
        try:
            future.set_result(inspector.observe(fresh=True))
        except BaseException as error:  # noqa: BLE001 - result() raises it again
            future.set_exception(error)

    threading.Thread(target=look, name=f"look-at-{inspector.cluster}", daemon=True).start()
    return future


def _printed(statuses: Sequence[ClusterStatus], unusable: Sequence[UnusableCluster], form: str, now: float) -> str:
    if form == "json":
        from console.cli.status.as_json import as_json

        return as_json(statuses, now, unusable)
    if form == "openmetrics":
        from console.cli.status.as_metrics import as_openmetrics

        return as_openmetrics(statuses, unusable)
    from console.cli.layout import terminal_width
    from console.cli.status.as_table import as_table

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return as_table(statuses, unusable, colour=colour, width=terminal_width())


COMMANDS = (status,)
