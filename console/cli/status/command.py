"""`status`: prints one observation of each cluster. It imports little, so that it can be called every minute."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from console.cli.background import in_background
from console.cli.context import CliContext, inventory_option
from console.cli.output import say_painted
from console.cli.status.options import (
    DEFAULT_LISTEN_INTERVAL,
    DEFAULT_TIMEOUT,
    DEFAULT_WATCH_INTERVAL,
    StatusOptions,
    status_options,
)
from console.cli.status.progress import Progress, WaitsFor
from console.cli.status.selection import WORST_FIRST, is_shown, selected

if TYPE_CHECKING:
    from console.cli.status.as_json import ClusterStatus
    from console.core.inventory import UnusableCluster
    from console.engine.ports import Inspector

EXIT_CODES = {"critical": 2, "unknown": 3, "warning": 1, "healthy": 0}
"""Health → exit code of monitoring plugins."""
_TURN = 0.02
"""Seconds that a thread computes while others wait for their turn. Python's own are 0.005."""


@click.command("status")
@click.argument("clusters", nargs=-1, metavar="[CLUSTER]...")
@status_options
@inventory_option
@click.pass_obj
def status(context: CliContext, /, clusters: tuple[str, ...], **options: Any) -> int:
    """Observe once and print the result.

    One cluster is printed with all details. Of several, each has one line, the worst first: health, master and holder
    of the virtual IP, the lag of the slowest replica, whether it is ready for a failover, the worst finding. Where the
    lines do not fit into the terminal, the worst clusters are repeated at the end.

    Exit code: 0 healthy, 1 warning, 2 critical, 3 unknown (nothing could be observed, or a wrong call or inventory). It
    is that of all clusters that were looked at, also of those that --only does not print. With --watch and --listen it
    is 0 after a signal has ended them.
    """
    wanted = StatusOptions(**options)
    wanted.check()
    names, unusable = context.divide(selected(context, clusters, wanted.tags))
    if wanted.watching:
        from console.cli.status.watching import watch_changes

        return watch_changes(context, names, unusable, wanted.interval or DEFAULT_WATCH_INTERVAL)
    if wanted.listen is not None:
        from console.cli.status.listening import serve_metrics

        return serve_metrics(context, names, unusable, wanted.listen, wanted.interval or DEFAULT_LISTEN_INTERVAL)
    with _for_one_look():
        inspectors = [context.inspector(name, timeout=wanted.timeout or DEFAULT_TIMEOUT) for name in names]
        with Progress(f"looking at {', '.join(names)} …", lambda: _waits_for(inspectors)):
            statuses = _observe_all(context, inspectors)
    say_painted(_printed(statuses, unusable, wanted, context.clock.now()), nl=False)
    context.may_exit_at_once = True
    return exit_code(statuses, unusable)


@contextlib.contextmanager
def _for_one_look() -> Iterator[None]:
    """No search for cycles, and fewer changes between threads: these are a sixth of what a look at 200 nodes computes.

    What is observed once is small and has no cycles, and no key waits for a thread.
    """
    interval = sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        gc.enable()
        sys.setswitchinterval(interval)


def exit_code(statuses: Sequence[ClusterStatus], unusable: Sequence[UnusableCluster] = ()) -> int:
    """The exit code of the worst cluster. One that cannot be used counts as unknown."""
    found = {*(one.health.value for one in statuses), *("unknown" for _ in unusable)}
    return next(EXIT_CODES[health] for health in WORST_FIRST if health in found)


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
    observing = [in_background(partial(one.observe, fresh=True), f"look-at-{one.cluster}") for one in inspectors]
    context.wait_for_connection_libraries()
    from console.cli.status.as_json import ClusterStatus

    statuses, all_kept = [], context.kept_keys()
    for inspector, one in zip(inspectors, observing, strict=True):
        tags = context.cluster(inspector.cluster).tags
        kept = tuple(keys for keys in all_kept if keys.cluster == inspector.cluster)
        statuses.append(ClusterStatus.of(one.result(), tags, kept))
    return statuses


def _printed(
    statuses: Sequence[ClusterStatus], unusable: Sequence[UnusableCluster], wanted: StatusOptions, now: float
) -> str:
    only = wanted.only
    if wanted.form == "json":
        from console.cli.status.as_json import as_json

        shown = [one for one in statuses if is_shown(one.ranked, only)]
        return as_json(shown, now, unusable if is_shown("unknown", only) else ())
    if wanted.form == "openmetrics":
        from console.cli.status.metrics.exposition import as_openmetrics

        return as_openmetrics(statuses, unusable)
    from console.cli.layout import terminal_height, terminal_width

    colour, width = sys.stdout.isatty() and not os.environ.get("NO_COLOR"), terminal_width()
    if len(statuses) + len(unusable) == 1 and only is None:
        from console.cli.status.as_table import as_table

        return as_table(statuses, unusable, colour=colour, width=width, height=terminal_height())
    from console.cli.status.as_lines import as_lines, in_detail

    printed = in_detail if wanted.verbose else as_lines
    return printed(statuses, unusable, colour=colour, width=width, only=only, height=terminal_height())


COMMANDS = (status,)
